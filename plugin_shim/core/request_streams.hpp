// Which stretches of what was heard go into a request, within the renderer's limits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/request.hpp"

namespace segue::plugin {

// Frames of two channels that may still be sent.
class Budget {
public:
    explicit Budget(const protocol::Limits& limits);

    // Of any one stream at `rate`.
    [[nodiscard]] std::int64_t longest(double rate) const noexcept;
    // The same, and within what is left of the job.
    [[nodiscard]] std::int64_t next(double rate) const noexcept { return std::min(left_, longest(rate)); }
    void spend(std::int64_t frames) noexcept { left_ -= frames; }

private:
    double max_seconds_;
    std::int64_t left_;
};

// At most `most` frames of `stretch` that hold `keep`, as much before as behind it where there is as much. `keep` must
// not be longer than `most`.
[[nodiscard]] Span cropped(const Span& stretch, const Span& keep, std::int64_t most) noexcept;

// Adds a stream to a request; `span`: where it lies in the song, for its marks, of which those nearest to the gap are
// kept where there are too many.
void add_stream(Request& request, std::string role, std::string name, Audio audio, const Song& song, const Span& span);

// The file, then what was heard outside of `used`, nearest to the gap first; what does not fit is noted.
void add_songs(Request& request, const Song& song, const Wish& wish, const SpanSet& used, Budget& budget);

}  // namespace segue::plugin
