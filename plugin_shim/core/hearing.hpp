// What the worker knows of the pass that is being heard.
#pragma once

#include <cstdint>

#include "core/capture_block.hpp"
#include "core/link/backoff.hpp"

namespace segue::plugin {

struct Hearing {
    // A host that says nothing of a stop, as at the end of many bounces, just calls no more.
    static constexpr Seconds silent_after{0.5};

    std::int64_t pass_start = 0;  // where the transport last started or jumped to
    std::uint64_t passes = 0;     // how often it did
    std::int64_t playhead = 0;    // behind the latest block
    Clock::time_point latest{};

    void take(const CaptureBlock& block, Clock::time_point now) noexcept {
        if (block.jumped) {
            pass_start = block.frame;
            ++passes;
        }
        playhead = block.frame + static_cast<std::int64_t>(block.frames);
        latest = now;
    }

    [[nodiscard]] bool stopped(bool playing, Clock::time_point now) const noexcept {
        return !playing || now - latest > silent_after;
    }
};

}  // namespace segue::plugin
