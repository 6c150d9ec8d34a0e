// The whole picture.
#pragma once

#include "ui/canvas.hpp"
#include "ui/scene.hpp"

namespace segue::plugin::ui {

// `layout` is made for the same size, with a notice where words::notice(scene) is not empty.
void draw_screen(Canvas& canvas, const Layout& layout, const Scene& scene);

}  // namespace segue::plugin::ui
