#include "ui/widgets/button.hpp"

#include "ui/text.hpp"

namespace segue::plugin::ui {
namespace {

Colour face(const Touch& touch, const Colour& rest, const Colour& hovered, const Colour& pressed) {
    if (!touch.enabled) return theme::panel;
    if (touch.held) return pressed;
    return touch.hovered ? hovered : rest;
}

}  // namespace

Touch touch_of(Widget widget, const Scene& scene) noexcept {
    return {enabled(widget, scene), scene.state.hover == widget, scene.state.held == widget};
}

void draw_button(Canvas& canvas, const Rect& box, std::string_view label, const Touch& touch, bool main) {
    const Colour& rest = main ? theme::accent : theme::button;
    const Colour& hovered = main ? theme::accent_hovered : theme::hovered;
    canvas.fill(box, face(touch, rest, hovered, main ? theme::accent : theme::pressed), theme::radius);
    if (!touch.enabled) canvas.outline(box, theme::outline, 1.0F, theme::radius);
    const Colour words = !touch.enabled ? theme::faint : main ? theme::on_accent : theme::text;
    draw_text(canvas, label, {box.x + 4.0F, box.y, box.w - 8.0F, box.h},
              {main ? theme::body + 1.0F : theme::body, words, Align::centre});
}

void draw_switch(Canvas& canvas, const Rect& box, std::string_view left, std::string_view right, bool right_chosen,
                 const Touch& touch) {
    canvas.fill(box, theme::well, theme::radius);
    Rect rest = box.inset(2.0F);
    const Rect half = rest.cut_left(rest.w / 2.0F);
    const Rect& lit = right_chosen ? rest : half;
    canvas.fill(lit, touch.hovered ? theme::hovered : theme::button, theme::radius - 2.0F);
    const auto words = [&](bool chosen) { return chosen ? theme::text : theme::quiet; };
    draw_text(canvas, left, half.inset(3.0F), {theme::body, words(!right_chosen), Align::centre});
    draw_text(canvas, right, rest.inset(3.0F), {theme::body, words(right_chosen), Align::centre});
}

void draw_focus(Canvas& canvas, const Rect& box) {
    canvas.outline(box.inset(-2.5F), theme::focus, 2.0F, theme::radius + 2.0F);
}

}  // namespace segue::plugin::ui
