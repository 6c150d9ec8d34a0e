// What the track sounds like with its rendered regions.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>

#include "core/playlist.hpp"

namespace segue::plugin {

// From 0, as the parameter Candidate stands.
[[nodiscard]] inline std::size_t chosen_take(const Values& values) noexcept {
    return static_cast<std::size_t>(std::lround(values[index(Parameter::candidate)]) - 1);
}

// The audio of a segment that is heard when `take` (from 0) is chosen.
[[nodiscard]] inline const std::shared_ptr<const Audio>& heard_take(const Segment& segment, std::size_t take) noexcept {
    const bool is_there = take < max_takes && segment.takes[take] != nullptr;
    return segment.takes[is_there ? take : 0];
}

// Writes the segments over `audio`, whose first sample stands at the song position `start`.
inline void lay_in(Audio& audio, std::int64_t start, const std::vector<Segment>& segments, std::size_t take) {
    const Span all{start, start + audio.frames()};
    for (const Segment& segment : segments) {
        if (!segment.span.overlaps(all)) continue;
        const Span part{std::max(segment.span.start, all.start), std::min(segment.span.stop, all.stop)};
        const Audio& from = *heard_take(segment, take);
        const std::int64_t source = segment.offset + part.start - segment.span.start;
        std::copy_n(from.left.begin() + source, part.size(), audio.left.begin() + (part.start - start));
        std::copy_n(from.right.begin() + source, part.size(), audio.right.begin() + (part.start - start));
    }
}

}  // namespace segue::plugin
