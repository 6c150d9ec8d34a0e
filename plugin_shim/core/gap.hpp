// Where new music is wanted.
#pragma once

#include <cstdint>
#include <optional>

#include "core/snapshot.hpp"
#include "core/song.hpp"

namespace segue::plugin {

// -80 dBFS: below what is heard beside music, above the residue of plug-ins and the dither of any word length.
inline constexpr float silence_level = 1e-4F;
// Seconds. Anything shorter is heard as a click or a rest within a sound, not as a hole between clips.
inline constexpr double shortest_silence = 0.05;

struct GapHints {
    std::optional<Span> marks;     // set in the UI
    Span loop;                     // the host's loop range; empty: none
    std::int64_t playhead = 0;
    std::uint32_t max_block = 0;   // the host's: how coarsely it may apply automation
};

// In this order: the Gap lane where it is on (of several stretches the one at or nearest to the playhead), the marks,
// the loop range, the silence between two clips at or nearest to the playhead. A loop range around all that was heard
// gives way to a silence inside it, since some hosts always have one.
//
// Silence is every sample of both channels within silence_level for shortest_silence or longer, with sound on both
// sides in one heard stretch. Where it holds that long a run of exact zeros, that run is the gap: so the edges are the
// clips' own to the sample, and fades keep their quiet ends.
//
// Hosts apply automation by the block: an edge of the lane moves to an edge of silence within one block of it, so that
// a lane drawn around a hole gives exactly the hole.
[[nodiscard]] GapView find_gap(const Song& song, const GapHints& hints);

}  // namespace segue::plugin
