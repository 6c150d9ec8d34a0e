// Lists of choices, and the keyboard.
#include <algorithm>
#include <cmath>
#include <utility>

#include "ui/control.hpp"
#include "ui/interaction.hpp"
#include "ui/words.hpp"

namespace segue::plugin::ui {

std::size_t Interaction::choice_count(Widget widget) const { return words::choices(widget, scene(Peaks{})).size(); }

float Interaction::greatest(Widget widget) const {
    if (is_choice(widget)) return static_cast<float>(choice_count(widget) - 1);
    return info(*parameter_of(widget)).maximum;
}

void Interaction::open_menu(Widget owner) {
    const auto chosen = static_cast<std::size_t>(std::lround(values_[plugin::index(*parameter_of(owner))]));
    state_.menu = Menu{owner, 0, chosen};
    move_in_menu(0);
    state_.held = Widget::none;
    drag_ = Drag::none;
}

void Interaction::move_in_menu(std::ptrdiff_t rows) {
    Menu& menu = *state_.menu;
    const auto count = static_cast<std::ptrdiff_t>(choice_count(menu.owner));
    const auto at = std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(menu.highlighted) + rows, 0, count - 1);
    menu.highlighted = static_cast<std::size_t>(at);
    if (menu.highlighted < menu.first) menu.first = menu.highlighted;
    if (menu.highlighted >= menu.first + menu_rows) menu.first = menu.highlighted + 1 - menu_rows;
    changed_ = true;
}

std::optional<std::size_t> Interaction::menu_row_at(Point at) const {
    const MenuPlace place = menu_place(layout_, state_.menu->owner, choice_count(state_.menu->owner));
    for (std::size_t row = 0; row < place.rows; ++row) {
        if (place.row(row).contains(at)) return state_.menu->first + row;
    }
    return std::nullopt;
}

void Interaction::press_menu(Point at) {
    const MenuPlace place = menu_place(layout_, state_.menu->owner, choice_count(state_.menu->owner));
    if (const auto row = menu_row_at(at)) {
        pick(*row);
    } else if (!place.frame.contains(at)) {
        state_.menu.reset();
    }
}

void Interaction::scroll_menu(float notches) {
    const std::size_t count = choice_count(state_.menu->owner);
    const auto last = static_cast<float>(count - std::min(count, menu_rows));
    const float first = std::round(static_cast<float>(state_.menu->first) - notches);
    state_.menu->first = static_cast<std::size_t>(std::clamp(first, 0.0F, last));
    changed_ = true;
}

void Interaction::pick(std::size_t choice) {
    const Parameter parameter = *parameter_of(state_.menu->owner);
    state_.menu.reset();
    change(parameter, static_cast<float>(choice));
}

void Interaction::abandon_drag() {
    if (drag_ == Drag::knob) {
        const Parameter parameter = *parameter_of(state_.held);
        set_value(parameter, drag_value_);
        actions_.set(parameter, drag_value_);
        actions_.end_edit(parameter);
    }
    if (drag_ == Drag::pan) set_view(drag_view_);
    state_.draft.reset();
    state_.held = Widget::none;
    drag_ = Drag::none;
    changed_ = true;
}

bool Interaction::key(Key key, Modifiers modifiers, char character, double now) {
    changed_ = true;
    state_.tip = false;
    hover_since_ = now;
    if (key == Key::escape) return escape();
    if (drag_ != Drag::none) return false;  // a hand is on something else
    if (state_.menu) return key_in_menu(key);
    if (key == Key::tab) {
        state_.entry.clear();
        state_.focus = next_focus(state_.focus, modifiers.shift, scene(Peaks{}));
        state_.focus_visible = state_.focus != Widget::none;
        return state_.focus_visible;
    }
    if (key == Key::character && modifiers.control && (character == 'z' || character == 'y')) {
        const Widget what = character == 'y' || modifiers.shift ? Widget::redo : Widget::undo;
        if (can_use(what)) activate(what, now);
        return state_.engine;
    }
    if (!can_use(state_.focus)) return false;
    const bool presses = key == Key::enter || key == Key::space;
    if (presses && state_.entry.empty()) return press_by_key(now);
    if (state_.focus == Widget::waveform) return key_on_waveform(key, character);
    return parameter_of(state_.focus) ? key_on_value(key, modifiers, character) : false;
}

bool Interaction::press_by_key(double now) {
    // after a click the space bar belongs to the host's transport again
    if (!state_.focus_visible) return false;
    if (is_choice(state_.focus)) {
        open_menu(state_.focus);
    } else {
        activate(state_.focus, now);
    }
    return true;
}

bool Interaction::escape() {
    if (drag_ != Drag::none) {
        abandon_drag();
    } else if (state_.menu) {
        state_.menu.reset();
    } else if (!state_.entry.empty()) {
        state_.entry.clear();
    } else if (state_.engine && busy(snapshot_->job)) {
        actions_.cancel();
    } else {
        return false;
    }
    return true;
}

bool Interaction::key_in_menu(Key key) {
    switch (key) {
        case Key::up: move_in_menu(-1); break;
        case Key::down: move_in_menu(1); break;
        case Key::page_up: move_in_menu(-static_cast<std::ptrdiff_t>(menu_rows)); break;
        case Key::page_down: move_in_menu(static_cast<std::ptrdiff_t>(menu_rows)); break;
        case Key::home: move_in_menu(-static_cast<std::ptrdiff_t>(max_presets) - 1); break;
        case Key::end: move_in_menu(static_cast<std::ptrdiff_t>(max_presets) + 1); break;
        case Key::enter:
        case Key::space: pick(state_.menu->highlighted); break;
        default: break;
    }
    return true;
}

// A digit of a value that is being typed.
bool Interaction::type(char character) {
    if (!is_knob(state_.focus) || ((character < '0' || character > '9') && character != '.')) return false;
    if (state_.entry.size() < 6) state_.entry += character;
    return true;
}

bool Interaction::key_on_value(Key key, Modifiers modifiers, char character) {
    const Parameter parameter = *parameter_of(state_.focus);
    const float value = values_[plugin::index(parameter)];
    const bool list = is_choice(state_.focus);
    const float most = greatest(state_.focus);
    std::optional<float> next;
    const auto step = [&](float steps) { next = std::min(most, stepped(parameter, value, steps, modifiers.shift)); };
    switch (key) {
        case Key::up: step(list ? -1.0F : 1.0F); break;
        case Key::down: step(list ? 1.0F : -1.0F); break;
        case Key::left: step(-1.0F); break;
        case Key::right: step(1.0F); break;
        case Key::page_up: step(list ? -1.0F : 10.0F); break;
        case Key::page_down: step(list ? 1.0F : -10.0F); break;
        case Key::home: next = info(parameter).minimum; break;
        case Key::end: next = most; break;
        case Key::enter: next = typed(parameter, std::exchange(state_.entry, {})); break;
        case Key::erase:
            if (state_.entry.empty()) next = info(parameter).initial;
            if (!state_.entry.empty()) state_.entry.pop_back();
            break;
        case Key::character: return !modifiers.control && type(character);
        default: return false;
    }
    if (next && *next != value) change(parameter, *next);
    return true;
}

}  // namespace segue::plugin::ui
