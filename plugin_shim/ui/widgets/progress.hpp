// A progress bar.
#pragma once

#include "core/snapshot.hpp"
#include "ui/canvas.hpp"

namespace segue::plugin::ui {

// Full and striped-still while a job waits for something other than work: nobody knows how long that takes.
void draw_progress(Canvas& canvas, const Rect& box, const JobView& job);

}  // namespace segue::plugin::ui
