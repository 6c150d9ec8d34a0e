// What the audio thread writes down of each block it processes, for the worker.
#pragma once

#include <array>
#include <cstdint>

#include "core/transport.hpp"

namespace segue::plugin {

inline constexpr std::uint32_t block_frames = 256;  // a longer host block becomes several

// The lanes that shape a render, sampled once a block (hosts apply automation by the block).
struct Lanes {
    float freedom = 0.0F;
    float guidance = 0.0F;
    float style = 0.0F;
    float gap = 0.0F;
};

struct CaptureBlock {
    std::int64_t frame = 0;     // song position of the first sample
    std::uint32_t frames = 0;   // 1 to block_frames
    bool jumped = false;        // the transport jumped here: loop, seek, start, or blocks were lost before this one
    bool lost = false;          // of that: blocks were lost, the queue was full
    bool tempo_changed = false;
    bool side_connected = false;
    bool offline = false;
    std::uint32_t nonfinite_from = 0;  // first bad sample, written as zero; nonfinite_to past the last; equal: none
    std::uint32_t nonfinite_to = 0;
    std::uint64_t render_edges = 0;  // how often Render had gone from off to on by then
    double tempo = 0.0;
    Span loop;
    Lanes lanes;
    std::array<std::array<float, block_frames>, 2> main{};
    std::array<std::array<float, block_frames>, 2> side{};
};

}  // namespace segue::plugin
