// Numbers as a musician reads them.
#pragma once

#include <cstdint>
#include <string>

#include "core/parameters.hpp"

namespace segue::plugin::ui {

// "1:02.500": minutes, seconds, milliseconds; hours where there are any; a minus before the song's start.
[[nodiscard]] std::string clock_text(double seconds);

// The same without milliseconds, rounded down.
[[nodiscard]] std::string clock_text_short(double seconds);

// "4.000 s"
[[nodiscard]] std::string length_text(double seconds);

// "8 beats", "2.5 beats"; empty where the tempo (beats a minute) is not known.
[[nodiscard]] std::string beats_text(double seconds, double tempo);

// "5 s left", "2 min left"
[[nodiscard]] std::string left_text(double seconds);

// "61 MB" (10^6 bytes)
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

// The value as its knob shows it: "60 %", and guidance as a factor, "\u00D7 1.00".
[[nodiscard]] std::string value_text(Parameter parameter, float value);

// Round steps for a ruler: the least of 1, 2, 5, 10, ... ms and 1, 2, 5, 10, 15, 30, 60, ... s that is at least
// `seconds`.
[[nodiscard]] double ruler_step(double seconds) noexcept;

// A tick's text with no more decimals than its step needs.
[[nodiscard]] std::string tick_text(double seconds, double step);

}  // namespace segue::plugin::ui
