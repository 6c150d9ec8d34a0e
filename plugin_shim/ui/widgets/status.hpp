// The line at the bottom that says how the link to the renderer is, and the banner for what went wrong.
#pragma once

#include "ui/canvas.hpp"
#include "ui/scene.hpp"
#include "ui/words.hpp"

namespace segue::plugin::ui {

[[nodiscard]] Colour colour_of(words::Mood mood) noexcept;

void draw_status(Canvas& canvas, const Layout& layout, const Scene& scene);
void draw_notice(Canvas& canvas, const Rect& box, const std::string& text);

// A line or two beside `owner`, on top of all else.
void draw_tip(Canvas& canvas, const Rect& window, const Rect& owner, const std::string& text);

}  // namespace segue::plugin::ui
