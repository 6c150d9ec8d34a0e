#include "core/peaks.hpp"

#include <algorithm>

#include "core/laid_in.hpp"

namespace segue::plugin {
namespace {

constexpr Span part_of(const Span& span, std::int64_t part, std::int64_t parts) noexcept {
    const std::int64_t size = span.size();
    // without overflow for any span a host can have
    const auto edge = [&](std::int64_t i) { return span.start + size / parts * i + size % parts * i / parts; };
    return {edge(part), edge(part + 1)};
}

}  // namespace

Peaks PeakFinder::operator()(const Song& song, const Playlist& heard, std::uint32_t candidate, const Span& span,
                             std::uint32_t parts) {
    for (auto known = known_.begin(); known != known_.end();) {
        known = known->second.audio.expired() ? known_.erase(known) : std::next(known);
    }
    Peaks peaks;
    peaks.low.reserve(parts);
    peaks.high.reserve(parts);
    peaks.rendered.reserve(parts);
    auto segment = heard.segments.begin();
    for (std::uint32_t i = 0; i < parts; ++i) {
        const Span part = part_of(span, i, parts);
        while (segment != heard.segments.end() && segment->span.stop <= part.start) ++segment;
        Extremes found;
        bool rendered = false;
        std::int64_t at = part.start;
        for (auto each = segment; each != heard.segments.end() && each->span.start < part.stop; ++each) {
            const Span inside{std::max(each->span.start, part.start), std::min(each->span.stop, part.stop)};
            if (inside.empty()) continue;
            rendered = true;
            found.take(song.extremes({at, inside.start}));
            const std::shared_ptr<const Audio>& audio = heard_take(*each, candidate - 1);
            const std::int64_t from = each->offset + inside.start - each->span.start;
            found.take(pyramid_of(audio).of(audio->left.data(), audio->right.data(), from, from + inside.size()));
            at = inside.stop;
        }
        found.take(song.extremes({at, part.stop}));
        peaks.low.push_back(found.low);
        peaks.high.push_back(found.high);
        peaks.rendered.push_back(rendered);
    }
    return peaks;
}

const Pyramid& PeakFinder::pyramid_of(const std::shared_ptr<const Audio>& audio) {
    Known& known = known_[audio.get()];
    if (known.audio.lock() != audio) {  // new, or a dead one's address
        known.audio = audio;
        known.pyramid.resize(audio->frames());
        known.pyramid.update(audio->left.data(), audio->right.data(), 0, audio->frames());
    }
    return known.pyramid;
}

}  // namespace segue::plugin
