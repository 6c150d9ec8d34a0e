// Where in the song each block lies, and whether it follows from the one before.
#pragma once

#include <cstdint>

#include "core/parameters.hpp"
#include "core/transport.hpp"

namespace segue::plugin {

// What is known of one block. Samples [from, to) of it roll, `frame` is the song position of the first of them; the
// others have no place in the song: a stopped transport, the time before the song's start, or beyond a loop's end.
struct Stretch {
    bool known = false;  // there is a song position at all
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::int64_t frame = 0;
    bool jumped = false;  // a start, a loop, a seek: does not follow from the block before
    bool tempo_changed = false;
    double tempo = 0.0;
    Span loop;
    std::int64_t playhead = 0;  // the position that comes next

    [[nodiscard]] bool rolling() const noexcept { return from < to; }
};

class Timeline {
public:
    // Forgets where it was, and counts the free run from 0.
    void reset() noexcept { *this = Timeline{}; }

    // The next `frames` samples, at least one.
    [[nodiscard]] Stretch advance(const Transport& transport, Position position, std::uint32_t frames) noexcept;

private:
    std::int64_t processed_ = 0;  // the free run's position
    bool rolling_ = false;
    std::int64_t expected_ = 0;  // where a block lies that follows from the latest
    Position position_ = Position::host;
    double tempo_ = 0.0;  // the latest that was known while it rolled
};

}  // namespace segue::plugin
