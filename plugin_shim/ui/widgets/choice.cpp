#include "ui/widgets/choice.hpp"

#include "ui/text.hpp"

namespace segue::plugin::ui {
namespace {

void draw_scroll_thumb(Canvas& canvas, const MenuPlace& place, std::size_t first, std::size_t count) {
    const Rect inner = place.frame.inset(4.0F);
    const float all = static_cast<float>(count);
    const float top = inner.y + inner.h * static_cast<float>(first) / all;
    canvas.fill({inner.right() - 4.0F, top, 4.0F, inner.h * static_cast<float>(place.rows) / all}, theme::faint, 2.0F);
}

}  // namespace

void draw_choice(Canvas& canvas, const Rect& box, std::string_view chosen, const Touch& touch, bool open) {
    canvas.fill(box, open || touch.hovered ? theme::hovered : theme::button, theme::radius);
    Rect inner = box.inset(4.0F);
    const Point at = inner.cut_right(18.0F, 2.0F).centre();
    canvas.polygon({{at.x - 4.0F, at.y - 2.0F}, {at.x + 4.0F, at.y - 2.0F}, {at.x, at.y + 3.0F}}, theme::quiet);
    draw_text(canvas, chosen, {inner.x + 6.0F, inner.y, inner.w - 6.0F, inner.h});
}

void draw_menu(Canvas& canvas, const Layout& layout, const Menu& menu, const std::vector<std::string>& choices,
               std::size_t chosen) {
    const MenuPlace place = menu_place(layout, menu.owner, choices.size());
    canvas.fill({place.frame.x, place.frame.y + 3.0F, place.frame.w, place.frame.h}, rgb(0x000000).with_alpha(0.35F),
                theme::radius + 2.0F);
    canvas.fill(place.frame, theme::panel, theme::radius);
    canvas.outline(place.frame, theme::outline, 1.0F, theme::radius);
    const bool scrolls = choices.size() > place.rows;
    for (std::size_t nth = 0; nth < place.rows; ++nth) {
        const std::size_t at = menu.first + nth;
        Rect row = place.row(nth);
        if (scrolls) row.w -= 8.0F;
        if (at == menu.highlighted) canvas.fill(row, theme::hovered, theme::radius - 2.0F);
        const Rect mark = row.cut_left(18.0F);
        if (at == chosen) canvas.circle(mark.centre(), 3.0F, theme::accent);
        draw_text(canvas, choices[at], {row.x, row.y, row.w - 6.0F, row.h});
    }
    if (scrolls) draw_scroll_thumb(canvas, place, menu.first, choices.size());
}

}  // namespace segue::plugin::ui
