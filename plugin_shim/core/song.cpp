#include "core/song.hpp"

#include <algorithm>
#include <cmath>

namespace segue::plugin {
namespace {

constexpr double longest_loss = 10.0;  // seconds; a larger jump over lost blocks was a seek
constexpr std::array<std::array<float, block_frames>, 2> no_side{};

constexpr std::int64_t page_of(std::int64_t frame) noexcept {
    return frame >= 0 ? frame / page_frames : -((-frame - 1) / page_frames) - 1;
}

// Calls body(page, first frame within it, one past the last within it, song position of the first).
template <class Body>
void each_page(const Span& span, Body&& body) {
    for (std::int64_t at = span.start; at < span.stop;) {
        const std::int64_t page = page_of(at), base = page * page_frames;
        const std::int64_t end = std::min(span.stop, base + page_frames);
        body(page, at - base, end - base, at);
        at = end;
    }
}

}  // namespace

std::string Song::set_rate(double rate) {
    if (rate == rate_) return {};
    const bool loses = !heard_.empty();
    const double before = rate_;
    clear();
    rate_ = rate;
    if (!loses) return {};
    return "the sample rate changed from " + std::to_string(std::lround(before)) + " to " +
           std::to_string(std::lround(rate)) + " Hz: what was heard before was forgotten, play the song again";
}

void Song::clear() {
    pages_.clear();
    by_age_.clear();
    bytes_ = 0;
    for (SpanSet* set : {&heard_, &side_heard_, &nonfinite_, &lost_}) set->clear();
    cuts_.clear();
    next_.reset();
    tempo_changing_ = false;
    dropped_ = 0;
    loop_ = {};
}

void Song::add(const CaptureBlock& block) {
    const Span span{block.frame, block.frame + block.frames};
    loop_ = block.loop;
    if (span.empty()) return;
    mark(block, span);
    each_page(span, [&](std::int64_t number, std::int64_t from, std::int64_t to, std::int64_t position) {
        std::unique_ptr<SongPage>& page = pages_[number];
        if (page == nullptr) page = std::make_unique<SongPage>();
        else bytes_ -= page->bytes();
        const auto offset = static_cast<std::size_t>(position - block.frame);
        const Span part{position, position + (to - from)};
        page->main.write(from, &block.main[0][offset], &block.main[1][offset], to - from);
        const auto& side = block.side_connected ? block.side : no_side;
        page->side.write(from, &side[0][offset], &side[1][offset], to - from);
        const double values[] = {block.lanes.freedom, block.lanes.guidance, block.lanes.style, block.lanes.gap,
                                 block.tempo};
        for (std::size_t i = 0; i < page->lanes.size(); ++i) page->lanes[i].write(part, values[i]);
        by_age_.erase(page->stamp);
        page->stamp = ++stamp_;
        by_age_[page->stamp] = number;
        bytes_ += page->bytes();
    });
    heard_.add(span);
    block.side_connected ? side_heard_.add(span) : side_heard_.remove(span);
    while (full() && pages_.size() > 1) drop_oldest();
}

// Positions where what is held stops being what was heard in one go: at the start of a new pass, and where a pass ends
// within what an earlier one heard; there, until the next block goes on.
void Song::mark(const CaptureBlock& block, const Span& span) {
    if (block.lost && next_) note_lost({*next_, span.start});
    lost_.remove(span);
    // a ramp of the tempo is marked where it begins
    const bool new_tempo = block.tempo_changed && !tempo_changing_;
    tempo_changing_ = block.tempo_changed;
    const bool goes_on = next_ == span.start && !block.jumped && !new_tempo;
    cuts_.erase(cuts_.lower_bound(span.start), cuts_.upper_bound(span.stop));
    if (!goes_on && heard_.contains(span.start - 1)) cuts_.insert(span.start);
    if (heard_.contains(span.stop)) cuts_.insert(span.stop);
    nonfinite_.remove(span);
    nonfinite_.add({span.start + block.nonfinite_from, span.start + block.nonfinite_to});
    next_ = span.stop;
}

void Song::note_lost(Span hole) {
    const bool seek = static_cast<double>(hole.size()) > longest_loss * rate_;
    if (hole.empty() || seek) hole.stop = hole.start + 1;  // how much is not known
    lost_.add(hole);
    for (const Span& span : heard_.within(hole)) lost_.remove(span);
}

bool Song::full() const noexcept { return seconds() > limits_.max_seconds || bytes_ > limits_.max_bytes; }

void Song::drop_oldest() {
    const std::int64_t page = by_age_.begin()->second;
    for (const Span& span : heard_.within({page * page_frames, (page + 1) * page_frames})) dropped_ += span.size();
    forget(page);
}

void Song::forget(std::int64_t page) {
    const auto found = pages_.find(page);
    bytes_ -= found->second->bytes();
    by_age_.erase(found->second->stamp);
    pages_.erase(found);
    const Span span{page * page_frames, (page + 1) * page_frames};
    for (SpanSet* set : {&heard_, &side_heard_, &nonfinite_, &lost_}) set->remove(span);
    cuts_.erase(cuts_.lower_bound(span.start), cuts_.upper_bound(span.stop));
}

double Song::max_seconds() const noexcept {
    if (rate_ <= 0.0) return limits_.max_seconds;
    return std::min(limits_.max_seconds, static_cast<double>(limits_.max_bytes) / (2.0 * sizeof(float) * rate_));
}

double Song::seconds() const noexcept { return rate_ > 0.0 ? static_cast<double>(heard_.frames()) / rate_ : 0.0; }

double Song::side_seconds() const noexcept {
    return rate_ > 0.0 ? static_cast<double>(side_heard_.frames()) / rate_ : 0.0;
}

double Song::dropped_seconds() const noexcept { return rate_ > 0.0 ? static_cast<double>(dropped_) / rate_ : 0.0; }

std::uint64_t Song::bytes() const noexcept { return bytes_; }

std::vector<SongMark> Song::marks(const Span& span) const {
    std::vector<SongMark> found;
    for (const Span& bad : nonfinite_.within(span)) found.push_back({"nonfinite", bad});
    for (auto cut = cuts_.lower_bound(span.start + 1); cut != cuts_.end() && *cut < span.stop; ++cut) {
        found.push_back({"discontinuous", {*cut, *cut + 1}});
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const SongMark& a, const SongMark& b) { return a.span.start < b.span.start; });
    return found;
}

std::vector<LaneRun> Song::lane(Lane which, const Span& span) const {
    std::vector<LaneRun> found;
    for (auto page = pages_.lower_bound(page_of(span.start)); page != pages_.end(); ++page) {
        const std::int64_t base = page->first * page_frames;
        if (base >= span.stop) break;
        const Span inside{std::max(span.start, base), std::min(span.stop, base + page_frames)};
        page->second->lanes[static_cast<std::size_t>(which)].append_runs(inside, found);
    }
    return found;
}

std::vector<LaneRun> Song::tempo(const Span& span) const { return lane(Lane::tempo, span); }

Audio Song::copy_of(const Plane SongPage::* plane, const Span& span) const {
    Audio audio;
    audio.rate = rate_;
    if (span.empty()) return audio;
    audio.left.resize(static_cast<std::size_t>(span.size()));
    audio.right.resize(static_cast<std::size_t>(span.size()));
    each_page(span, [&](std::int64_t number, std::int64_t from, std::int64_t to, std::int64_t position) {
        const auto page = pages_.find(number);
        if (page == pages_.end()) return;
        const auto offset = static_cast<std::size_t>(position - span.start);
        (page->second.get()->*plane).read(from, &audio.left[offset], &audio.right[offset], to - from);
    });
    return audio;
}

Extremes Song::extremes(const Span& span) const {
    Extremes found;
    for (const Span& part : heard_.within(span)) {
        each_page(part, [&](std::int64_t number, std::int64_t from, std::int64_t to, std::int64_t) {
            found.take(pages_.at(number)->main.extremes(from, to));
        });
    }
    return found;
}

std::optional<std::int64_t> Song::first_louder(const Span& span, float level) const {
    for (auto page = pages_.lower_bound(page_of(span.start)); page != pages_.end(); ++page) {
        const std::int64_t base = page->first * page_frames;
        if (base >= span.stop) break;
        const std::int64_t from = std::max<std::int64_t>(0, span.start - base);
        const std::int64_t to = std::min(page_frames, span.stop - base);
        const std::int64_t found = page->second->main.first_louder(from, to, level);
        if (found < to) return base + found;
    }
    return {};
}

std::optional<std::int64_t> Song::last_louder(const Span& span, float level) const {
    auto page = pages_.upper_bound(page_of(span.stop - 1));
    while (page != pages_.begin()) {
        --page;
        const std::int64_t base = page->first * page_frames;
        if (base + page_frames <= span.start) break;
        const std::int64_t from = std::max<std::int64_t>(0, span.start - base);
        const std::int64_t to = std::min(page_frames, span.stop - base);
        const std::int64_t found = page->second->main.last_louder(from, to, level);
        if (found >= from) return base + found;
    }
    return {};
}

bool Song::side_louder(const Span& span, float level) const {
    bool louder = false;
    for (const Span& part : side_heard_.within(span)) {
        each_page(part, [&](std::int64_t number, std::int64_t from, std::int64_t to, std::int64_t) {
            louder = louder || pages_.at(number)->side.first_louder(from, to, level) < to;
        });
    }
    return louder;
}

}  // namespace segue::plugin
