#include "ui/text.hpp"

#include <cmath>

namespace segue::plugin::ui {
namespace {

constexpr std::string_view ellipsis = "\xE2\x80\xA6";

// The place where the UTF-8 character before `at` begins.
std::size_t character_before(std::string_view text, std::size_t at) {
    do {
        --at;
    } while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U);
    return at;
}

// The longest beginning of `text`, whole characters, that is no wider than `width`.
std::size_t fitting(Canvas& canvas, std::string_view text, float width, float size) {
    std::size_t end = text.size();
    while (end > 0 && canvas.text_width(text.substr(0, end), size) > width) end = character_before(text, end);
    return end;
}

// How much of `text` goes on a line: up to the last space that lets it fit, else as many characters as fit.
std::size_t line_end(Canvas& canvas, std::string_view text, float width, float size) {
    const std::size_t fits = fitting(canvas, text, width, size);
    if (fits == text.size() || text[fits] == ' ') return fits;
    const std::size_t space = text.substr(0, fits).find_last_of(' ');
    if (space != std::string_view::npos && space > 0) return space;
    return std::max<std::size_t>(fits, 1);
}

}  // namespace

std::string shortened(Canvas& canvas, std::string_view text, float width, float size) {
    if (canvas.text_width(text, size) <= width) return std::string{text};
    const float left = width - canvas.text_width(ellipsis, size);
    std::string cut{text.substr(0, fitting(canvas, text, left, size))};
    while (!cut.empty() && cut.back() == ' ') cut.pop_back();
    return cut + std::string{ellipsis};
}

std::vector<std::string> wrapped(Canvas& canvas, std::string_view text, float width, float size, std::size_t most) {
    std::vector<std::string> lines;
    while (!text.empty() && lines.size() < most) {
        if (lines.size() + 1 == most) {
            lines.push_back(shortened(canvas, text, width, size));
            break;
        }
        const std::size_t end = line_end(canvas, text, width, size);
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end);
        while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    }
    return lines;
}

void draw_text(Canvas& canvas, std::string_view text, const Rect& box, const TextStyle& style) {
    if (text.empty() || box.empty()) return;
    const std::string fits = shortened(canvas, text, box.w, style.size);
    float x = box.x;
    if (style.align != Align::left) {
        const float spare = box.w - canvas.text_width(fits, style.size);
        x += style.align == Align::centre ? spare / 2.0F : spare;
    }
    // The middle of the x-height lies in the middle of the box; on a whole pixel, so that lines of one row agree.
    const float baseline = box.y + box.h / 2.0F + 0.36F * style.size;
    canvas.text(fits, {x, std::round(baseline * canvas.scale()) / canvas.scale()}, style.size, style.colour, box);
}

void draw_wrapped(Canvas& canvas, std::string_view text, const Rect& box, const TextStyle& style) {
    const float step = theme::line * style.size / theme::body;
    const auto most = static_cast<std::size_t>(std::max(1.0F, std::floor((box.h + 1.0F) / step)));
    Rect rest = box;
    for (const std::string& line : wrapped(canvas, text, box.w, style.size, most)) {
        draw_text(canvas, line, rest.cut_top(step), style);
    }
}

}  // namespace segue::plugin::ui
