// What was heard of the track, keyed by song position. No locks inside: its owner guards it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/capture_block.hpp"
#include "core/pyramid.hpp"
#include "core/region.hpp"
#include "core/song_page.hpp"
#include "core/span_set.hpp"
#include "core/step_lane.hpp"

namespace segue::plugin {

// How much is held; what comes first counts. Pages that hold only digital silence cost next to nothing.
struct SongLimits {
    double max_seconds = 600.0;
    std::uint64_t max_bytes = std::uint64_t{768} << 20;  // 10 minutes at 96 kHz; half that with a side-chain
};

// As in the protocol: "nonfinite", or "discontinuous", where `start` was not heard in one go with the sample before it.
struct SongMark {
    const char* kind = "";
    Span span;
};

// Positions are samples of the song at rate(). A later pass replaces what an earlier one heard at the same positions.
class Song {
public:
    explicit Song(SongLimits limits = {}) : limits_(limits) {}

    // Before the first block. Another rate than before makes every position another time, so it clears the song:
    // returns the reason in words, or nothing where nothing was lost.
    std::string set_rate(double rate);
    void add(const CaptureBlock& block);
    void clear();

    [[nodiscard]] double rate() const noexcept { return rate_; }
    [[nodiscard]] const SongLimits& limits() const noexcept { return limits_; }
    [[nodiscard]] const std::vector<Span>& heard() const noexcept { return heard_.spans(); }
    [[nodiscard]] const SpanSet& coverage() const noexcept { return heard_; }
    [[nodiscard]] const SpanSet& side_coverage() const noexcept { return side_heard_; }  // a side-chain was connected
    [[nodiscard]] double max_seconds() const noexcept;  // that can be held at this rate, side-chain left out
    [[nodiscard]] double seconds() const noexcept;
    [[nodiscard]] double side_seconds() const noexcept;
    [[nodiscard]] double dropped_seconds() const noexcept;  // of heard material, oldest first, to stay within limits
    [[nodiscard]] std::uint64_t bytes() const noexcept;
    [[nodiscard]] bool lost() const noexcept { return !lost_.empty(); }  // holes are left where blocks were lost
    [[nodiscard]] bool discontinuous() const noexcept { return !cuts_.empty(); }
    [[nodiscard]] bool nonfinite() const noexcept { return !nonfinite_.empty(); }
    [[nodiscard]] Span loop() const noexcept { return loop_; }  // as the latest block had it

    [[nodiscard]] std::vector<SongMark> marks(const Span& span) const;  // in order
    [[nodiscard]] std::vector<LaneRun> lane(Lane which, const Span& span) const;
    [[nodiscard]] std::vector<LaneRun> tempo(const Span& span) const;  // beats a minute

    // Zeros where nothing was heard.
    [[nodiscard]] Audio copy(const Span& span) const { return copy_of(&SongPage::main, span); }
    [[nodiscard]] Audio copy_side(const Span& span) const { return copy_of(&SongPage::side, span); }

    // Least and greatest sample of what was heard of the track there; low > high: nothing was.
    [[nodiscard]] Extremes extremes(const Span& span) const;
    // The first or last frame of `span` in which a channel of the track exceeds `level`.
    [[nodiscard]] std::optional<std::int64_t> first_louder(const Span& span, float level) const;
    [[nodiscard]] std::optional<std::int64_t> last_louder(const Span& span, float level) const;
    [[nodiscard]] bool side_louder(const Span& span, float level) const;

private:
    void mark(const CaptureBlock& block, const Span& span);
    void note_lost(Span hole);
    void drop_oldest();
    void forget(std::int64_t page);
    [[nodiscard]] bool full() const noexcept;
    [[nodiscard]] Audio copy_of(const Plane SongPage::* plane, const Span& span) const;

    SongLimits limits_;
    double rate_ = 0.0;
    std::map<std::int64_t, std::unique_ptr<SongPage>> pages_;
    std::map<std::uint64_t, std::int64_t> by_age_;  // stamp of a page, its number
    std::uint64_t stamp_ = 0;
    std::uint64_t bytes_ = 0;
    SpanSet heard_;
    SpanSet side_heard_;
    SpanSet nonfinite_;
    SpanSet lost_;
    std::set<std::int64_t> cuts_;
    std::optional<std::int64_t> next_;  // where a block that goes on from the latest one starts
    bool tempo_changing_ = false;
    std::int64_t dropped_ = 0;
    Span loop_;
};

}  // namespace segue::plugin
