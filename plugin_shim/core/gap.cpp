#include "core/gap.hpp"

#include <algorithm>
#include <cmath>

namespace segue::plugin {
namespace {

constexpr std::uint32_t longest_block = 8192;  // hosts announce more than they use

std::int64_t distance(const Span& span, std::int64_t frame) noexcept {
    if (span.contains(frame)) return 0;
    return frame < span.start ? span.start - frame : frame - span.stop + 1;
}

std::optional<Span> nearest(const std::vector<Span>& spans, std::int64_t frame) noexcept {
    const auto found = std::min_element(spans.begin(), spans.end(), [&](const Span& a, const Span& b) {
        return distance(a, frame) < distance(b, frame);
    });
    return found == spans.end() ? std::nullopt : std::optional<Span>(*found);
}

// The first run of at least `least` frames of `span`, from `at` on, in which nothing exceeds `level`.
std::optional<Span> next_run(const Song& song, const Span& span, std::int64_t at, std::int64_t least, float level) {
    while (at + least <= span.stop) {
        if (const auto loud = song.last_louder({at, at + least}, level)) {
            at = *loud + 1;
        } else {
            return Span{at, song.first_louder({at + least, span.stop}, level).value_or(span.stop)};
        }
    }
    return {};
}

std::int64_t frames_of(double seconds, double rate) noexcept {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::llround(seconds * rate)));
}

// Of a quiet run, the longest run of exact zeros where it is long enough to be a hole of its own.
Span zeros_in(const Song& song, const Span& quiet, std::int64_t least) {
    Span longest;
    for (auto run = next_run(song, quiet, quiet.start, least, 0.0F); run;
         run = next_run(song, quiet, run->stop, least, 0.0F)) {
        if (run->size() > longest.size()) longest = *run;
    }
    return longest.empty() ? quiet : longest;
}

// The quiet runs of `span`, those at its ends too.
std::vector<Span> quiet_runs(const Song& song, const Span& span) {
    std::vector<Span> found;
    const std::int64_t least = frames_of(shortest_silence, song.rate());
    for (auto run = next_run(song, span, span.start, least, silence_level); run;
         run = next_run(song, span, run->stop, least, silence_level)) {
        found.push_back(zeros_in(song, *run, least));
    }
    return found;
}

std::vector<Span> silences(const Song& song) {
    std::vector<Span> found;
    for (const Span& heard : song.heard()) {
        const auto first = song.first_louder(heard, silence_level), last = song.last_louder(heard, silence_level);
        if (!first) continue;
        const std::vector<Span> runs = quiet_runs(song, {*first, *last + 1});
        found.insert(found.end(), runs.begin(), runs.end());
    }
    return found;
}

// Where sound and silence meet, those before the first and behind the last sound too.
std::vector<std::int64_t> silence_edges(const Song& song) {
    std::vector<std::int64_t> edges;
    for (const Span& heard : song.heard()) {
        for (const Span& run : quiet_runs(song, heard)) {
            if (run.start > heard.start) edges.push_back(run.start);
            if (run.stop < heard.stop) edges.push_back(run.stop);
        }
    }
    return edges;
}

std::vector<Span> lane_spans(const Song& song) {
    SpanSet on;
    for (const Span& heard : song.heard()) {
        for (const LaneRun& run : song.lane(Lane::gap, heard)) {
            if (run.value >= 0.5) on.add(run.span);
        }
    }
    return on.spans();
}

// The edge, moved to the nearest one of silence where that is near enough.
std::int64_t snapped(std::int64_t edge, const std::vector<std::int64_t>& edges, std::int64_t reach) noexcept {
    std::int64_t best = edge, off = reach + 1;
    for (const std::int64_t to : edges) {
        if (std::abs(to - edge) >= off) continue;
        off = std::abs(to - edge);
        best = to;
    }
    return best;
}

Span snapped(const Span& lane, const std::vector<std::int64_t>& edges, std::int64_t reach) noexcept {
    const Span gap{snapped(lane.start, edges, reach), snapped(lane.stop, edges, reach)};
    return gap.empty() ? lane : gap;
}

bool holds_all_heard(const Song& song, const Span& loop) noexcept {
    const std::vector<Span>& heard = song.heard();
    return !heard.empty() && loop.start <= heard.front().start && heard.back().stop <= loop.stop;
}

}  // namespace

GapView find_gap(const Song& song, const GapHints& hints) {
    if (const auto lane = nearest(lane_spans(song), hints.playhead)) {
        const std::int64_t reach = std::max(block_frames, std::min(hints.max_block, longest_block));
        return {snapped(*lane, silence_edges(song), reach), GapSource::lane, {}};
    }
    if (hints.marks && !hints.marks->empty()) return {*hints.marks, GapSource::marks, {}};
    const bool whole = holds_all_heard(song, hints.loop);
    if (!hints.loop.empty() && !whole) return {hints.loop, GapSource::loop, {}};
    if (const auto silence = nearest(silences(song), hints.playhead)) return {*silence, GapSource::silence, {}};
    if (!hints.loop.empty()) return {hints.loop, GapSource::loop, {}};
    GapView none;
    none.reason = song.heard().empty()
                      ? "nothing was heard yet: play the song across the gap, or mark the gap in the waveform"
                      : "no silence between two clips was heard: draw the Gap lane, mark the gap in the waveform, or "
                        "set the host's loop range";
    return none;
}

}  // namespace segue::plugin
