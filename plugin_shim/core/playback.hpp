// What is heard of rendered regions, to the sample, over the dry signal.
//
// At a region's edges it switches hard: the renderer made the seam inside the gap, against this very context. What
// changes while a region sounds (a playlist, the candidate, mix, compare, a stop) cross-fades over 10 ms. After a
// start or a jump all is as it is meant to be from the first sample. Where nothing rendered is heard, the dry samples
// are copied, never computed.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "core/capture_block.hpp"
#include "core/handover.hpp"
#include "core/playlist.hpp"
#include "core/transport.hpp"

namespace segue::plugin {

class Playback {
public:
    // A piece of a block, at most block_frames samples. `out` never overlaps `dry`.
    struct Piece {
        bool rolling = false;
        bool jumped = false;
        bool offline = false;
        std::int64_t frame = 0;  // where it rolls
        std::uint32_t frames = 0;
        std::uint32_t take = 0;  // from 0
        float amount = 0.0F;     // 0 dry, 1 rendered
        std::array<const float*, 2> dry{};
        std::array<float*, 2> out{};
    };

    Playback() = default;
    ~Playback();
    Playback(const Playback&) = delete;
    Playback& operator=(const Playback&) = delete;

    // Main thread, never beside process().
    void activate(double rate) noexcept;

    // Audio thread. Waits only in offline pieces, where a render is awaited.
    void process(const Piece& piece) noexcept;
    [[nodiscard]] std::uint64_t refusals() const noexcept { return refusals_; }
    [[nodiscard]] const Span& refused() const noexcept { return latest_refused_; }

    // Worker. Throws std::invalid_argument for a playlist that cannot be played, and keeps the one before.
    void play(std::unique_ptr<const Playlist> playlist);
    void collect() noexcept { handover_.collect(); }

    // Any thread.
    void set_bounce_wait(double seconds) noexcept { bounce_wait_.store(seconds, std::memory_order_relaxed); }
    [[nodiscard]] bool waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

private:
    // Who decides what is heard. Without a playlist: nobody, all is dry.
    struct Layer {
        const Playlist* playlist = nullptr;
        std::uint32_t take = 0;

        friend bool operator!=(const Layer& a, const Layer& b) noexcept {
            return a.playlist != b.playlist || a.take != b.take;
        }
    };

    // What a layer plays from one position on: nullptr is dry.
    struct Source {
        std::array<const float*, 2> samples{};
        std::int64_t left = 0;  // samples until it plays something else
    };

    // A value that reaches its target in a straight line.
    struct Ramp {
        float from = 0.0F;
        float to = 0.0F;
        std::uint32_t done = 1;
        std::uint32_t length = 1;

        [[nodiscard]] bool resting() const noexcept { return done >= length; }
        [[nodiscard]] std::uint32_t left() const noexcept { return length - done; }
        [[nodiscard]] float at(std::uint32_t ahead) const noexcept {
            const std::uint32_t reached = done + ahead;
            if (reached >= length) return to;
            return from + (to - from) * (static_cast<float>(reached) / static_cast<float>(length));
        }
        void advance(std::uint32_t frames) noexcept { done = frames >= left() ? length : done + frames; }
    };

    void receive() noexcept;
    void adopt() noexcept;
    void settle() noexcept;
    void retire_outgoing() noexcept;
    void follow(const Piece& piece) noexcept;
    void await_render(const Piece& piece, std::int64_t at) noexcept;
    [[nodiscard]] bool wait_for_playlist(std::chrono::steady_clock::time_point began) noexcept;
    [[nodiscard]] std::uint32_t run(const Piece& piece, std::uint32_t done) noexcept;
    void blend(const Source& before, const Source& now, const Piece& piece, std::uint32_t done,
               std::uint32_t frames) noexcept;
    void mix(const std::array<const float*, 2>& wet, const Piece& piece, std::uint32_t done,
             std::uint32_t frames) noexcept;

    [[nodiscard]] bool fading() const noexcept { return !fade_.resting(); }
    [[nodiscard]] Layer wanted(const Piece& piece) const noexcept;
    [[nodiscard]] bool usable() const noexcept { return playlist_ != nullptr && playlist_->rate == rate_; }
    [[nodiscard]] bool sounds(const Piece& piece) const noexcept;
    [[nodiscard]] Source source(const Layer& layer, std::int64_t at) const noexcept;

    Handover<Playlist> handover_;
    std::atomic<double> bounce_wait_{60.0};
    std::atomic<bool> waiting_{false};

    // of the audio thread
    double rate_ = 0.0;
    std::uint32_t fade_frames_ = 1;
    const Playlist* playlist_ = nullptr;  // the newest in use
    const Playlist* outgoing_ = nullptr;  // the one before, while it fades out
    const Playlist* pending_ = nullptr;   // a newer one, which waits for its time
    bool pending_urgent_ = false;
    bool rolled_ = false;
    std::int64_t position_ = 0;  // where the next piece lies, if it follows
    Layer current_;
    Layer previous_;  // while it fades out
    Ramp fade_;       // from previous_ to current_
    Ramp amount_;
    Span refused_;  // a marker is heard here until the transport has left it
    Span latest_refused_;
    std::uint64_t refusals_ = 0;
    std::array<std::array<float, block_frames>, 2> blend_{};
};

}  // namespace segue::plugin
