#include "ui/widgets/takes.hpp"

#include <cmath>
#include <string>

#include "ui/text.hpp"
#include "ui/widgets/button.hpp"
#include "ui/words.hpp"

namespace segue::plugin::ui {
namespace {

void draw_take(Canvas& canvas, Rect row, const TakeView& take, std::size_t nth, bool chosen, const Touch& touch) {
    const Colour face = chosen ? theme::button : touch.hovered ? theme::hovered : theme::well;
    canvas.fill(row, face, theme::radius - 1.0F);
    if (chosen) canvas.fill(Rect{row}.cut_left(3.0F), theme::accent, 1.5F);
    row = {row.x + 12.0F, row.y, row.w - 22.0F, row.h};
    draw_text(canvas, std::to_string(nth + 1), row.cut_left(14.0F, 6.0F),
              {theme::body, chosen ? theme::text : theme::quiet});
    draw_text(canvas, words::score(take), row.cut_right(66.0F, 6.0F), {theme::small, theme::quiet, Align::right});
    draw_text(canvas, words::take(take), row);
}

}  // namespace

void draw_takes(Canvas& canvas, const Layout& layout, const Scene& scene) {
    canvas.fill(layout.takes_panel, theme::panel, theme::radius);
    draw_text(canvas, words::takes_caption(scene), layout.takes_caption, {theme::small, theme::quiet});
    const RegionView* region = shown_region(scene);
    if (region == nullptr || region->takes.empty()) {
        draw_wrapped(canvas, words::no_takes(scene), layout.takes_text, {theme::body, theme::quiet});
        return;
    }
    // beyond the last take the first one is heard, as in the playlist
    auto chosen = static_cast<std::size_t>(std::lround(scene.value(Parameter::candidate)) - 1);
    if (chosen >= region->takes.size()) chosen = 0;
    for (const Widget widget : {Widget::take_1, Widget::take_2, Widget::take_3, Widget::take_4}) {
        const std::size_t nth = *take_of(widget);
        if (nth >= region->takes.size()) break;
        draw_take(canvas, layout.of(widget), region->takes[nth], nth, nth == chosen, touch_of(widget, scene));
    }
}

}  // namespace segue::plugin::ui
