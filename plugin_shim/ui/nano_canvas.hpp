// A canvas on DPF's NanoVG, within a frame that the caller has begun.
#pragma once

#include <vector>

#include "NanoVG.hpp"
#include "ui/canvas.hpp"

namespace segue::plugin::ui {

class NanoCanvas final : public Canvas {
public:
    // `nano` has loaded its shared resources; `scale`: device pixels in a logical one.
    NanoCanvas(DGL_NAMESPACE::NanoVG& nano, float scale);
    ~NanoCanvas() override;
    NanoCanvas(const NanoCanvas&) = delete;
    NanoCanvas& operator=(const NanoCanvas&) = delete;

    void fill(const Rect& rect, const Colour& colour, float radius) override;
    void outline(const Rect& rect, const Colour& colour, float width, float radius) override;
    void polygon(const std::vector<Point>& points, const Colour& colour) override;
    void line(Point from, Point to, const Colour& colour, float width) override;
    void arc(Point centre, float radius, float start, float stop, const Colour& colour, float width) override;
    void circle(Point centre, float radius, const Colour& colour) override;
    void text(std::string_view text, Point at, float size, const Colour& colour, const Rect& box) override;
    [[nodiscard]] float text_width(std::string_view text, float size) override;
    void push_clip(const Rect& rect) override;
    void pop_clip() override;
    [[nodiscard]] float scale() const override { return scale_; }

private:
    DGL_NAMESPACE::NanoVG& nano_;
    float scale_;
};

}  // namespace segue::plugin::ui
