// What widgets draw on. NanoCanvas draws with DPF's NanoVG; tests put their own in front of it.
#pragma once

#include <string_view>
#include <vector>

#include "ui/geometry.hpp"
#include "ui/theme.hpp"

namespace segue::plugin::ui {

enum class Align { left, centre, right };

class Canvas {
public:
    virtual ~Canvas() = default;

    virtual void fill(const Rect& rect, const Colour& colour, float radius = 0.0F) = 0;
    virtual void outline(const Rect& rect, const Colour& colour, float width, float radius = 0.0F) = 0;
    virtual void polygon(const std::vector<Point>& points, const Colour& colour) = 0;
    virtual void line(Point from, Point to, const Colour& colour, float width) = 0;
    // Clockwise from `start` to `stop`, in radians from three o'clock.
    virtual void arc(Point centre, float radius, float start, float stop, const Colour& colour, float width) = 0;
    virtual void circle(Point centre, float radius, const Colour& colour) = 0;
    // One line; y is the baseline. `box` is the place that the text must not leave.
    virtual void text(std::string_view text, Point at, float size, const Colour& colour, const Rect& box) = 0;
    [[nodiscard]] virtual float text_width(std::string_view text, float size) = 0;
    virtual void push_clip(const Rect& rect) = 0;
    virtual void pop_clip() = 0;
    // Pixels of the device in one logical pixel: a hairline is 1 / scale().
    [[nodiscard]] virtual float scale() const = 0;
};

}  // namespace segue::plugin::ui
