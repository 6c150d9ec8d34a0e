// Where everything is, for one size of the window; logical pixels.
#pragma once

#include <array>
#include <cstddef>

#include "ui/geometry.hpp"

namespace segue::plugin::ui {

inline constexpr float default_width = 960.0F;
inline constexpr float default_height = 640.0F;
inline constexpr float minimum_width = 800.0F;
inline constexpr float minimum_height = 560.0F;

// All that can be pointed at, in the order in which Tab goes through them.
enum class Widget {
    task,
    preset,
    undo,
    redo,
    compare,
    ruler,
    waveform,
    scrollbar,
    clear_marks,
    forget,
    fit,
    freedom,
    guidance,
    style,
    mix,
    render,
    remove,
    take_1,
    take_2,
    take_3,
    take_4,
    clear_song,
    browse,
    position,
    reveal,
    reconnect,
    count,
    none = count
};

inline constexpr std::size_t widget_count = static_cast<std::size_t>(Widget::count);

[[nodiscard]] constexpr std::size_t index(Widget widget) noexcept { return static_cast<std::size_t>(widget); }

// Frames that hold widgets, and rectangles for words.
struct Layout {
    Rect window;
    Rect header;
    Rect title;
    Rect task_caption;
    Rect preset_caption;
    Rect notice;       // empty: none is shown
    Rect information;  // three lines: gap and capture
    Rect shape_panel;
    Rect render_panel;
    Rect render_caption;
    Rect progress;
    Rect job_text;
    Rect takes_panel;
    Rect takes_caption;
    Rect takes_text;  // where the takes would be, while there are none
    Rect song_caption;
    Rect song_text;
    Rect position_caption;
    Rect status;
    Rect status_dot;
    Rect status_text;
    Rect status_remedy;
    std::array<Rect, widget_count> widgets;

    [[nodiscard]] const Rect& of(Widget widget) const noexcept { return widgets[index(widget)]; }
    [[nodiscard]] Rect& of(Widget widget) noexcept { return widgets[index(widget)]; }
    // What lies under a point; none where there is nothing to touch.
    [[nodiscard]] Widget hit(Point point) const noexcept;
};

// For a window of at least the minimum size; `notice`: with a banner of two lines above the waveform.
[[nodiscard]] Layout make_layout(float width, float height, bool notice);

}  // namespace segue::plugin::ui
