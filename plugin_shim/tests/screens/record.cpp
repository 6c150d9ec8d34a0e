#include "record.hpp"

#include <sstream>

#include "ui/words.hpp"

namespace segue::plugin::screens {
namespace {

constexpr float ascent = 0.76F;   // of DejaVu Sans, in parts of the size: capitals and letters such as l
constexpr float descent = 0.24F;  // g, p, y

std::string quoted(const std::string& text) {
    std::string all = "\"";
    for (const char each : text) {
        if (each == '"' || each == '\\') all += '\\';
        all += each;
    }
    return all + "\"";
}

std::string json(const ui::Rect& rect) {
    std::ostringstream out;
    out << '[' << rect.x << ", " << rect.y << ", " << rect.w << ", " << rect.h << ']';
    return out.str();
}

std::string json(const DrawnText& text) {
    std::ostringstream out;
    out << "{\"text\": " << quoted(text.text) << ", \"ink\": " << json(text.ink) << ", \"box\": " << json(text.box)
        << ", \"clip\": " << json(text.clip) << ", \"colour\": [" << text.colour.red << ", " << text.colour.green
        << ", " << text.colour.blue
        << "], \"faint\": " << (ui::contrast(text.colour, ui::theme::faint) < 1.0001 ? "true" : "false") << '}';
    return out.str();
}

}  // namespace

void RecordingCanvas::text(std::string_view text, ui::Point at, float size, const ui::Colour& colour,
                           const ui::Rect& box) {
    const float width = canvas_.text_width(text, size);
    const ui::Rect ink{at.x, at.y - ascent * size, width, (ascent + descent) * size};
    texts_.push_back({std::string{text}, ink, box, clips_.back(), colour});
    canvas_.text(text, at, size, colour, box);
}

void RecordingCanvas::push_clip(const ui::Rect& rect) {
    clips_.push_back(rect);
    canvas_.push_clip(rect);
}

void RecordingCanvas::pop_clip() {
    clips_.pop_back();
    canvas_.pop_clip();
}

std::string record_of(const std::string& name, float scale, const ui::Layout& layout, const ui::Scene& scene,
                      const std::vector<DrawnText>& texts) {
    std::ostringstream out;
    out << "{\"name\": " << quoted(name) << ", \"scale\": " << scale << ", \"window\": " << json(layout.window)
        << ", \"overlay\": " << (scene.state.menu || scene.state.tip ? "true" : "false") << ",\n \"widgets\": {";
    const char* comma = "";
    for (std::size_t each = 0; each < ui::widget_count; ++each) {
        if (!ui::visible(static_cast<ui::Widget>(each), scene)) continue;
        out << comma << '"' << each << "\": " << json(layout.widgets[each]);
        comma = ", ";
    }
    out << "},\n \"texts\": [";
    comma = "";
    for (const DrawnText& text : texts) {
        out << comma << json(text);
        comma = ",\n  ";
    }
    out << "]}\n";
    return out.str();
}

}  // namespace segue::plugin::screens
