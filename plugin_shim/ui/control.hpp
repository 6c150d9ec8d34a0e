// From hands to values: dragging, wheel, arrow keys and typed numbers on a parameter.
#pragma once

#include <optional>
#include <string_view>

#include "core/parameters.hpp"

namespace segue::plugin::ui {

// Up by `pixels` from where the drag began at `value`; 200 pixels are the whole range, 2000 when `fine`.
[[nodiscard]] float dragged(Parameter parameter, float value, float pixels, bool fine) noexcept;

// By so many steps: 1 % of the range (0.1 % when `fine`), or one place of a list. Stops at the ends.
[[nodiscard]] float stepped(Parameter parameter, float value, float steps, bool fine) noexcept;

// What was typed, in the unit that the knob shows (per cent; guidance: a factor). Nothing where it is no number or
// outside the range: a typed value is never bent.
[[nodiscard]] std::optional<float> typed(Parameter parameter, std::string_view text) noexcept;

// Where the value lies in its range, 0 to 1.
[[nodiscard]] float fraction_of(Parameter parameter, float value) noexcept;

}  // namespace segue::plugin::ui
