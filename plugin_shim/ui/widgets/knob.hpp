// A knob with its name above and its value below.
#pragma once

#include <string_view>

#include "core/parameters.hpp"
#include "ui/canvas.hpp"
#include "ui/widgets/button.hpp"

namespace segue::plugin::ui {

// `entry`: digits being typed, shown instead of the value; empty: none.
void draw_knob(Canvas& canvas, const Rect& box, Parameter parameter, float value, const Touch& touch,
               std::string_view entry);

}  // namespace segue::plugin::ui
