// A render that was asked for and not yet submitted: whether enough was heard for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/hearing.hpp"
#include "core/parameters.hpp"
#include "core/snapshot.hpp"
#include "core/song.hpp"

namespace segue::plugin {

inline constexpr double right_context = 6.0;  // seconds behind the gap, which the renderer listens to

struct Armed {
    std::int64_t playhead = 0;  // when it was asked for
    bool rolling = false;       // by automation, or a switch, while the transport rolled; not by hand in the UI
    std::int64_t pass_start = 0;
    std::uint64_t pass = 0;
    std::optional<Values> values{};  // of an automated one, where it was asked for; none: as the knobs stand later
};

// What is waited for, in words; empty: nothing, submit. `stopped`: the transport, see Hearing.
[[nodiscard]] std::string waits_for(const Armed& armed, const GapView& gap, const Song& song, const Hearing& hearing,
                                    bool stopped, bool continuation);

}  // namespace segue::plugin
