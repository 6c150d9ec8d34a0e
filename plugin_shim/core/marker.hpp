// The sound of a render that a bounce did not get: three bursts of 1 kHz, 60 ms each, at -12 dBFS, every second.
#pragma once

#include <cmath>
#include <cstdint>

namespace segue::plugin {

// The sample `offset` samples after the start of the missing music, at `rate` hertz (whole).
[[nodiscard]] inline float marker(std::int64_t offset, double rate) noexcept {
    constexpr double pi = 3.14159265358979323846;
    constexpr double peak = 0.25118864315095801;  // -12 dBFS
    constexpr double frequency = 1000.0;          // hertz
    constexpr double burst = 0.060;               // seconds; whole periods, so that it starts and ends at zero
    constexpr double spacing = 0.120;             // seconds from burst to burst
    constexpr double all = 0.300;                 // seconds from the first burst's start to the last one's end
    const double seconds = static_cast<double>(offset % static_cast<std::int64_t>(rate)) / rate;
    if (seconds >= all || std::fmod(seconds, spacing) >= burst) return 0.0F;
    return static_cast<float>(peak * std::sin(2.0 * pi * frequency * seconds));
}

}  // namespace segue::plugin
