#include "core/step_lane.hpp"

#include <algorithm>

namespace segue::plugin {
namespace {

// The first point behind `frame`.
template <class Points>
auto behind(Points& points, std::int64_t frame) noexcept {
    return std::upper_bound(points.begin(), points.end(), frame,
                            [](std::int64_t at, const auto& point) { return at < point.frame; });
}

void join(const Span& span, double value, std::vector<LaneRun>& runs) {
    if (!runs.empty() && runs.back().span.stop == span.start && runs.back().value == value) {
        runs.back().span.stop = span.stop;
    } else {
        runs.push_back({span, value});
    }
}

}  // namespace

void StepLane::write(const Span& span, double value) { put(span, value); }

void StepLane::erase(const Span& span) { put(span, std::nullopt); }

void StepLane::put(const Span& span, std::optional<double> value) {
    if (span.empty()) return;
    const std::optional<double> after = at(span.stop), before = at(span.start - 1);
    auto first = behind(points_, span.start - 1);
    const auto last = behind(points_, span.stop);
    Point fresh[2] = {};
    std::size_t count = 0;
    if (value != before) fresh[count++] = {span.start, value};
    if (after != value) fresh[count++] = {span.stop, after};
    // what is there already is written over, so that a loop over the same stretch moves nothing
    std::size_t done = 0;
    for (; done < count && first != last; ++done, ++first) *first = fresh[done];
    if (done < count) {
        points_.insert(first, fresh + done, fresh + count);
    } else {
        points_.erase(first, last);
    }
}

std::optional<double> StepLane::at(std::int64_t frame) const noexcept {
    const auto found = behind(points_, frame);
    return found == points_.begin() ? std::nullopt : std::prev(found)->value;
}

std::vector<LaneRun> StepLane::runs(const Span& span) const {
    std::vector<LaneRun> found;
    append_runs(span, found);
    return found;
}

void StepLane::append_runs(const Span& span, std::vector<LaneRun>& to) const {
    if (span.empty()) return;
    auto point = behind(points_, span.start);
    if (point != points_.begin()) --point;
    for (; point != points_.end() && point->frame < span.stop; ++point) {
        const auto next = std::next(point);
        const Span run{std::max(point->frame, span.start),
                       next == points_.end() ? span.stop : std::min(next->frame, span.stop)};
        if (point->value && !run.empty()) join(run, *point->value, to);
    }
}

std::uint64_t StepLane::bytes() const noexcept { return points_.capacity() * sizeof(Point); }

}  // namespace segue::plugin
