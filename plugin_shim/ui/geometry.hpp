// Points and rectangles in logical pixels: what stands on the screen at 100 %.
#pragma once

#include <algorithm>

namespace segue::plugin::ui {

struct Point {
    float x = 0.0F;
    float y = 0.0F;
};

struct Rect {
    float x = 0.0F;
    float y = 0.0F;
    float w = 0.0F;
    float h = 0.0F;

    [[nodiscard]] constexpr float right() const noexcept { return x + w; }
    [[nodiscard]] constexpr float bottom() const noexcept { return y + h; }
    [[nodiscard]] constexpr Point centre() const noexcept { return {x + w / 2.0F, y + h / 2.0F}; }
    [[nodiscard]] constexpr bool empty() const noexcept { return w <= 0.0F || h <= 0.0F; }
    [[nodiscard]] constexpr bool contains(Point p) const noexcept {
        return p.x >= x && p.x < right() && p.y >= y && p.y < bottom();
    }
    [[nodiscard]] constexpr bool overlaps(const Rect& other) const noexcept {
        return x < other.right() && other.x < right() && y < other.bottom() && other.y < bottom();
    }
    [[nodiscard]] constexpr Rect inset(float by) const noexcept {
        return {x + by, y + by, w - 2.0F * by, h - 2.0F * by};
    }

    // Cut a piece off this rectangle and return it; `gap` more is dropped between the two.
    [[nodiscard]] Rect cut_left(float width, float gap = 0.0F) noexcept {
        const Rect piece{x, y, std::min(width, w), h};
        x += piece.w + gap;
        w = std::max(0.0F, w - piece.w - gap);
        return piece;
    }
    [[nodiscard]] Rect cut_right(float width, float gap = 0.0F) noexcept {
        const float piece = std::min(width, w);
        const Rect cut{right() - piece, y, piece, h};
        w = std::max(0.0F, w - piece - gap);
        return cut;
    }
    [[nodiscard]] Rect cut_top(float height, float gap = 0.0F) noexcept {
        const Rect piece{x, y, w, std::min(height, h)};
        y += piece.h + gap;
        h = std::max(0.0F, h - piece.h - gap);
        return piece;
    }
    [[nodiscard]] Rect cut_bottom(float height, float gap = 0.0F) noexcept {
        const float piece = std::min(height, h);
        const Rect cut{x, bottom() - piece, w, piece};
        h = std::max(0.0F, h - piece - gap);
        return cut;
    }
    // The part of this height in the middle.
    [[nodiscard]] constexpr Rect middle(float height) const noexcept { return {x, y + (h - height) / 2.0F, w, height}; }
};

}  // namespace segue::plugin::ui
