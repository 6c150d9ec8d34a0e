// What the audio thread plays from: made by the worker, never changed once it is handed over.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/parameters.hpp"
#include "core/region.hpp"

namespace segue::plugin {

// A stretch in which one region is heard. Segments are in order of time and do not overlap.
struct Segment {
    Span span;
    std::uint64_t region = 0;
    std::int64_t offset = 0;  // of span.start within the takes
    std::array<std::shared_ptr<const Audio>, max_takes> takes;  // the first ones are set; beyond them: takes[0] is heard
};

struct Playlist {
    double rate = 0.0;
    std::vector<Segment> segments;
    std::vector<Span> awaited;  // renders that were asked for and are not here: a bounce waits for them
    bool urgent = true;         // false: may wait until no region sounds, so that nothing is interrupted
};

// The audible parts of `regions` (the later over the earlier, undone ones left out) that have a take at `rate`.
[[nodiscard]] Playlist playlist_of(const std::vector<Region>& regions, double rate);

}  // namespace segue::plugin
