#include "ui/widgets/waveform.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "ui/format.hpp"
#include "ui/text.hpp"
#include "ui/words.hpp"

namespace segue::plugin::ui {
namespace {

constexpr Colour heard_ground = rgb(0x1C2229);
constexpr Colour centre_line = rgb(0x2C343D);
constexpr float label_height = 20.0F;
constexpr float wave_height = 0.86F;  // of the box, at full scale

// The part of `span` that is in sight, over the whole height of `box`; empty where there is none.
Rect band(const Rect& box, const ViewRange& view, const Span& span) {
    const auto left = static_cast<float>(std::clamp(view.fraction_of(static_cast<double>(span.start)), 0.0, 1.0));
    const auto right = static_cast<float>(std::clamp(view.fraction_of(static_cast<double>(span.stop)), 0.0, 1.0));
    return {box.x + box.w * left, box.y, box.w * (right - left), box.h};
}

// An edge of a span, if it is in sight.
void draw_edge(Canvas& canvas, const Rect& box, const ViewRange& view, std::int64_t frame, const Colour& colour) {
    const double fraction = view.fraction_of(static_cast<double>(frame));
    if (fraction < 0.0 || fraction > 1.0) return;
    const float x = box.x + box.w * static_cast<float>(fraction);
    canvas.line({x, box.y}, {x, box.bottom()}, colour, 1.0F);
}

void draw_label(Canvas& canvas, const Rect& box, std::string_view words, const Colour& colour) {
    const float width = canvas.text_width(words, theme::small) + 12.0F;
    if (width > box.w) return;
    const Rect chip{box.x, box.y, width, label_height};
    canvas.fill(chip, theme::well.with_alpha(0.85F), 3.0F);
    draw_text(canvas, words, {chip.x + 6.0F, chip.y, chip.w - 11.0F, chip.h}, {theme::small, colour});
}

// The envelope of parts [first, last), which were all heard.
void draw_run(Canvas& canvas, const Rect& box, const Peaks& peaks, std::size_t first, std::size_t last,
              const Colour& colour) {
    const float step = box.w / static_cast<float>(peaks.low.size());
    const float middle = box.centre().y;
    const float half = box.h * wave_height / 2.0F;
    const float thinnest = 0.5F / canvas.scale();
    const auto y_of = [&](float value) { return middle - half * std::clamp(value, -1.0F, 1.0F); };
    std::vector<Point> outline;
    outline.reserve(2 * (last - first) + 4);
    const auto x_of = [&](std::size_t part) { return box.x + step * static_cast<float>(part); };
    outline.push_back({x_of(first), y_of(peaks.high[first]) - thinnest});
    for (std::size_t i = first; i < last; ++i)
        outline.push_back({x_of(i) + step / 2.0F, y_of(peaks.high[i]) - thinnest});
    outline.push_back({x_of(last), y_of(peaks.high[last - 1]) - thinnest});
    outline.push_back({x_of(last), y_of(peaks.low[last - 1]) + thinnest});
    for (std::size_t i = last; i-- > first;) outline.push_back({x_of(i) + step / 2.0F, y_of(peaks.low[i]) + thinnest});
    outline.push_back({x_of(first), y_of(peaks.low[first]) + thinnest});
    canvas.polygon(outline, colour);
}

void draw_envelope(Canvas& canvas, const Rect& box, const Peaks& peaks) {
    const std::size_t parts = std::min({peaks.low.size(), peaks.high.size(), peaks.rendered.size()});
    const auto heard = [&](std::size_t i) { return peaks.low[i] <= peaks.high[i]; };
    for (std::size_t first = 0; first < parts;) {
        std::size_t last = first + 1;
        while (last < parts && heard(last) == heard(first) && peaks.rendered[last] == peaks.rendered[first]) ++last;
        if (heard(first))
            draw_run(canvas, box, peaks, first, last, peaks.rendered[first] ? theme::rendered : theme::wave);
        first = last;
    }
}

void draw_region(Canvas& canvas, const Rect& box, const Scene& scene, const RegionView& region) {
    const Rect place = band(box, scene.state.view, region.span);
    if (place.empty()) return;
    const bool chosen = shown_region(scene) == &region;
    const Colour& colour = region.undone ? theme::faint : theme::rendered;
    canvas.fill(place, colour.with_alpha(region.undone ? 0.06F : chosen ? 0.20F : 0.12F));
    if (chosen) canvas.fill({place.x, place.bottom() - 3.0F, place.w, 3.0F}, colour);
    draw_edge(canvas, box, scene.state.view, region.span.start, colour.with_alpha(0.8F));
    draw_edge(canvas, box, scene.state.view, region.span.stop, colour.with_alpha(0.8F));
}

void draw_region_label(Canvas& canvas, const Rect& box, const Scene& scene, const RegionView& region) {
    const Rect place = band(box, scene.state.view, region.span);
    const Rect foot{place.x + 4.0F, place.bottom() - label_height - 6.0F, place.w - 8.0F, label_height};
    const std::string name = words::task_name(region.task) + (region.undone ? " (undone)" : "");
    draw_label(canvas, foot, name, region.undone ? theme::quiet : theme::rendered);
}

void draw_gap(Canvas& canvas, const Rect& box, const ViewRange& view, const Span& span, float strength) {
    const Rect place = band(box, view, span);
    if (place.empty()) return;
    canvas.fill(place, theme::gap.with_alpha(strength));
    canvas.fill({place.x, place.y, place.w, 3.0F}, theme::gap);
    draw_edge(canvas, box, view, span.start, theme::gap);
    draw_edge(canvas, box, view, span.stop, theme::gap);
}

void draw_playhead(Canvas& canvas, const Rect& box, const Rect& ruler, const Scene& scene) {
    const double fraction = scene.state.view.fraction_of(static_cast<double>(scene.snapshot.playhead));
    if (fraction < 0.0 || fraction > 1.0) return;
    const float x = box.x + box.w * static_cast<float>(fraction);
    canvas.line({x, ruler.bottom() - 4.0F}, {x, box.bottom()}, theme::playhead.with_alpha(0.9F), 1.0F);
    canvas.polygon({{x - 5.0F, ruler.bottom() - 8.0F}, {x + 5.0F, ruler.bottom() - 8.0F}, {x, ruler.bottom() - 1.0F}},
                   theme::playhead);
}

void draw_ground(Canvas& canvas, const Rect& box, const Scene& scene) {
    canvas.fill(box, theme::well);
    for (const Span& span : scene.snapshot.capture.heard) canvas.fill(band(box, scene.state.view, span), heard_ground);
    if (scene.snapshot.capture.heard.empty()) return;
    const float middle = std::round(box.centre().y);
    canvas.line({box.x, middle}, {box.right(), middle}, centre_line, 1.0F);
}

// Where music was rendered already, its own colour says so.
float strength_of(const Span& span, const Snapshot& snapshot) {
    for (const RegionView& region : snapshot.regions) {
        if (!region.undone && !region.takes.empty() && region.span.overlaps(span)) return 0.0F;
    }
    return 0.16F;
}

// Marks lie behind the lane's gap when both are there: the lane goes first.
void draw_marks(Canvas& canvas, const Rect& box, const Scene& scene) {
    const GapView& gap = scene.snapshot.gap;
    if (scene.state.draft) {
        draw_gap(canvas, box, scene.state.view, *scene.state.draft, 0.16F);
        return;
    }
    const bool unused = scene.snapshot.marks && gap.source != GapSource::marks;
    if (unused) draw_gap(canvas, box, scene.state.view, *scene.snapshot.marks, 0.08F);
    if (gap.source != GapSource::none)
        draw_gap(canvas, box, scene.state.view, gap.span, strength_of(gap.span, scene.snapshot));
}

void draw_gap_label(Canvas& canvas, const Rect& box, const Scene& scene) {
    const GapView& gap = scene.snapshot.gap;
    if (!scene.state.draft && gap.source == GapSource::none) return;
    const Rect place = band(box, scene.state.view, scene.state.draft ? *scene.state.draft : gap.span);
    draw_label(canvas, {place.x + 4.0F, place.y + 8.0F, place.w - 8.0F, label_height}, "Gap", theme::gap);
}

void draw_invitation(Canvas& canvas, const Rect& box, const Scene& scene) {
    const bool engine = scene.state.engine;
    const std::string first = engine ? "Nothing heard yet" : "No picture of the music in this host";
    const std::string second = engine ? "Play the track across the gap and six seconds beyond it."
                                      : "Draw the Gap lane where new music is wanted, then press Render.";
    const Rect both = box.middle(48.0F);
    draw_text(canvas, first, Rect{both}.cut_top(26.0F), {16.0F, theme::text, Align::centre});
    draw_text(canvas, second, Rect{both}.cut_bottom(22.0F), {theme::body, theme::quiet, Align::centre});
}

}  // namespace

void draw_waveform(Canvas& canvas, const Layout& layout, const Scene& scene) {
    const Rect& box = layout.of(Widget::waveform);
    canvas.push_clip(box);
    draw_ground(canvas, box, scene);
    const bool empty = scene.snapshot.capture.heard.empty() && scene.snapshot.regions.empty();
    for (const RegionView& region : scene.snapshot.regions) draw_region(canvas, box, scene, region);
    draw_marks(canvas, box, scene);
    draw_envelope(canvas, box, scene.peaks);
    for (const RegionView& region : scene.snapshot.regions) draw_region_label(canvas, box, scene, region);
    draw_gap_label(canvas, box, scene);
    if (empty) draw_invitation(canvas, box, scene);
    canvas.pop_clip();
    if (!empty) draw_playhead(canvas, box, layout.of(Widget::ruler), scene);
}

void draw_ruler(Canvas& canvas, const Layout& layout, const Scene& scene) {
    const Rect& box = layout.of(Widget::ruler);
    canvas.fill(box, theme::panel);
    const double rate = scene.snapshot.rate;
    if (!(rate > 0.0)) return;
    const ViewRange& view = scene.state.view;
    const double per_pixel = view.length / rate / static_cast<double>(box.w);
    const double step = ruler_step(90.0 * per_pixel);
    for (double tick = std::ceil(view.start / rate / step); tick * step * rate < view.start + view.length;
         tick += 1.0) {
        const float x = box.x + box.w * static_cast<float>(view.fraction_of(tick * step * rate));
        canvas.line({x, box.bottom() - 6.0F}, {x, box.bottom()}, theme::faint, 1.0F);
        const std::string words = tick_text(tick * step, step);
        const Rect place{x + 5.0F, box.y, std::min(84.0F, box.right() - x - 5.0F), box.h};
        if (canvas.text_width(words, theme::small) <= place.w)
            draw_text(canvas, words, place, {theme::small, theme::quiet});
    }
}

void draw_scrollbar(Canvas& canvas, const Rect& box, const Scene& scene) {
    const ViewRange all = fit(content_of(scene.snapshot));
    canvas.fill(box, theme::panel);
    const Rect track = box.inset(2.0F);
    for (const Span& span : scene.snapshot.capture.heard)
        canvas.fill(band(track, all, span).middle(3.0F), theme::outline);
    for (const RegionView& region : scene.snapshot.regions) {
        if (!region.undone) canvas.fill(band(track, all, region.span).middle(3.0F), theme::rendered);
    }
    Rect thumb = band(track, all, scene.state.view.span());
    thumb.w = std::max(thumb.w, 12.0F);
    thumb.x = std::min(thumb.x, track.right() - thumb.w);
    if (thumb.w > track.w * 0.999F) return;  // all is in sight
    canvas.outline(thumb, scene.state.hover == Widget::scrollbar ? theme::text : theme::quiet, 1.0F, 4.0F);
    canvas.fill(thumb, theme::quiet.with_alpha(0.18F), 4.0F);
}

}  // namespace segue::plugin::ui
