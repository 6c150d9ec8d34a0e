// A choice of a list: the field, and the list when it is open.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ui/canvas.hpp"
#include "ui/scene.hpp"
#include "ui/widgets/button.hpp"

namespace segue::plugin::ui {

void draw_choice(Canvas& canvas, const Rect& box, std::string_view chosen, const Touch& touch, bool open);

void draw_menu(Canvas& canvas, const Layout& layout, const Menu& menu, const std::vector<std::string>& choices,
               std::size_t chosen);

}  // namespace segue::plugin::ui
