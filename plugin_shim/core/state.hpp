// The plug-in's state as one checked blob of printable text, for the host to keep.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/parameters.hpp"
#include "core/refusal.hpp"
#include "core/region.hpp"
#include "core/state_limits.hpp"

namespace segue::plugin {

inline constexpr std::uint32_t state_version = 1;

struct State {
    Values values = initial_values();
    std::vector<Region> regions;  // in the order in which they were rendered, undone ones too
    std::optional<Span> marks;
    double marks_rate = 0.0;  // hertz; marks without a rate mean nothing and are not saved
    std::map<std::string, std::string> extra;  // further texts by name
};

struct LoadedState {
    State state;
    std::vector<std::string> notes;  // what was not valid, and is at its default now
};

// The same state gives the same bytes. Takes still without audio are left out; the others bring their Packed audio, or
// are packed now, which takes its time.
// Refused: a take that is not rounded to 24 bits, or not as long as its region; what load_state() would refuse.
[[nodiscard]] Expected<std::string> save_state(const State& state, const StateLimits& limits = {});

// Leaves out what the limits have no room for: the oldest undone regions, then takes that are not the chosen one, those
// of the oldest regions first; and what lies where no song reaches. What that was in words; empty: nothing.
[[nodiscard]] std::string make_room(State& state, const StateLimits& limits = {});

// Whole or not at all. Code::version: saved by a newer version; keep the blob and save it again untouched. Else:
// Code::malformed, it is damaged. Empty text is damaged too.
[[nodiscard]] Expected<LoadedState> load_state(std::string_view blob, const StateLimits& limits = {});

}  // namespace segue::plugin
