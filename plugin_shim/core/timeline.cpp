#include "core/timeline.hpp"

#include <algorithm>
#include <cmath>

namespace segue::plugin {
namespace {

constexpr double tempo_tolerance = 1e-9;  // relative: hosts compute tempo, and rounding is no change

bool differs(double tempo, double before) noexcept {
    return tempo > 0.0 && before > 0.0 && std::abs(tempo - before) > tempo_tolerance * before;
}

// Positions that a sum cannot overflow; no song is longer than 2^52 samples.
bool is_sane(std::int64_t frame) noexcept {
    constexpr std::int64_t most = std::int64_t{1} << 52;
    return frame > -most && frame < most;
}

std::uint32_t clamp_to_block(std::int64_t offset, std::uint32_t frames) noexcept {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(offset, 0, frames));
}

// The part of a block that has a place in the song.
void place(Stretch& stretch, const Transport& transport, std::uint32_t frames) noexcept {
    const std::int64_t start = transport.frame;
    stretch.from = clamp_to_block(-start, frames);
    stretch.to = frames;
    // Hosts that loop to the sample end a block at the loop's end. Where a block goes past it, no one says whether the
    // host has wrapped or will at the next block: what lies there belongs nowhere.
    const bool passes_loop_end = transport.looping && !transport.loop.empty() && start < transport.loop.stop;
    if (passes_loop_end) stretch.to = clamp_to_block(transport.loop.stop - start, frames);
    stretch.to = std::max(stretch.from, stretch.to);
    stretch.frame = start + stretch.from;
}

}  // namespace

Stretch Timeline::advance(const Transport& transport, Position position, std::uint32_t frames) noexcept {
    const bool free_run = position == Position::free_run;
    Transport said = transport;
    if (free_run) {
        said.valid = true;
        said.playing = true;
        said.frame = processed_;
        said.looping = false;
        said.loop = Span{};
    }
    processed_ += frames;
    said.valid = said.valid && is_sane(said.frame);
    if (said.loop.empty() || !is_sane(said.loop.start) || !is_sane(said.loop.stop)) said.loop = Span{};

    Stretch stretch;
    stretch.known = said.valid;
    stretch.loop = said.loop;
    stretch.tempo = std::isfinite(said.tempo) && said.tempo > 0.0 ? said.tempo : 0.0;
    stretch.playhead = said.valid ? said.frame : expected_;
    if (said.valid && said.playing) place(stretch, said, frames);
    if (stretch.rolling()) {
        stretch.jumped = !rolling_ || stretch.frame != expected_ || position != position_;
        stretch.tempo_changed = differs(stretch.tempo, tempo_);
        if (stretch.tempo > 0.0) tempo_ = stretch.tempo;
        expected_ = stretch.frame + (stretch.to - stretch.from);
        stretch.playhead = expected_;
    }
    rolling_ = stretch.rolling();
    position_ = position;
    return stretch;
}

}  // namespace segue::plugin
