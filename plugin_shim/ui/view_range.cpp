#include "ui/view_range.hpp"

#include <algorithm>
#include <cmath>

namespace segue::plugin::ui {
namespace {

constexpr double room = 0.02;  // of the content, on either side of it
constexpr double nearest_seconds = 0.005;
constexpr double empty_seconds = 10.0;  // shown while there is no content
constexpr double fallback_rate = 48000.0;

ViewRange within(ViewRange view, const Span& content) noexcept {
    const ViewRange all = fit(content);
    view.length = std::min(view.length, all.length);
    view.start = std::clamp(view.start, all.start, all.start + all.length - view.length);
    return view;
}

}  // namespace

Span ViewRange::span() const noexcept {
    const auto first = static_cast<std::int64_t>(std::floor(start));
    return {first, std::max(first + 1, static_cast<std::int64_t>(std::ceil(start + length)))};
}

Span content_of(const Snapshot& snapshot) noexcept {
    Span all;
    bool any = false;
    const auto take = [&](const Span& span) {
        if (span.empty()) return;
        all = any ? Span{std::min(all.start, span.start), std::max(all.stop, span.stop)} : span;
        any = true;
    };
    for (const Span& span : snapshot.capture.heard) take(span);
    for (const RegionView& region : snapshot.regions) take(region.span);
    if (snapshot.gap.source != GapSource::none) take(snapshot.gap.span);
    if (snapshot.marks) take(*snapshot.marks);
    const double rate = snapshot.rate > 0.0 ? snapshot.rate : fallback_rate;
    if (!any) all = {snapshot.playhead, snapshot.playhead + static_cast<std::int64_t>(empty_seconds * rate)};
    if (snapshot.playing) take({snapshot.playhead, snapshot.playhead + 1});
    return all;
}

ViewRange fit(const Span& content) noexcept {
    const auto length = static_cast<double>(std::max<std::int64_t>(1, content.size()));
    return {static_cast<double>(content.start) - room * length, length * (1.0 + 2.0 * room)};
}

ViewRange zoomed(const ViewRange& view, double factor, double fraction, const Span& content, double rate) noexcept {
    const double most = fit(content).length;
    const double least = std::min(most, nearest_seconds * (rate > 0.0 ? rate : fallback_rate));
    const double fixed = view.at(fraction);
    ViewRange next;
    next.length = std::clamp(view.length * factor, least, most);
    next.start = fixed - fraction * next.length;
    return within(next, content);
}

ViewRange scrolled(const ViewRange& view, double frames, const Span& content) noexcept {
    return within({view.start + frames, view.length}, content);
}

ViewRange following(const ViewRange& view, double before, double now, const Span& content) noexcept {
    const bool ran_off = view.shows(before) && now >= view.start + view.length;
    return ran_off ? within({now, view.length}, content) : view;
}

}  // namespace segue::plugin::ui
