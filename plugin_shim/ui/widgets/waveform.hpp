// What was heard, with gap, rendered regions, marks and playhead; above it a ruler, below it a scroll bar.
#pragma once

#include "ui/canvas.hpp"
#include "ui/scene.hpp"

namespace segue::plugin::ui {

void draw_waveform(Canvas& canvas, const Layout& layout, const Scene& scene);
void draw_ruler(Canvas& canvas, const Layout& layout, const Scene& scene);
void draw_scrollbar(Canvas& canvas, const Rect& box, const Scene& scene);

}  // namespace segue::plugin::ui
