#include "ui/widgets/status.hpp"

#include <algorithm>

#include "ui/text.hpp"
#include "ui/widgets/button.hpp"

namespace segue::plugin::ui {

Colour colour_of(words::Mood mood) noexcept {
    switch (mood) {
        case words::Mood::quiet: return theme::quiet;
        case words::Mood::good: return theme::good;
        case words::Mood::warning: return theme::warning;
        case words::Mood::bad: return theme::bad;
    }
    return theme::quiet;
}

void draw_status(Canvas& canvas, const Layout& layout, const Scene& scene) {
    canvas.fill(layout.status, theme::bar);
    const words::Sentence link = words::link(scene);
    const std::string remedy = words::remedy(scene);
    const Rect both{layout.status_text.x, layout.status_text.y, layout.status_text.w,
                    layout.status_remedy.bottom() - layout.status_text.y};
    const bool alone = remedy.empty() && canvas.text_width(link.text, theme::body) <= both.w;
    const Point dot{layout.status_dot.centre().x, alone ? both.centre().y : layout.status_text.centre().y};
    canvas.circle(dot, 4.5F, colour_of(link.mood));
    if (!remedy.empty()) {
        draw_text(canvas, link.text, layout.status_text);
        draw_text(canvas, remedy, layout.status_remedy, {theme::small, theme::quiet});
    } else if (alone) {
        draw_text(canvas, link.text, both);
    } else {
        draw_wrapped(canvas, link.text, both);
    }
    if (!visible(Widget::reconnect, scene)) return;
    draw_button(canvas, layout.of(Widget::reconnect), words::label(Widget::reconnect),
                touch_of(Widget::reconnect, scene));
}

void draw_notice(Canvas& canvas, const Rect& box, const std::string& text) {
    if (box.empty()) return;
    canvas.fill(box, theme::notice, theme::radius);
    canvas.fill(Rect{box}.cut_left(4.0F), theme::warning, 2.0F);
    const Rect words{box.x + 16.0F, box.y + 7.0F, box.w - 32.0F, box.h - 14.0F};
    draw_wrapped(canvas, text, words);
}

void draw_tip(Canvas& canvas, const Rect& window, const Rect& owner, const std::string& text) {
    if (text.empty()) return;
    const float most = 300.0F;
    const auto lines = wrapped(canvas, text, most, theme::small, 3);
    float width = 0.0F;
    for (const std::string& line : lines) width = std::max(width, canvas.text_width(line, theme::small));
    Rect box{owner.centre().x - width / 2.0F - 10.0F, 0.0F, width + 20.0F,
             16.0F * static_cast<float>(lines.size()) + 12.0F};
    box.y = owner.y - box.h - 6.0F >= window.y ? owner.y - box.h - 6.0F : owner.bottom() + 6.0F;
    box.x = std::clamp(box.x, window.x + theme::gutter, window.right() - box.w - theme::gutter);
    canvas.fill(box, theme::well, theme::radius);
    canvas.outline(box, theme::outline, 1.0F, theme::radius);
    Rect rest{box.x + 10.0F, box.y + 6.0F, box.w - 19.0F, box.h - 12.0F};
    for (const std::string& line : lines) draw_text(canvas, line, rest.cut_top(16.0F), {theme::small, theme::text});
}

}  // namespace segue::plugin::ui
