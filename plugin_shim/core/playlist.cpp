#include "core/playlist.hpp"

#include <algorithm>

namespace segue::plugin {
namespace {

// What of `spans` (in order, disjoint) lies outside of `hole`.
std::vector<Span> without(const std::vector<Span>& spans, const Span& hole) {
    std::vector<Span> rest;
    for (const Span& span : spans) {
        const Span before{span.start, std::min(span.stop, hole.start)};
        const Span after{std::max(span.start, hole.stop), span.stop};
        if (!span.overlaps(hole)) {
            rest.push_back(span);
            continue;
        }
        if (!before.empty()) rest.push_back(before);
        if (!after.empty()) rest.push_back(after);
    }
    return rest;
}

bool fits(const Take& take, const Region& region, double rate) noexcept {
    return take.audio != nullptr && take.audio->rate == rate && take.audio->frames() == region.span.size() &&
           take.audio->left.size() == take.audio->right.size();
}

// The audio of each take by its number. One that is not here is heard as the first that is, as are the numbers beyond
// the last; none at all where the first is nullptr.
std::array<std::shared_ptr<const Audio>, max_takes> takes_of(const Region& region, double rate) {
    std::array<std::shared_ptr<const Audio>, max_takes> audio;
    const auto first = std::find_if(region.takes.begin(), region.takes.end(),
                                    [&](const Take& take) { return fits(take, region, rate); });
    if (first == region.takes.end()) return audio;
    const std::size_t count = std::min<std::size_t>(max_takes, region.takes.size());
    audio[0] = first->audio;
    for (std::size_t i = 0; i < count; ++i) {
        audio[i] = fits(region.takes[i], region, rate) ? region.takes[i].audio : first->audio;
    }
    return audio;
}

}  // namespace

Playlist playlist_of(const std::vector<Region>& regions, double rate) {
    Playlist playlist;
    playlist.rate = rate;
    std::vector<Span> covered;
    for (auto region = regions.rbegin(); region != regions.rend(); ++region) {
        if (region->undone || region->rate != rate || region->span.empty()) continue;
        const auto takes = takes_of(*region, rate);
        if (takes[0] == nullptr) continue;
        std::vector<Span> visible{region->span};
        for (const Span& span : covered) visible = without(visible, span);
        for (const Span& span : visible) {
            playlist.segments.push_back({span, region->id, span.start - region->span.start, takes});
        }
        covered.push_back(region->span);
    }
    std::sort(playlist.segments.begin(), playlist.segments.end(),
              [](const Segment& a, const Segment& b) { return a.span.start < b.span.start; });
    return playlist;
}

}  // namespace segue::plugin
