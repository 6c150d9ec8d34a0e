// Which stretch of the song the waveform shows: zoom, scroll, and the way between samples and pixels.
#pragma once

#include "core/snapshot.hpp"
#include "core/transport.hpp"

namespace segue::plugin::ui {

struct ViewRange {
    double start = 0.0;   // samples of the song
    double length = 1.0;  // samples, above zero

    // `fraction` of the way through what is shown.
    [[nodiscard]] double at(double fraction) const noexcept { return start + fraction * length; }
    [[nodiscard]] double fraction_of(double frame) const noexcept { return (frame - start) / length; }
    [[nodiscard]] bool shows(double frame) const noexcept { return frame >= start && frame < start + length; }
    [[nodiscard]] Span span() const noexcept;
};

// All that there is to see: what was heard, regions, gap, marks and playhead; ten seconds where there is nothing.
[[nodiscard]] Span content_of(const Snapshot& snapshot) noexcept;

// The whole content with a little room on either side.
[[nodiscard]] ViewRange fit(const Span& content) noexcept;

// `factor` below 1 comes nearer; what lies at `fraction` stays where it is. From 5 ms up to the whole content.
[[nodiscard]] ViewRange zoomed(const ViewRange& view, double factor, double fraction, const Span& content,
                               double rate) noexcept;

// Moved by samples, no further than the content.
[[nodiscard]] ViewRange scrolled(const ViewRange& view, double frames, const Span& content) noexcept;

// Turned like a page where the playhead has run off the right edge that it was seen at; else as it was.
[[nodiscard]] ViewRange following(const ViewRange& view, double before, double now, const Span& content) noexcept;

}  // namespace segue::plugin::ui
