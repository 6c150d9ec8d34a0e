#include "music.hpp"

#include <algorithm>
#include <cmath>

namespace segue::plugin::screens {
namespace {

constexpr double beat = 0.5;  // seconds, at 120 beats a minute
constexpr double pi = 3.14159265358979;

// A number between 0 and 1 that looks random and depends on `key` alone.
double noise(double key) {
    const double value = std::sin(key * 12.9898 + 78.233) * 43758.5453;
    return value - std::floor(value);
}

// How loud the music is: a drum on each beat, a chord that swells over two bars, verses of 16 s.
double loudness(double time) {
    const double in_beat = std::fmod(time, beat) / beat;
    const double nth = std::floor(time / beat);
    const bool strong = std::fmod(nth, 4.0) < 0.5;
    const double drum = (strong ? 0.78 : 0.34 + 0.3 * noise(nth)) * std::exp(-6.0 * in_beat);
    const double chord = 0.16 + 0.08 * std::sin(2.0 * pi * time / 4.0) + 0.07 * noise(std::floor(time * 16.0));
    const double verse = std::fmod(time, 32.0) < 16.0 ? 0.82 : 1.0;
    return std::min(0.97, (drum + chord) * verse);
}

bool inside(const std::vector<Span>& spans, std::int64_t frame) {
    return std::any_of(spans.begin(), spans.end(), [&](const Span& span) { return span.contains(frame); });
}

bool rendered_at(const Snapshot& snapshot, std::int64_t frame) {
    return std::any_of(snapshot.regions.begin(), snapshot.regions.end(), [&](const RegionView& region) {
        return !region.undone && !region.takes.empty() && region.span.contains(frame);
    });
}

}  // namespace

Span seconds(double from, double to) {
    return {static_cast<std::int64_t>(std::llround(from * rate)), static_cast<std::int64_t>(std::llround(to * rate))};
}

Peaks peaks_of(const Snapshot& snapshot, const Span& view, const Span& hole, std::uint32_t parts, bool original) {
    Peaks peaks;
    const double step = static_cast<double>(view.size()) / parts;
    for (std::uint32_t part = 0; part < parts; ++part) {
        const double from = static_cast<double>(view.start) + step * part;
        const auto frame = static_cast<std::int64_t>(from + step / 2.0);
        const bool rendered = !original && rendered_at(snapshot, frame);
        double level = 0.0;
        // the greatest of some places within the part, as peaks are
        for (int place = 0; place < 8; ++place) level = std::max(level, loudness((from + step * place / 8.0) / rate));
        if (!rendered && hole.contains(frame)) level = 0.0;
        const bool heard = rendered || inside(snapshot.capture.heard, frame);
        const double lower = level * (0.86 + 0.14 * noise(from));
        peaks.high.push_back(heard ? static_cast<float>(level) : -1.0F);
        peaks.low.push_back(heard ? static_cast<float>(-lower) : 1.0F);
        peaks.rendered.push_back(rendered);
    }
    return peaks;
}

}  // namespace segue::plugin::screens
