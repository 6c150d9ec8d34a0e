// Mouse, wheel and keyboard: what they change in the UI and what they ask for. Knows neither framework nor pixels.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/parameters.hpp"
#include "core/snapshot.hpp"
#include "ui/actions.hpp"
#include "ui/layout.hpp"
#include "ui/scene.hpp"

namespace segue::plugin::ui {

enum class MouseButton { left, other };
enum class Key { tab, enter, space, escape, left, right, up, down, page_up, page_down, home, end, erase, character };

struct Modifiers {
    bool shift = false;
    bool control = false;
};

class Interaction {
public:
    // `actions` outlives this. Times are seconds on any steady clock.
    explicit Interaction(Actions& actions);

    // What there is to see.
    void set_size(float width, float height);
    void set_engine(bool present);
    void set_snapshot(std::shared_ptr<const Snapshot> snapshot);
    void set_value(Parameter parameter, float value);  // as the host says
    void set_notice(std::string notice);               // shown until the next click

    [[nodiscard]] const UiState& state() const noexcept { return state_; }
    [[nodiscard]] const Values& values() const noexcept { return values_; }
    [[nodiscard]] const Snapshot& snapshot() const noexcept { return *snapshot_; }
    [[nodiscard]] const Layout& layout() const noexcept { return layout_; }
    [[nodiscard]] Scene scene(const Peaks& peaks) const noexcept { return {*snapshot_, peaks, values_, state_}; }

    // Each returns whether the event was used; what was not may go to the host.
    bool press(Point at, MouseButton button, Modifiers modifiers, double now);
    bool release(Point at, MouseButton button);
    bool motion(Point at, Modifiers modifiers, double now);
    bool scroll(Point at, float x, float y, Modifiers modifiers);
    bool key(Key key, Modifiers modifiers, char character, double now);

    // To be called often; whether something changed by itself.
    bool tick(double now);

    // Whether anything changed since this was asked last.
    [[nodiscard]] bool take_changed() noexcept;

private:
    enum class Drag { none, button, knob, draw_marks, pan, thumb };

    [[nodiscard]] bool can_use(Widget widget) const;
    [[nodiscard]] double frame_at(float x) const noexcept;
    [[nodiscard]] std::optional<std::int64_t> other_edge(float x) const;
    [[nodiscard]] std::size_t choice_count(Widget widget) const;
    [[nodiscard]] float greatest(Widget widget) const;  // value, of a knob or a list
    [[nodiscard]] std::optional<std::size_t> menu_row_at(Point at) const;

    void relayout();
    void change(Parameter parameter, float value);  // a whole edit
    void activate(Widget widget, double now);
    void press_widget(Widget widget, Point at, bool twice);
    void press_waveform(Point at, bool twice);
    void press_menu(Point at);
    void open_menu(Widget owner);
    void move_in_menu(std::ptrdiff_t rows);
    void scroll_menu(float notches);
    void scroll_value(Widget widget, float notches, bool fine);
    void pick(std::size_t choice);
    void drag_marks(Point at);
    void drag_view(Point at);
    void drag_thumb(Point at);
    void scroll_view(double notches);
    void zoom_view(double notches, double fraction);
    void finish_marks();
    void select_region(float x);
    void set_view(const ViewRange& view);
    void fit_view();
    void abandon_drag();

    bool press_by_key(double now);
    bool key_in_menu(Key key);
    bool type(char character);
    bool key_on_value(Key key, Modifiers modifiers, char character);
    bool key_on_waveform(Key key, char character);
    bool escape();
    void mark_edge_at_playhead(bool start);

    Actions& actions_;
    std::shared_ptr<const Snapshot> snapshot_;
    Values values_;
    UiState state_;
    Layout layout_;
    float width_ = default_width;
    float height_ = default_height;
    bool changed_ = true;

    Drag drag_ = Drag::none;
    MouseButton drag_button_ = MouseButton::left;
    Point drag_start_;
    bool drag_moved_ = false;
    float drag_value_ = 0.0F;       // of the knob, when the drag began
    std::int64_t drag_anchor_ = 0;  // the edge of the marks that stays
    ViewRange drag_view_;

    Widget last_pressed_ = Widget::none;  // for double-clicks
    double last_press_time_ = -1e9;
    double hover_since_ = 0.0;
    std::optional<double> render_released_at_;  // when the Render parameter goes back, where there is no engine
};

}  // namespace segue::plugin::ui
