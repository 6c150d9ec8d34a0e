// Regions rendered at another rate than the host's now.
#pragma once

#include <cstdint>

#include "core/refusal.hpp"
#include "core/region.hpp"

namespace segue::plugin {

// The nearest frame at `to` hertz, halves away from zero.
[[nodiscard]] std::int64_t convert_frame(std::int64_t frame, double from, double to) noexcept;
// Starts at the nearest frame and is as long as convert() makes its audio.
[[nodiscard]] Span convert_span(const Span& span, double from, double to) noexcept;

// At `rate` hertz, convert_frame(frames) long, by libsoxr. Its ends are continued by their mirror images, not by
// silence, so that edges keep their level. Refused: rates that are not whole, or not from 8000 to 768000.
[[nodiscard]] Expected<Audio> convert(const Audio& audio, double rate);
// Span and all takes; the original is to be kept, since it is what is saved.
[[nodiscard]] Expected<Region> convert(const Region& region, double rate);

}  // namespace segue::plugin
