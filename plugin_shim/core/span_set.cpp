#include "core/span_set.hpp"

#include <algorithm>

namespace segue::plugin {
namespace {

// The first span that ends behind `frame`.
template <class Spans>
auto behind(Spans& spans, std::int64_t frame) noexcept {
    return std::upper_bound(spans.begin(), spans.end(), frame,
                            [](std::int64_t at, const Span& span) { return at < span.stop; });
}

}  // namespace

void SpanSet::add(const Span& span) {
    if (span.empty()) return;
    auto first = behind(spans_, span.start);
    if (first != spans_.begin() && std::prev(first)->stop == span.start) --first;
    auto last = first;
    Span joined = span;
    for (; last != spans_.end() && last->start <= span.stop; ++last) {
        joined.start = std::min(joined.start, last->start);
        joined.stop = std::max(joined.stop, last->stop);
        frames_ -= last->size();
    }
    frames_ += joined.size();
    if (first == last) {
        spans_.insert(first, joined);
    } else {
        *first = joined;
        spans_.erase(std::next(first), last);
    }
}

void SpanSet::remove(const Span& span) {
    if (span.empty()) return;
    for (const Span& inside : within(span)) frames_ -= inside.size();
    auto first = behind(spans_, span.start);
    if (first == spans_.end() || first->start >= span.stop) return;
    if (first->start < span.start && first->stop > span.stop) {
        const Span rest{span.stop, first->stop};
        first->stop = span.start;
        spans_.insert(std::next(first), rest);
        return;
    }
    if (first->start < span.start) {
        first->stop = span.start;
        ++first;
    }
    auto last = first;
    while (last != spans_.end() && last->stop <= span.stop) ++last;
    if (last != spans_.end()) last->start = std::max(last->start, span.stop);
    spans_.erase(first, last);
}

void SpanSet::clear() noexcept {
    spans_.clear();
    frames_ = 0;
}

std::optional<Span> SpanSet::around(std::int64_t frame) const noexcept {
    const auto found = behind(spans_, frame);
    if (found == spans_.end() || !found->contains(frame)) return {};
    return *found;
}

bool SpanSet::contains(const Span& span) const noexcept {
    if (span.empty()) return true;
    const auto found = around(span.start);
    return found && found->stop >= span.stop;
}

std::vector<Span> SpanSet::within(const Span& span) const {
    std::vector<Span> inside;
    for (auto each = behind(spans_, span.start); each != spans_.end() && each->start < span.stop; ++each) {
        inside.push_back({std::max(each->start, span.start), std::min(each->stop, span.stop)});
    }
    return inside;
}

}  // namespace segue::plugin
