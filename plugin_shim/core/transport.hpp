// What the host says of its transport, for one block.
#pragma once

#include <cstdint>

namespace segue::plugin {

// Samples [start, stop) of the song, counted from its beginning, at the rate that stands beside it.
struct Span {
    std::int64_t start = 0;
    std::int64_t stop = 0;

    [[nodiscard]] constexpr std::int64_t size() const noexcept { return stop - start; }
    [[nodiscard]] constexpr bool empty() const noexcept { return stop <= start; }
    [[nodiscard]] constexpr bool contains(std::int64_t frame) const noexcept { return frame >= start && frame < stop; }
    [[nodiscard]] constexpr bool overlaps(const Span& other) const noexcept {
        return start < other.stop && other.start < stop;
    }
    friend constexpr bool operator==(const Span& a, const Span& b) noexcept {
        return a.start == b.start && a.stop == b.stop;
    }
};

struct Transport {
    bool valid = false;      // false: this host says nothing of a transport
    bool playing = false;
    std::int64_t frame = 0;  // song position of the block's first sample
    double tempo = 0.0;      // beats a minute; 0: unknown
    bool looping = false;
    Span loop;               // the host's loop range, whether it loops or not; empty: none
    bool offline = false;    // a bounce: faster than real time, and waiting is allowed
};

}  // namespace segue::plugin
