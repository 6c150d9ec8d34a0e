// A button, and a switch of two halves.
#pragma once

#include <string_view>

#include "ui/canvas.hpp"
#include "ui/scene.hpp"

namespace segue::plugin::ui {

// How a widget is being touched.
struct Touch {
    bool enabled = true;
    bool hovered = false;
    bool held = false;
};

[[nodiscard]] Touch touch_of(Widget widget, const Scene& scene) noexcept;

// `main`: the one button of the screen that stands out.
void draw_button(Canvas& canvas, const Rect& box, std::string_view label, const Touch& touch, bool main = false);

// The chosen half is lit.
void draw_switch(Canvas& canvas, const Rect& box, std::string_view left, std::string_view right, bool right_chosen,
                 const Touch& touch);

// Around the widget that the keyboard is on.
void draw_focus(Canvas& canvas, const Rect& box);

}  // namespace segue::plugin::ui
