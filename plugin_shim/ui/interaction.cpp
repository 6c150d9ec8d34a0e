// What there is to see, and the pointer.
#include "ui/interaction.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ui/control.hpp"
#include "ui/words.hpp"

namespace segue::plugin::ui {
namespace {

constexpr double double_click_seconds = 0.4;
constexpr double tip_seconds = 0.7;
constexpr double render_pulse_seconds = 0.25;  // longer than any host's block
constexpr float threshold = 4.0F;              // pixels, before a press becomes a drag

}  // namespace

Interaction::Interaction(Actions& actions)
    : actions_(actions), snapshot_(std::make_shared<Snapshot>()), values_(initial_values()) {
    fit_view();
    relayout();
}

void Interaction::set_size(float width, float height) {
    width_ = std::max(width, minimum_width);
    height_ = std::max(height, minimum_height);
    relayout();
}

void Interaction::set_engine(bool present) {
    state_.engine = present;
    relayout();
}

void Interaction::set_snapshot(std::shared_ptr<const Snapshot> snapshot) {
    if (snapshot == snapshot_ || snapshot == nullptr) return;
    const auto latest = [](const Snapshot& from) {
        std::uint64_t id = 0;
        for (const RegionView& region : from.regions) id = std::max(id, region.id);
        return id;
    };
    if (latest(*snapshot) > latest(*snapshot_)) state_.selected.reset();  // a new render shows itself
    const auto before = static_cast<double>(snapshot_->playhead);
    snapshot_ = std::move(snapshot);
    const auto now = static_cast<double>(snapshot_->playhead);
    if (state_.fitted) {
        fit_view();
    } else if (snapshot_->playing && drag_ == Drag::none) {
        state_.view = following(state_.view, before, now, content_of(*snapshot_));
    }
    if (!can_use(state_.hover)) state_.hover = Widget::none;
    relayout();
}

void Interaction::set_value(Parameter parameter, float value) {
    if (!is_valid(parameter, value) || values_[plugin::index(parameter)] == value) return;
    values_[plugin::index(parameter)] = value;
    changed_ = true;
}

void Interaction::set_notice(std::string notice) {
    state_.notice = std::move(notice);
    relayout();
}

bool Interaction::take_changed() noexcept { return std::exchange(changed_, false); }

bool Interaction::can_use(Widget widget) const { return enabled(widget, scene(Peaks{})); }

void Interaction::relayout() {
    layout_ = make_layout(width_, height_, !words::notice(scene(Peaks{})).empty());
    changed_ = true;
}

void Interaction::change(Parameter parameter, float value) {
    actions_.begin_edit(parameter);
    set_value(parameter, value);
    actions_.set(parameter, value);
    actions_.end_edit(parameter);
}

bool Interaction::press(Point at, MouseButton button, Modifiers, double now) {
    if (drag_ != Drag::none) return true;  // until the button that began it is released
    state_.tip = false;
    state_.entry.clear();
    state_.focus_visible = false;
    changed_ = true;
    if (state_.menu) {
        press_menu(at);
        return true;
    }
    const Widget hit = layout_.hit(at);
    const Widget widget = can_use(hit) ? hit : Widget::none;
    const bool twice = widget == last_pressed_ && now - last_press_time_ < double_click_seconds;
    last_pressed_ = twice ? Widget::none : widget;
    last_press_time_ = now;
    state_.focus = widget;
    drag_start_ = at;
    drag_moved_ = false;
    drag_view_ = state_.view;
    drag_button_ = button;
    const bool left = button == MouseButton::left;
    if (widget == Widget::none || (!left && widget != Widget::ruler && widget != Widget::waveform)) return false;
    state_.held = widget;
    if (widget == Widget::ruler || !left) {
        drag_ = Drag::pan;
    } else {
        press_widget(widget, at, twice);
    }
    return true;
}

void Interaction::press_widget(Widget widget, Point at, bool twice) {
    if (widget == Widget::waveform) {
        press_waveform(at, twice);
    } else if (widget == Widget::scrollbar) {
        drag_ = Drag::thumb;
        drag_thumb(at);
    } else if (is_choice(widget)) {
        open_menu(widget);
    } else if (!is_knob(widget)) {
        drag_ = Drag::button;
    } else if (const Parameter parameter = *parameter_of(widget); twice) {
        change(parameter, info(parameter).initial);
    } else {
        drag_ = Drag::knob;
        drag_value_ = values_[plugin::index(parameter)];
        actions_.begin_edit(parameter);
    }
}

bool Interaction::release(Point at, MouseButton button) {
    if (drag_ != Drag::none && button != drag_button_) return true;
    const Widget widget = std::exchange(state_.held, Widget::none);
    const Drag drag = std::exchange(drag_, Drag::none);
    state_.notice.clear();
    changed_ = true;
    switch (drag) {
        case Drag::none: break;
        case Drag::button:
            if (layout_.of(widget).contains(at) && can_use(widget)) activate(widget, last_press_time_);
            break;
        case Drag::knob: actions_.end_edit(*parameter_of(widget)); break;
        case Drag::draw_marks:
            if (drag_moved_) {
                finish_marks();
            } else {
                select_region(at.x);
            }
            break;
        case Drag::pan:
        case Drag::thumb: break;
    }
    relayout();  // only now: the click was meant for what was there before
    return drag != Drag::none;
}

bool Interaction::motion(Point at, Modifiers modifiers, double now) {
    drag_moved_ =
        drag_moved_ || std::abs(at.x - drag_start_.x) > threshold || std::abs(at.y - drag_start_.y) > threshold;
    switch (drag_) {
        case Drag::knob: {
            const Parameter parameter = *parameter_of(state_.held);
            const float value = dragged(parameter, drag_value_, drag_start_.y - at.y, modifiers.shift);
            if (value == values_[plugin::index(parameter)]) return true;
            set_value(parameter, value);
            actions_.set(parameter, value);
            return true;
        }
        case Drag::draw_marks:
            if (drag_moved_) drag_marks(at);
            return true;
        case Drag::pan: drag_view(at); return true;
        case Drag::thumb: drag_thumb(at); return true;
        case Drag::button:
        case Drag::none: break;
    }
    if (state_.menu) {
        if (const auto row = menu_row_at(at)) state_.menu->highlighted = *row;
        changed_ = true;
        return true;
    }
    const Widget hit = layout_.hit(at);
    if (hit != state_.hover) {
        state_.hover = hit;
        changed_ = true;
    }
    if (state_.tip) changed_ = true;
    state_.tip = false;
    hover_since_ = now;
    return hit != Widget::none;
}

bool Interaction::scroll(Point at, float x, float y, Modifiers modifiers) {
    if (state_.menu) {
        scroll_menu(y);
        return true;
    }
    const Widget widget = layout_.hit(at);
    if (!can_use(widget)) return false;
    if (is_knob(widget) || is_choice(widget)) {
        if (y != 0.0F && drag_ == Drag::none) scroll_value(widget, y, modifiers.shift);
        return true;
    }
    if (widget != Widget::waveform && widget != Widget::ruler && widget != Widget::scrollbar) return false;
    const bool sideways = x != 0.0F || modifiers.shift || widget == Widget::scrollbar;
    if (sideways) {
        scroll_view(static_cast<double>(x != 0.0F ? x : -y));
    } else {
        zoom_view(static_cast<double>(y), state_.view.fraction_of(frame_at(at.x)));
    }
    return true;
}

void Interaction::scroll_value(Widget widget, float notches, bool fine) {
    const Parameter parameter = *parameter_of(widget);
    // down a list is a higher number
    const float steps = is_choice(widget) ? -std::copysign(1.0F, notches) : 2.0F * notches;
    const float value = std::min(greatest(widget), stepped(parameter, values_[plugin::index(parameter)], steps, fine));
    if (value != values_[plugin::index(parameter)]) change(parameter, value);
}

void Interaction::activate(Widget widget, double now) {
    if (const auto take = take_of(widget)) {
        change(Parameter::candidate, static_cast<float>(*take + 1));
        // who picks a take wants to hear it
        if (values_[plugin::index(Parameter::compare)] >= 0.5F) change(Parameter::compare, 0.0F);
        return;
    }
    switch (widget) {
        case Widget::undo: actions_.undo(); break;
        case Widget::redo: actions_.redo(); break;
        case Widget::compare:
            change(Parameter::compare, values_[plugin::index(Parameter::compare)] >= 0.5F ? 0.0F : 1.0F);
            break;
        case Widget::clear_marks: actions_.set_marks({}); break;
        case Widget::forget: actions_.forget_capture(); break;
        case Widget::fit: fit_view(); break;
        case Widget::remove: actions_.remove(shown_region(scene(Peaks{}))->id); break;
        case Widget::browse: actions_.browse_song(); break;
        case Widget::clear_song: actions_.clear_song(); break;
        case Widget::reveal: actions_.reveal(); break;
        case Widget::reconnect: actions_.reconnect(); break;
        case Widget::render:
            if (busy(snapshot_->job)) {
                actions_.cancel();
            } else if (state_.engine) {
                actions_.render();
            } else {
                change(Parameter::render, 1.0F);
                render_released_at_ = now + render_pulse_seconds;
            }
            break;
        default: break;
    }
}

bool Interaction::tick(double now) {
    if (render_released_at_ && now >= *render_released_at_) {
        render_released_at_.reset();
        change(Parameter::render, 0.0F);
    }
    const bool rests =
        state_.hover != Widget::none && drag_ == Drag::none && !state_.menu && now - hover_since_ > tip_seconds;
    if (rests && !state_.tip && !words::tip(state_.hover, scene(Peaks{})).empty()) {
        state_.tip = true;
        changed_ = true;
    }
    return changed_;
}

}  // namespace segue::plugin::ui
