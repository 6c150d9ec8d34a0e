#include "ui/nano_canvas.hpp"

#include <cmath>

namespace segue::plugin::ui {
namespace {

DGL_NAMESPACE::Color nano_colour(const Colour& colour) {
    return DGL_NAMESPACE::Color(colour.red, colour.green, colour.blue, colour.alpha);
}

}  // namespace

NanoCanvas::NanoCanvas(DGL_NAMESPACE::NanoVG& nano, float scale) : nano_(nano), scale_(scale) {
    nano_.save();
    nano_.scale(scale, scale);
    nano_.fontFace(NANOVG_DEJAVU_SANS_TTF);
    nano_.textAlign(DGL_NAMESPACE::NanoVG::ALIGN_LEFT | DGL_NAMESPACE::NanoVG::ALIGN_BASELINE);
    nano_.lineCap(DGL_NAMESPACE::NanoVG::ROUND);
}

NanoCanvas::~NanoCanvas() { nano_.restore(); }

void NanoCanvas::fill(const Rect& rect, const Colour& colour, float radius) {
    if (rect.empty()) return;
    nano_.beginPath();
    if (radius > 0.0F) {
        nano_.roundedRect(rect.x, rect.y, rect.w, rect.h, radius);
    } else {
        nano_.rect(rect.x, rect.y, rect.w, rect.h);
    }
    nano_.fillColor(nano_colour(colour));
    nano_.fill();
}

void NanoCanvas::outline(const Rect& rect, const Colour& colour, float width, float radius) {
    if (rect.empty()) return;
    // the stroke's centre, so that its outer side is the rectangle's edge
    const Rect path = rect.inset(width / 2.0F);
    nano_.beginPath();
    nano_.roundedRect(path.x, path.y, path.w, path.h, radius);
    nano_.strokeWidth(width);
    nano_.strokeColor(nano_colour(colour));
    nano_.stroke();
}

void NanoCanvas::polygon(const std::vector<Point>& points, const Colour& colour) {
    if (points.size() < 3) return;
    nano_.beginPath();
    nano_.moveTo(points[0].x, points[0].y);
    for (std::size_t i = 1; i < points.size(); ++i) nano_.lineTo(points[i].x, points[i].y);
    nano_.closePath();
    nano_.fillColor(nano_colour(colour));
    nano_.fill();
}

void NanoCanvas::line(Point from, Point to, const Colour& colour, float width) {
    // upright and level lines lie on whole device pixels, or they blur over two
    const float shift = std::fmod(std::round(width * scale_), 2.0F) / 2.0F;
    const auto sharp = [&](float value) { return (std::floor(value * scale_) + shift) / scale_; };
    if (from.x == to.x) from.x = to.x = sharp(from.x);
    if (from.y == to.y) from.y = to.y = sharp(from.y);
    nano_.beginPath();
    nano_.moveTo(from.x, from.y);
    nano_.lineTo(to.x, to.y);
    nano_.strokeWidth(width);
    nano_.strokeColor(nano_colour(colour));
    nano_.stroke();
}

void NanoCanvas::arc(Point centre, float radius, float start, float stop, const Colour& colour, float width) {
    nano_.beginPath();
    nano_.arc(centre.x, centre.y, radius, start, stop, DGL_NAMESPACE::NanoVG::CW);
    nano_.strokeWidth(width);
    nano_.strokeColor(nano_colour(colour));
    nano_.stroke();
}

void NanoCanvas::circle(Point centre, float radius, const Colour& colour) {
    nano_.beginPath();
    nano_.circle(centre.x, centre.y, radius);
    nano_.fillColor(nano_colour(colour));
    nano_.fill();
}

void NanoCanvas::text(std::string_view text, Point at, float size, const Colour& colour, const Rect&) {
    nano_.fontSize(size);
    nano_.fillColor(nano_colour(colour));
    nano_.text(at.x, at.y, text.data(), text.data() + text.size());
}

float NanoCanvas::text_width(std::string_view text, float size) {
    if (text.empty()) return 0.0F;
    DGL_NAMESPACE::Rectangle<float> bounds;
    nano_.fontSize(size);
    return nano_.textBounds(0.0F, 0.0F, text.data(), text.data() + text.size(), bounds);
}

void NanoCanvas::push_clip(const Rect& rect) {
    nano_.save();
    nano_.intersectScissor(rect.x, rect.y, rect.w, rect.h);
}

void NanoCanvas::pop_clip() { nano_.restore(); }

}  // namespace segue::plugin::ui
