// The takes of one region, to audition.
#pragma once

#include "ui/canvas.hpp"
#include "ui/scene.hpp"

namespace segue::plugin::ui {

void draw_takes(Canvas& canvas, const Layout& layout, const Scene& scene);

}  // namespace segue::plugin::ui
