// All that one picture of the UI is made from. Knows neither framework nor engine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/parameters.hpp"
#include "core/snapshot.hpp"
#include "ui/layout.hpp"
#include "ui/view_range.hpp"

namespace segue::plugin::ui {

// An open list of choices.
struct Menu {
    Widget owner = Widget::none;
    std::size_t first = 0;  // the topmost row in sight
    std::size_t highlighted = 0;
};

// What the UI knows by itself.
struct UiState {
    bool engine = true;  // false: the host gives no access to the plug-in; parameters work, the rest does not
    ViewRange view;
    bool fitted = true;  // the view shows all and grows with it, until someone zooms or scrolls
    Widget focus = Widget::none;
    bool focus_visible = false;  // the keyboard was used last
    Widget hover = Widget::none;
    Widget held = Widget::none;  // under the pressed mouse button
    bool tip = false;            // the pointer has rested on `hover`
    std::optional<Menu> menu;
    std::optional<Span> draft;              // marks while they are being drawn
    std::optional<std::uint64_t> selected;  // the region whose takes are shown
    std::string entry;                      // digits being typed into the knob in focus
    std::string notice;                     // what the window itself could not do; until the next click
};

struct Scene {
    const Snapshot& snapshot;
    const Peaks& peaks;  // of state.view.span(), one part a device pixel of the waveform's width
    const Values& values;
    const UiState& state;

    [[nodiscard]] float value(Parameter parameter) const noexcept { return values[plugin::index(parameter)]; }
};

// The parameter that a knob, choice or switch sets.
[[nodiscard]] std::optional<Parameter> parameter_of(Widget widget) noexcept;

[[nodiscard]] bool is_knob(Widget widget) noexcept;
[[nodiscard]] bool is_choice(Widget widget) noexcept;

// 0 to 3 for the rows of takes.
[[nodiscard]] std::optional<std::size_t> take_of(Widget widget) noexcept;

// The region whose takes are listed: the selected one, else the latest that is heard, else the latest.
[[nodiscard]] const RegionView* shown_region(const Scene& scene) noexcept;

// Between a render's asking and its end.
[[nodiscard]] bool busy(const JobView& job) noexcept;

// Whether the picture has this widget, and whether it can be used now.
[[nodiscard]] bool visible(Widget widget, const Scene& scene) noexcept;
[[nodiscard]] bool enabled(Widget widget, const Scene& scene) noexcept;

// The next widget that Tab reaches; backwards with Shift. None where none can be used.
[[nodiscard]] Widget next_focus(Widget from, bool backwards, const Scene& scene) noexcept;

// The rows of an open list, at most `menu_rows` of them in sight.
inline constexpr std::size_t menu_rows = 9;
inline constexpr float menu_row_height = 28.0F;

struct MenuPlace {
    Rect frame;
    std::size_t rows = 0;  // in sight
    [[nodiscard]] Rect row(std::size_t nth) const noexcept;
};

// Below its owner, or above where there is no room.
[[nodiscard]] MenuPlace menu_place(const Layout& layout, Widget owner, std::size_t choices) noexcept;

}  // namespace segue::plugin::ui
