// Song positions in words.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

#include "core/transport.hpp"

namespace segue::plugin {

// "1:02.345"
[[nodiscard]] inline std::string clock_text(std::int64_t frame, double rate) {
    const auto milliseconds = std::llround(static_cast<double>(frame) * 1000.0 / rate);
    const auto size = std::llabs(milliseconds);
    char text[48];
    std::snprintf(text, sizeof text, "%s%lld:%02lld.%03lld", milliseconds < 0 ? "-" : "", size / 60'000,
                  size / 1000 % 60, size % 1000);
    return text;
}

[[nodiscard]] inline std::string clock_text(const Span& span, double rate) {
    return clock_text(span.start, rate) + " to " + clock_text(span.stop, rate);
}

// "12.3 s"
[[nodiscard]] inline std::string seconds_text(std::int64_t frames, double rate) {
    char text[48];
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(frames) / rate);
    return text;
}

}  // namespace segue::plugin
