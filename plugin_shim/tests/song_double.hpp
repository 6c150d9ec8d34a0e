// What a Song is given in tests: blocks of a signal, and whole passes over a track of clips.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/song.hpp"
#include "host_double.hpp"

namespace segue::plugin::testing {

inline const Signal silent = [](int, std::int64_t) { return 0.0F; };

// A signal inside of clips, exact zeros elsewhere.
inline Signal clips(Signal signal, std::vector<Span> spans) {
    return [signal = std::move(signal), spans = std::move(spans)](int channel, std::int64_t frame) {
        const auto here = [&](const Span& span) { return span.contains(frame); };
        const bool sounds = std::any_of(spans.begin(), spans.end(), here);
        return sounds ? signal(channel, frame) : 0.0F;
    };
}

// As `numbered`, but never below -20 dBFS: no sample of it is silence.
inline Signal loud(std::uint32_t seed) {
    return [all = numbered(seed)](int channel, std::int64_t frame) {
        const float sample = all(channel, frame);
        return sample + (sample < 0.0F ? -0.1F : 0.1F);
    };
}

inline CaptureBlock block_of(const Signal& signal, std::int64_t frame, std::uint32_t frames) {
    CaptureBlock block;
    block.frame = frame;
    block.frames = frames;
    block.tempo = 120.0;
    for (std::uint32_t i = 0; i < frames; ++i) {
        block.main[0][i] = signal(0, frame + i);
        block.main[1][i] = signal(1, frame + i);
    }
    return block;
}

// Plays into a song as the audio thread would, from one position to another without a break.
struct Player {
    Song& song;
    Signal main;
    Signal side;  // none: not connected
    Lanes lanes;
    Span gap_lane;  // where the Gap lane is on; as hosts do, looked at once a block
    std::uint32_t block = block_frames;

    explicit Player(Song& heard_by, Signal track = silent, Signal side_chain = {})
        : song(heard_by), main(std::move(track)), side(std::move(side_chain)) {}

    void play(const Span& span) {
        bool first = true;
        for (std::int64_t at = span.start; at < span.stop;) {
            const auto frames = static_cast<std::uint32_t>(std::min<std::int64_t>(block, span.stop - at));
            CaptureBlock one = block_of(main, at, frames);
            one.jumped = first;
            one.lanes = lanes;
            one.lanes.gap = gap_lane.contains(at) ? 1.0F : 0.0F;
            if (side) {
                one.side_connected = true;
                for (std::uint32_t i = 0; i < frames; ++i) {
                    one.side[0][i] = side(0, at + i);
                    one.side[1][i] = side(1, at + i);
                }
            }
            song.add(one);
            at += frames;
            first = false;
        }
    }
};

}  // namespace segue::plugin::testing
