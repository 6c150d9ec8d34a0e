// The outline of a piece of music that nobody plays: a picture to draw, the same every time.
#pragma once

#include <cstdint>

#include "core/snapshot.hpp"

namespace segue::plugin::screens {

inline constexpr double rate = 48000.0;

// The samples of [from, to) seconds.
[[nodiscard]] Span seconds(double from, double to);

// What the engine's peaks() would give: silent where the gap of `snapshot` has no active region, music elsewhere.
// `hole`: a stretch that was heard and is silent; may be empty.
[[nodiscard]] Peaks peaks_of(const Snapshot& snapshot, const Span& view, const Span& hole, std::uint32_t parts,
                             bool original);

}  // namespace segue::plugin::screens
