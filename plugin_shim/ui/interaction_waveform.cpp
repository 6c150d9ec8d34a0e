// What hands do on the waveform: marks, regions, zoom and scroll.
#include <algorithm>
#include <cmath>
#include <utility>

#include "ui/interaction.hpp"

namespace segue::plugin::ui {
namespace {

constexpr float edge_reach = 5.0F;  // pixels from an edge of the marks that take hold of it
constexpr double zoom_a_notch = 0.8;
constexpr double scroll_a_notch = 0.1;  // of what is in sight

bool differ(const ViewRange& a, const ViewRange& b) { return a.start != b.start || a.length != b.length; }

}  // namespace

double Interaction::frame_at(float x) const noexcept {
    const Rect& box = layout_.of(Widget::waveform);
    return state_.view.at(static_cast<double>(std::clamp((x - box.x) / box.w, 0.0F, 1.0F)));
}

void Interaction::set_view(const ViewRange& view) {
    if (differ(view, state_.view)) state_.fitted = false;
    state_.view = view;
    changed_ = true;
}

void Interaction::fit_view() {
    state_.view = fit(content_of(*snapshot_));
    state_.fitted = true;
    changed_ = true;
}

void Interaction::press_waveform(Point at, bool twice) {
    if (twice) {
        drag_ = Drag::none;
        state_.held = Widget::none;
        actions_.set_marks({});
        return;
    }
    drag_ = Drag::draw_marks;
    drag_anchor_ = other_edge(at.x).value_or(static_cast<std::int64_t>(std::llround(frame_at(at.x))));
}

std::optional<std::int64_t> Interaction::other_edge(float x) const {
    if (!snapshot_->marks) return std::nullopt;
    const Rect& box = layout_.of(Widget::waveform);
    const auto distance = [&](std::int64_t frame) {
        const auto fraction = static_cast<float>(state_.view.fraction_of(static_cast<double>(frame)));
        return std::abs(box.x + box.w * fraction - x);
    };
    if (distance(snapshot_->marks->start) <= edge_reach) return snapshot_->marks->stop;
    if (distance(snapshot_->marks->stop) <= edge_reach) return snapshot_->marks->start;
    return std::nullopt;
}

void Interaction::drag_marks(Point at) {
    const auto frame = static_cast<std::int64_t>(std::llround(frame_at(at.x)));
    state_.draft = Span{std::max<std::int64_t>(0, std::min(frame, drag_anchor_)), std::max(frame, drag_anchor_)};
    changed_ = true;
}

void Interaction::finish_marks() {
    const std::optional<Span> marks = std::exchange(state_.draft, std::nullopt);
    if (marks && !marks->empty()) actions_.set_marks(*marks);
}

void Interaction::select_region(float x) {
    const auto frame = static_cast<std::int64_t>(frame_at(x));
    state_.selected.reset();
    for (const RegionView& region : snapshot_->regions) {
        if (region.span.contains(frame)) state_.selected = region.id;  // the later lies over the earlier
    }
}

void Interaction::drag_view(Point at) {
    const double per_pixel = drag_view_.length / static_cast<double>(layout_.of(Widget::waveform).w);
    const double frames = static_cast<double>(drag_start_.x - at.x) * per_pixel;
    set_view(scrolled(drag_view_, frames, content_of(*snapshot_)));
}

void Interaction::drag_thumb(Point at) {
    const Span content = content_of(*snapshot_);
    const Rect& track = layout_.of(Widget::scrollbar);
    const double middle = fit(content).at(static_cast<double>((at.x - track.x) / track.w));
    set_view(scrolled(state_.view, middle - state_.view.at(0.5), content));
}

void Interaction::scroll_view(double notches) {
    set_view(scrolled(state_.view, notches * scroll_a_notch * state_.view.length, content_of(*snapshot_)));
}

void Interaction::zoom_view(double notches, double fraction) {
    const double factor = std::pow(zoom_a_notch, notches);
    set_view(zoomed(state_.view, factor, fraction, content_of(*snapshot_), snapshot_->rate));
}

bool Interaction::key_on_waveform(Key key, char character) {
    constexpr double page = 1.0 / scroll_a_notch;
    switch (key) {
        case Key::left: scroll_view(-1.0); break;
        case Key::right: scroll_view(1.0); break;
        case Key::page_up: scroll_view(-page); break;
        case Key::page_down: scroll_view(page); break;
        case Key::up: zoom_view(1.0, 0.5); break;
        case Key::down: zoom_view(-1.0, 0.5); break;
        case Key::home: fit_view(); break;
        case Key::erase: actions_.set_marks({}); break;
        case Key::character:
            if (character != '[' && character != ']') return false;
            mark_edge_at_playhead(character == '[');
            break;
        default: return false;
    }
    return true;
}

void Interaction::mark_edge_at_playhead(bool start) {
    const std::int64_t here = snapshot_->playhead;
    const Span old = snapshot_->marks.value_or(Span{here, here});
    // the first of the two edges makes marks of a second, for the other edge to move
    const auto second = static_cast<std::int64_t>(snapshot_->rate);
    const Span next = start ? Span{here, old.stop > here ? old.stop : here + second}
                            : Span{old.start < here ? old.start : std::max<std::int64_t>(0, here - second), here};
    if (!next.empty()) actions_.set_marks(next);
}

}  // namespace segue::plugin::ui
