// Text within its rectangle: cut with an ellipsis or wrapped, never over the edge.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ui/canvas.hpp"

namespace segue::plugin::ui {

struct TextStyle {
    float size = theme::body;
    Colour colour = theme::text;
    Align align = Align::left;
};

// `text`, or as many of its first characters as fit with an ellipsis behind them.
[[nodiscard]] std::string shortened(Canvas& canvas, std::string_view text, float width, float size);

// The lines of `text` broken at spaces (and within a word that is wider than a line); the last of `most` is shortened.
[[nodiscard]] std::vector<std::string> wrapped(Canvas& canvas, std::string_view text, float width, float size,
                                               std::size_t most);

// One line in the middle of `box`'s height.
void draw_text(Canvas& canvas, std::string_view text, const Rect& box, const TextStyle& style = {});

// As many lines as the height of `box` holds, from its top.
void draw_wrapped(Canvas& canvas, std::string_view text, const Rect& box, const TextStyle& style = {});

}  // namespace segue::plugin::ui
