// The waveform for the UI.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "core/playlist.hpp"
#include "core/pyramid.hpp"
#include "core/snapshot.hpp"
#include "core/song.hpp"

namespace segue::plugin {

// Keeps the bins of each take it has drawn for as long as the take lives.
class PeakFinder {
public:
    // `heard`: the regions that are heard instead of the track; without segments: the original. `candidate` from 1.
    [[nodiscard]] Peaks operator()(const Song& song, const Playlist& heard, std::uint32_t candidate, const Span& span,
                                   std::uint32_t parts);

private:
    struct Known {
        std::weak_ptr<const Audio> audio;
        Pyramid pyramid;
    };

    const Pyramid& pyramid_of(const std::shared_ptr<const Audio>& audio);

    std::map<const Audio*, Known> known_;
};

}  // namespace segue::plugin
