#include "core/armed.hpp"

#include <algorithm>
#include <cmath>

#include "core/clock.hpp"

namespace segue::plugin {
namespace {

// How many frames behind the gap were heard in one piece with it.
std::int64_t heard_behind(const Span& gap, const Song& song) {
    const auto stretch = song.coverage().around(gap.stop);
    return stretch ? stretch->stop - gap.stop : 0;
}

}  // namespace

std::string waits_for(const Armed& armed, const GapView& gap, const Song& song, const Hearing& hearing, bool stopped,
                      bool continuation) {
    if (gap.source == GapSource::none) return gap.reason;
    const double rate = song.rate();
    const Span& span = gap.span;
    const bool away = stopped || hearing.passes != armed.pass;  // nothing more comes of the pass it was asked in
    const Span heard_first = continuation ? Span{span.start - 1, span.start} : span;
    if (!song.coverage().contains(heard_first)) {
        return "play the track from before the gap, which is at " + clock_text(span, rate);
    }
    if (away) return {};
    const auto wanted = static_cast<std::int64_t>(std::llround(right_context * rate));
    const std::int64_t behind = heard_behind(span, song);
    // what lies ahead of the playhead was heard in an earlier pass, and may be another music by now
    const std::int64_t fresh = armed.rolling ? std::min(behind, hearing.playhead - span.stop) : behind;
    if (armed.rolling && span.start < armed.pass_start) return "play on: the gap is heard once the transport stops";
    if (fresh >= wanted) return {};
    const bool elsewhere = hearing.playhead < span.start || hearing.playhead > span.stop + behind;
    if (!armed.rolling && elsewhere) return {};
    const std::int64_t left = wanted - std::max<std::int64_t>(fresh, 0);
    return "play on: " + seconds_text(left, rate) + " more behind the gap, or stop";
}

}  // namespace segue::plugin
