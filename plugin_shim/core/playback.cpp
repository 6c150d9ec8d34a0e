#include "core/playback.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "core/marker.hpp"

namespace segue::plugin {
namespace {

constexpr double fade_seconds = 0.010;
constexpr std::chrono::milliseconds nap{1};
constexpr std::int64_t for_ever = std::numeric_limits<std::int64_t>::max();

// The first segment that ends after `at`.
std::vector<Segment>::const_iterator segment_after(const Playlist& playlist, std::int64_t at) noexcept {
    return std::partition_point(playlist.segments.begin(), playlist.segments.end(),
                                [at](const Segment& segment) { return segment.span.stop <= at; });
}

const Span* awaited_at(const Playlist& playlist, std::int64_t at) noexcept {
    const auto span = std::find_if(playlist.awaited.begin(), playlist.awaited.end(),
                                   [at](const Span& awaited) { return awaited.contains(at); });
    return span == playlist.awaited.end() ? nullptr : &*span;
}

std::int64_t until_awaited(const Playlist& playlist, std::int64_t at) noexcept {
    std::int64_t left = for_ever;
    for (const Span& span : playlist.awaited) {
        if (span.start > at) left = std::min(left, span.start - at);
    }
    return left;
}

bool reaches(const Audio& audio, const Segment& segment, double rate) noexcept {
    return audio.rate == rate && audio.left.size() == audio.right.size() && segment.offset >= 0 &&
           segment.offset <= audio.frames() - segment.span.size();
}

// What would make the audio thread read what is not there.
void check(const Playlist& playlist) {
    const auto refuse = [](const Segment& segment, const char* why) {
        const std::string place = std::to_string(segment.span.start);
        throw std::invalid_argument("playlist: the segment at sample " + place + " " + why);
    };
    std::int64_t end = std::numeric_limits<std::int64_t>::min();
    for (const Segment& segment : playlist.segments) {
        if (segment.span.empty() || segment.span.start < end) refuse(segment, "is empty or out of order");
        end = segment.span.stop;
        if (segment.takes[0] == nullptr) refuse(segment, "has no take");
        for (const auto& take : segment.takes) {
            if (take != nullptr && !reaches(*take, segment, playlist.rate)) {
                refuse(segment, "has a take that is too short, or of another rate");
            }
        }
    }
}

}  // namespace

Playback::~Playback() {
    for (const Playlist* playlist : {playlist_, outgoing_, pending_}) handover_.retire(playlist);
}

void Playback::activate(double rate) noexcept {
    rate_ = rate;
    fade_frames_ = static_cast<std::uint32_t>(std::lround(rate * fade_seconds));
    settle();
    current_ = Layer{};
    rolled_ = false;
    refused_ = Span{};
}

void Playback::play(std::unique_ptr<const Playlist> playlist) {
    if (playlist == nullptr) throw std::invalid_argument("playlist: there is none; to play nothing, pass an empty one");
    check(*playlist);
    handover_.offer(std::move(playlist));
}

void Playback::process(const Piece& piece) noexcept {
    follow(piece);
    for (std::uint32_t done = 0; done < piece.frames;) done += run(piece, done);
    position_ += piece.frames;
    rolled_ = piece.rolling;
}

// Takes what the worker offered; it may have to wait before it is heard.
void Playback::receive() noexcept {
    const Playlist* offered = handover_.take();
    if (offered == nullptr) return;
    pending_urgent_ = offered->urgent || (pending_ != nullptr && pending_urgent_);
    handover_.retire(pending_);
    pending_ = offered;
}

void Playback::adopt() noexcept {
    retire_outgoing();
    outgoing_ = playlist_;
    playlist_ = pending_;
    pending_ = nullptr;
}

void Playback::retire_outgoing() noexcept {
    handover_.retire(outgoing_);
    outgoing_ = nullptr;
}

// Ends every fade where it was going.
void Playback::settle() noexcept {
    fade_.done = fade_.length;
    amount_.done = amount_.length;
    retire_outgoing();
}

Playback::Layer Playback::wanted(const Piece& piece) const noexcept {
    return piece.rolling && usable() ? Layer{playlist_, piece.take} : Layer{};
}

// Decides what is heard from this piece on, and how to get there.
void Playback::follow(const Piece& piece) noexcept {
    const bool starts = piece.rolling && (piece.jumped || !rolled_);
    if (piece.rolling) position_ = piece.frame;
    if (starts || !piece.rolling || !piece.offline) refused_ = Span{};
    if (starts) settle();
    receive();
    if (pending_ != nullptr && !fading() && (starts || pending_urgent_ || !sounds(piece))) adopt();

    if (starts) {
        current_ = wanted(piece);
        amount_ = {piece.amount, piece.amount};
    } else {
        if (piece.amount != amount_.to) amount_ = {amount_.at(0), piece.amount, 0, fade_frames_};
        if (!fading() && wanted(piece) != current_) {
            previous_ = std::exchange(current_, wanted(piece));
            fade_ = {0.0F, 1.0F, 0, fade_frames_};
        }
    }
    if (!fading()) retire_outgoing();
}

// One stretch of a piece in which nothing begins or ends; returns its length.
std::uint32_t Playback::run(const Piece& piece, std::uint32_t done) noexcept {
    const std::int64_t at = position_ + done;
    const bool bounces = piece.rolling && piece.offline && piece.amount > 0.0F;
    if (bounces) await_render(piece, at);

    std::int64_t left = piece.frames - done;
    if (bounces && usable()) left = std::min(left, until_awaited(*playlist_, at));
    if (fading()) left = std::min<std::int64_t>(left, fade_.left());
    if (!amount_.resting()) left = std::min<std::int64_t>(left, amount_.left());

    std::uint32_t frames = 0;
    if (refused_.contains(at)) {
        frames = static_cast<std::uint32_t>(std::min(left, refused_.stop - at));
        for (std::uint32_t i = 0; i < frames; ++i) blend_[0][i] = marker(at - refused_.start + i, rate_);
        mix({blend_[0].data(), blend_[0].data()}, piece, done, frames);
    } else {
        const Source now = source(current_, at);
        const Source before = fading() ? source(previous_, at) : now;
        frames = static_cast<std::uint32_t>(std::min({left, now.left, before.left}));
        blend(before, now, piece, done, frames);
    }
    fade_.advance(frames);
    amount_.advance(frames);
    return frames;
}

void Playback::blend(const Source& before, const Source& now, const Piece& piece, std::uint32_t done,
                     std::uint32_t frames) noexcept {
    if (before.samples == now.samples) {
        mix(now.samples, piece, done, frames);
        return;
    }
    for (std::size_t channel = 0; channel < 2; ++channel) {
        const float* dry = piece.dry[channel] + done;
        const float* from = before.samples[channel] != nullptr ? before.samples[channel] : dry;
        const float* to = now.samples[channel] != nullptr ? now.samples[channel] : dry;
        for (std::uint32_t i = 0; i < frames; ++i) blend_[channel][i] = from[i] + fade_.at(i) * (to[i] - from[i]);
    }
    mix({blend_[0].data(), blend_[1].data()}, piece, done, frames);
}

void Playback::mix(const std::array<const float*, 2>& wet, const Piece& piece, std::uint32_t done,
                   std::uint32_t frames) noexcept {
    for (std::size_t channel = 0; channel < 2; ++channel) {
        const float* dry = piece.dry[channel] + done;
        const float* rendered = wet[channel];
        float* out = piece.out[channel] + done;
        if (rendered == nullptr || (amount_.resting() && amount_.to == 0.0F)) {
            std::copy_n(dry, frames, out);
        } else if (amount_.resting() && amount_.to == 1.0F) {
            std::copy_n(rendered, frames, out);
        } else {
            for (std::uint32_t i = 0; i < frames; ++i) out[i] = dry[i] + amount_.at(i) * (rendered[i] - dry[i]);
        }
    }
}

// At a position where a render is awaited: waits until it is not, or refuses it for the rest of its span.
void Playback::await_render(const Piece& piece, std::int64_t at) noexcept {
    const auto began = std::chrono::steady_clock::now();
    while (usable() && !refused_.contains(at)) {
        const Span* awaited = awaited_at(*playlist_, at);
        if (awaited == nullptr) return;
        const Span asked = *awaited;
        if (wait_for_playlist(began)) {
            adopt();
            settle();
            current_ = wanted(piece);
            // a render that failed while it was waited for leaves nothing: that is refused too, not passed over
            const bool failed = usable() && awaited_at(*playlist_, at) == nullptr &&
                                source(current_, at).samples[0] == nullptr;
            if (!failed) continue;
        }
        refused_ = latest_refused_ = asked;
        ++refusals_;
    }
}

// False: there is none, and a bounce that began to wait at `began` waits no longer.
bool Playback::wait_for_playlist(std::chrono::steady_clock::time_point began) noexcept {
    const auto waited = [began] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    };
    receive();
    waiting_.store(true, std::memory_order_relaxed);
    while (pending_ == nullptr && waited() < bounce_wait_.load(std::memory_order_relaxed)) {
        std::this_thread::sleep_for(nap);
        receive();
    }
    waiting_.store(false, std::memory_order_relaxed);
    return pending_ != nullptr;
}

bool Playback::sounds(const Piece& piece) const noexcept {
    if (!piece.rolling || current_.playlist == nullptr) return false;
    if (piece.amount == 0.0F && amount_.resting() && amount_.to == 0.0F) return false;
    const auto segment = segment_after(*current_.playlist, piece.frame);
    return segment != current_.playlist->segments.end() && segment->span.start < piece.frame + piece.frames;
}

Playback::Source Playback::source(const Layer& layer, std::int64_t at) const noexcept {
    if (layer.playlist == nullptr) return {{}, for_ever};
    const auto segment = segment_after(*layer.playlist, at);
    if (segment == layer.playlist->segments.end()) return {{}, for_ever};
    if (at < segment->span.start) return {{}, segment->span.start - at};
    const bool has_take = layer.take < max_takes && segment->takes[layer.take] != nullptr;
    const Audio& audio = *segment->takes[has_take ? layer.take : 0];
    const std::int64_t first = segment->offset + (at - segment->span.start);
    return {{audio.left.data() + first, audio.right.data() + first}, segment->span.stop - at};
}

}  // namespace segue::plugin
