// Songs and wishes to make requests of.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/request.hpp"
#include "song_double.hpp"

namespace segue::plugin::testing {

inline Offer full_offer() {
    Offer offer;
    offer.tasks = {"infill", "continuation", "regenerate", "transition", "restyle"};
    offer.presets = {"warm tape", "dub"};
    offer.limits = {std::int64_t{1} << 30, 600.0, 8, std::int64_t{1} << 20, 1000, 16, 16};
    return offer;
}

inline Wish wish(Task task, const Span& gap) {
    Wish made;
    made.job = "job-1";
    made.generation = 3;
    made.gap = {gap, GapSource::marks, {}};
    made.values = initial_values();
    made.values[index(Parameter::task)] = static_cast<float>(task);
    return made;
}

// A song at 8 kHz that heard a track of clips once, with a side-chain or without.
struct Track {
    Song song;
    Player player{song};

    Track(const std::vector<Span>& spans, const Span& played, Signal side = {}) {
        song.set_rate(8'000.0);
        player.main = clips(loud(1), spans);
        player.side = std::move(side);
        if (!played.empty()) player.play(played);
    }
};

}  // namespace segue::plugin::testing
