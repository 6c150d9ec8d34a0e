#include "ui/widgets/knob.hpp"

#include <cmath>
#include <string>

#include "ui/control.hpp"
#include "ui/format.hpp"
#include "ui/text.hpp"

namespace segue::plugin::ui {
namespace {

constexpr float pi = 3.14159265F;
constexpr float lowest = 0.75F * pi;  // half past seven
constexpr float turn = 1.5F * pi;     // to half past four

void draw_dial(Canvas& canvas, Point centre, float radius, Parameter parameter, float value, const Touch& touch) {
    const float angle = lowest + turn * fraction_of(parameter, value);
    canvas.arc(centre, radius, lowest, lowest + turn, theme::well, 5.0F);
    if (angle > lowest + 0.01F) canvas.arc(centre, radius, lowest, angle, theme::accent, 5.0F);
    canvas.circle(centre, radius - 8.0F, touch.held || touch.hovered ? theme::hovered : theme::button);
    const auto on_circle = [&](float at) {
        return Point{centre.x + at * std::cos(angle), centre.y + at * std::sin(angle)};
    };
    canvas.line(on_circle(radius - 20.0F), on_circle(radius - 11.0F), theme::text, 2.5F);
    // where a double-click leads
    const float initial = lowest + turn * fraction_of(parameter, info(parameter).initial);
    canvas.circle({centre.x + (radius + 6.5F) * std::cos(initial), centre.y + (radius + 6.5F) * std::sin(initial)},
                  1.4F, theme::quiet);
}

}  // namespace

void draw_knob(Canvas& canvas, const Rect& box, Parameter parameter, float value, const Touch& touch,
               std::string_view entry) {
    Rect rest = box;
    draw_text(canvas, info(parameter).name, rest.cut_top(22.0F), {theme::body, theme::text, Align::centre});
    // the value stands in the opening of the ring
    const float radius = std::min(rest.w / 2.0F - 6.0F, rest.h / 2.0F - 16.0F);
    const Point centre{rest.centre().x, rest.centre().y - 2.0F};
    draw_dial(canvas, centre, radius, parameter, value, touch);
    const Rect number{rest.x + 8.0F, centre.y + radius * 0.72F + 6.0F, rest.w - 16.0F, 22.0F};
    if (entry.empty()) {
        draw_text(canvas, value_text(parameter, value), number, {theme::body, theme::quiet, Align::centre});
        return;
    }
    canvas.fill(number, theme::well, theme::radius - 2.0F);
    draw_text(canvas, std::string{entry} + "_", number, {theme::body, theme::text, Align::centre});
}

}  // namespace segue::plugin::ui
