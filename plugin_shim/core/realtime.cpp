#include "core/realtime.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/denormals.hpp"

namespace segue::plugin {
namespace {

constexpr double lowest_rate = 8000.0;
constexpr double highest_rate = 768000.0;

// Samples [from, to) of a piece within which some were not finite.
struct Bad {
    std::uint32_t from = 0;
    std::uint32_t to = 0;

    void add(const Bad& other) noexcept {
        if (other.from == other.to) return;
        from = from == to ? other.from : std::min(from, other.from);
        to = std::max(to, other.to);
    }
};

// Looks at bits: comparisons would count on how the processor is set, and a copy must keep every bit.
bool is_nonfinite(float sample) noexcept {
    constexpr std::uint32_t exponent = 0x7F800000U;
    std::uint32_t bits = 0;
    std::memcpy(&bits, &sample, sizeof bits);
    return (bits & exponent) == exponent;
}

// Copies samples, with zero for what is not finite.
Bad copy_finite(const float* source, float* target, std::uint32_t frames) noexcept {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < frames; ++i) {
        const bool bad = is_nonfinite(source[i]);
        count += bad ? 1U : 0U;
        target[i] = bad ? 0.0F : source[i];
    }
    if (count == 0) return {};
    const float* first = std::find_if(source, source + frames, is_nonfinite);
    const float* last = source + frames;
    while (!is_nonfinite(*(last - 1))) --last;
    return {static_cast<std::uint32_t>(first - source), static_cast<std::uint32_t>(last - source)};
}

bool is_on(float value) noexcept { return value >= 0.5F; }

}  // namespace

Realtime::Realtime() {
    const Values values = initial_values();
    for (std::size_t i = 0; i < parameter_count; ++i) values_[i].store(values[i], std::memory_order_relaxed);
}

Realtime::~Realtime() = default;

std::string Realtime::refusal(double rate) {
    if (std::isfinite(rate) && rate >= lowest_rate && rate <= highest_rate && rate == std::floor(rate)) return {};
    return "expected a whole sample rate from 8000 to 768000 Hz, got " + std::to_string(rate) +
           ": set the host to another rate";
}

bool Realtime::activate(double rate) {
    state_ = State{};
    bounces_ = false;
    const bool accepted = refusal(rate).empty();
    if (accepted) {
        capture_.activate(rate);
        playback_.activate(rate);
        timeline_.reset();
        state_.rate = rate;
        state_.active = true;
    }
    state_.render_edges = edges_.load(std::memory_order_relaxed);
    published_.write(state_);
    return accepted;
}

void Realtime::deactivate() noexcept {
    state_.active = false;
    state_.playing = false;
    published_.write(state_);
}

void Realtime::Buffers::skip(std::uint32_t frames) noexcept {
    for (std::size_t channel = 0; channel < 2; ++channel) {
        in[channel] += frames;
        out[channel] += frames;
        if (side[channel] != nullptr) side[channel] += frames;
    }
}

void Realtime::process(const float* const* in, float* const* out, const float* const* side, std::uint32_t frames,
                       const Transport& transport) noexcept {
    if (frames == 0) return;
    const FlushDenormals flush;
    Buffers rest{{in[0], in[1]}, {}, {out[0], out[1]}};
    if (side != nullptr) rest.side = {side[0], side[1]};
    const Stretch stretch = place(transport, frames);
    const Settings now = settings();
    const bool bounces = transport.offline && stretch.rolling();
    if (bounces && (!bounces_ || stretch.jumped)) catch_up();
    bounces_ = bounces;
    for (std::uint32_t done = 0; done < frames;) {
        // pieces end where the song begins or ends within the block
        const std::uint32_t end = done < stretch.from ? stretch.from : done < stretch.to ? stretch.to : frames;
        const std::uint32_t count = std::min(block_frames, end - done);
        process_piece(rest, done, count, stretch, now, transport.offline);
        rest.skip(count);
        done += count;
    }
    publish(stretch, transport.offline);
    if (bounces && state_.render_edges != edges_dealt_) catch_up();
}

void Realtime::catch_up() noexcept {
    capture_.catch_up();
    edges_dealt_ = state_.render_edges;
}

Realtime::Settings Realtime::settings() const noexcept {
    Settings now;
    now.lanes = {parameter(Parameter::freedom), parameter(Parameter::guidance), parameter(Parameter::style),
                 parameter(Parameter::gap)};
    now.take = static_cast<std::uint32_t>(std::lround(parameter(Parameter::candidate))) - 1;
    now.amount = is_on(parameter(Parameter::compare)) ? 0.0F : parameter(Parameter::mix);
    return now;
}

Stretch Realtime::place(const Transport& transport, std::uint32_t frames) noexcept {
    if (!state_.active) return {};
    const bool free_run = std::lround(parameter(Parameter::position)) == static_cast<long>(Position::free_run);
    const Stretch stretch = timeline_.advance(transport, free_run ? Position::free_run : Position::host, frames);
    const std::uint64_t edges = edges_.load(std::memory_order_relaxed);
    if (edges != state_.render_edges) {
        state_.render_edges = edges;
        state_.edge_playhead = stretch.rolling() ? stretch.frame : stretch.playhead;
    }
    return stretch;
}

void Realtime::process_piece(const Buffers& at, std::uint32_t done, std::uint32_t frames, const Stretch& stretch,
                             const Settings& settings, bool offline) noexcept {
    const bool rolling = done >= stretch.from && done < stretch.to;
    const std::int64_t frame = stretch.frame + (done - stretch.from);
    const bool jumped = stretch.jumped && done == stretch.from;
    // copies first: input and output may be the same buffers
    Bad bad;
    for (std::size_t channel = 0; channel < 2; ++channel) {
        bad.add(copy_finite(at.in[channel], dry_[channel].data(), frames));
        if (rolling && at.side[channel] != nullptr) {
            bad.add(copy_finite(at.side[channel], side_[channel].data(), frames));
        }
    }
    if (rolling) {
        Capture::Heard heard;
        heard.frame = frame;
        heard.frames = frames;
        heard.jumped = jumped;
        heard.tempo_changed = stretch.tempo_changed && done == stretch.from;
        heard.offline = offline;
        heard.nonfinite_from = bad.from;
        heard.nonfinite_to = bad.to;
        heard.render_edges = state_.render_edges;
        heard.tempo = stretch.tempo;
        heard.loop = stretch.loop;
        heard.lanes = settings.lanes;
        heard.main = {dry_[0].data(), dry_[1].data()};
        if (at.side[0] != nullptr) heard.side = {side_[0].data(), side_[1].data()};
        capture_.write(heard);
    }
    Playback::Piece piece;
    piece.rolling = rolling;
    piece.jumped = jumped;
    piece.offline = offline;
    piece.frame = frame;
    piece.frames = frames;
    piece.take = settings.take;
    piece.amount = settings.amount;
    piece.dry = {dry_[0].data(), dry_[1].data()};
    piece.out = at.out;
    playback_.process(piece);
}

void Realtime::publish(const Stretch& stretch, bool offline) noexcept {
    state_.called = true;
    state_.position_known = stretch.known;
    state_.playing = stretch.rolling();
    state_.offline = offline;
    state_.playhead = stretch.playhead;
    state_.tempo = stretch.tempo;
    state_.loop = stretch.loop;
    state_.blocks_lost = capture_.blocks_lost();
    state_.bounce_refusals = playback_.refusals();
    state_.refused = playback_.refused();
    published_.write(state_);
}

bool Realtime::set_parameter(Parameter which, float value) noexcept {
    if (!is_valid(which, value)) return false;
    const float before = values_[index(which)].exchange(value, std::memory_order_relaxed);
    if (which == Parameter::render && is_on(value) && !is_on(before)) edges_.fetch_add(1, std::memory_order_relaxed);
    return true;
}

void Realtime::restore_parameter(Parameter which, float value) noexcept {
    if (is_valid(which, value)) values_[index(which)].store(value, std::memory_order_relaxed);
}

float Realtime::parameter(Parameter which) const noexcept {
    return values_[index(which)].load(std::memory_order_relaxed);
}

Values Realtime::values() const noexcept {
    Values values{};
    for (std::size_t i = 0; i < parameter_count; ++i) values[i] = parameter(static_cast<Parameter>(i));
    return values;
}

Realtime::State Realtime::state() const noexcept {
    State state = published_.read();
    const std::uint64_t edges = edges_.load(std::memory_order_relaxed);
    if (edges != state.render_edges) {
        state.render_edges = edges;
        state.edge_playhead = state.playhead;
    }
    state.waiting = playback_.waiting();
    return state;
}

void Realtime::set_bounce_wait(double seconds) noexcept { playback_.set_bounce_wait(seconds); }

bool Realtime::take(CaptureBlock& block) { return capture_.take(block); }

void Realtime::play(std::unique_ptr<const Playlist> playlist) { playback_.play(std::move(playlist)); }

void Realtime::collect() noexcept { playback_.collect(); }

}  // namespace segue::plugin
