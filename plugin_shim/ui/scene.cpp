#include "ui/scene.hpp"

#include <algorithm>

#include "ui/theme.hpp"
#include "ui/words.hpp"

namespace segue::plugin::ui {

std::optional<Parameter> parameter_of(Widget widget) noexcept {
    switch (widget) {
        case Widget::task: return Parameter::task;
        case Widget::preset: return Parameter::preset;
        case Widget::compare: return Parameter::compare;
        case Widget::freedom: return Parameter::freedom;
        case Widget::guidance: return Parameter::guidance;
        case Widget::style: return Parameter::style;
        case Widget::mix: return Parameter::mix;
        case Widget::position: return Parameter::position;
        default: return std::nullopt;
    }
}

bool is_knob(Widget widget) noexcept { return widget >= Widget::freedom && widget <= Widget::mix; }

bool is_choice(Widget widget) noexcept {
    return widget == Widget::task || widget == Widget::preset || widget == Widget::position;
}

std::optional<std::size_t> take_of(Widget widget) noexcept {
    if (widget < Widget::take_1 || widget > Widget::take_4) return std::nullopt;
    return index(widget) - index(Widget::take_1);
}

const RegionView* shown_region(const Scene& scene) noexcept {
    const auto& regions = scene.snapshot.regions;
    for (const RegionView& region : regions) {
        if (scene.state.selected == region.id) return &region;
    }
    const auto heard = std::find_if(regions.rbegin(), regions.rend(), [](const RegionView& r) { return !r.undone; });
    if (heard != regions.rend()) return &*heard;
    return regions.empty() ? nullptr : &regions.back();
}

bool busy(const JobView& job) noexcept {
    switch (job.state) {
        case JobState::armed:
        case JobState::waiting:
        case JobState::sending:
        case JobState::queued:
        case JobState::running:
        case JobState::receiving: return true;
        default: return false;
    }
}

bool visible(Widget widget, const Scene& scene) noexcept {
    const Snapshot& snapshot = scene.snapshot;
    if (const auto take = take_of(widget)) {
        const RegionView* region = shown_region(scene);
        return region != nullptr && *take < region->takes.size();
    }
    switch (widget) {
        case Widget::none: return false;
        case Widget::remove: return shown_region(scene) != nullptr;
        case Widget::clear_song: return !snapshot.song_file.empty();
        case Widget::clear_marks: return snapshot.marks.has_value();
        case Widget::reconnect: return scene.state.engine && snapshot.link.state != LinkState::online;
        default: return true;
    }
}

bool enabled(Widget widget, const Scene& scene) noexcept {
    if (!visible(widget, scene)) return false;
    if (parameter_of(widget)) return true;
    const Snapshot& snapshot = scene.snapshot;
    if (widget == Widget::render) return busy(snapshot.job) || words::refusal(scene).empty();
    if (!scene.state.engine) return false;
    switch (widget) {
        case Widget::undo: return snapshot.can_undo;
        case Widget::redo: return snapshot.can_redo;
        case Widget::remove: return !shown_region(scene)->undone;
        case Widget::forget:
        case Widget::fit: return !snapshot.capture.heard.empty();
        case Widget::reveal: return !snapshot.folder.empty() && !snapshot.regions.empty();
        default: return true;
    }
}

Widget next_focus(Widget from, bool backwards, const Scene& scene) noexcept {
    const auto count = widget_count;
    std::size_t at = from == Widget::none ? (backwards ? 0 : count - 1) : index(from);
    for (std::size_t tried = 0; tried < count; ++tried) {
        at = (at + (backwards ? count - 1 : 1)) % count;
        const auto widget = static_cast<Widget>(at);
        // the waveform's own keys do what ruler and scrollbar do
        if (widget == Widget::ruler || widget == Widget::scrollbar) continue;
        if (enabled(widget, scene)) return widget;
    }
    return Widget::none;
}

Rect MenuPlace::row(std::size_t nth) const noexcept {
    const Rect inner = frame.inset(4.0F);
    return {inner.x, inner.y + menu_row_height * static_cast<float>(nth), inner.w, menu_row_height};
}

MenuPlace menu_place(const Layout& layout, Widget owner, std::size_t choices) noexcept {
    MenuPlace place;
    place.rows = std::min(choices, menu_rows);
    const Rect& box = layout.of(owner);
    const float height = menu_row_height * static_cast<float>(place.rows) + 8.0F;
    const bool below = box.bottom() + 4.0F + height <= layout.window.bottom();
    place.frame = {box.x, below ? box.bottom() + 4.0F : box.y - 4.0F - height, std::max(box.w, 150.0F), height};
    place.frame.x = std::min(place.frame.x, layout.window.right() - place.frame.w - theme::gutter);
    return place;
}

}  // namespace segue::plugin::ui
