// A canvas in front of another that writes down every text it draws, for the checks.
#pragma once

#include <string>
#include <vector>

#include "ui/canvas.hpp"
#include "ui/scene.hpp"

namespace segue::plugin::screens {

struct DrawnText {
    std::string text;
    ui::Rect ink;  // as wide as the font says, as high as its tallest and deepest letters
    ui::Rect box;
    ui::Rect clip;
    ui::Colour colour;
};

class RecordingCanvas final : public ui::Canvas {
public:
    RecordingCanvas(ui::Canvas& canvas, const ui::Rect& window) : canvas_(canvas), clips_{window} {}

    [[nodiscard]] const std::vector<DrawnText>& texts() const noexcept { return texts_; }

    void fill(const ui::Rect& rect, const ui::Colour& colour, float radius) override {
        canvas_.fill(rect, colour, radius);
    }
    void outline(const ui::Rect& rect, const ui::Colour& colour, float width, float radius) override {
        canvas_.outline(rect, colour, width, radius);
    }
    void polygon(const std::vector<ui::Point>& points, const ui::Colour& colour) override {
        canvas_.polygon(points, colour);
    }
    void line(ui::Point from, ui::Point to, const ui::Colour& colour, float width) override {
        canvas_.line(from, to, colour, width);
    }
    void arc(ui::Point centre, float radius, float start, float stop, const ui::Colour& colour, float width) override {
        canvas_.arc(centre, radius, start, stop, colour, width);
    }
    void circle(ui::Point centre, float radius, const ui::Colour& colour) override {
        canvas_.circle(centre, radius, colour);
    }
    void text(std::string_view text, ui::Point at, float size, const ui::Colour& colour, const ui::Rect& box) override;
    [[nodiscard]] float text_width(std::string_view text, float size) override {
        return canvas_.text_width(text, size);
    }
    void push_clip(const ui::Rect& rect) override;
    void pop_clip() override;
    [[nodiscard]] float scale() const override { return canvas_.scale(); }

private:
    ui::Canvas& canvas_;
    std::vector<ui::Rect> clips_;
    std::vector<DrawnText> texts_;
};

// What was drawn and where the widgets are, as JSON; rectangles are [x, y, width, height] in logical pixels.
[[nodiscard]] std::string record_of(const std::string& name, float scale, const ui::Layout& layout,
                                    const ui::Scene& scene, const std::vector<DrawnText>& texts);

}  // namespace segue::plugin::screens
