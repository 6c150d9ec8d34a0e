// Writes down what the audio thread hears, block by block, for a worker to take.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include "core/capture_block.hpp"
#include "core/spsc_queue.hpp"

namespace segue::plugin {

class Capture {
public:
    // A piece of the song as it was heard: at most block_frames samples, all finite.
    struct Heard {
        std::int64_t frame = 0;
        std::uint32_t frames = 0;
        bool jumped = false;
        bool tempo_changed = false;
        bool offline = false;
        std::uint32_t nonfinite_from = 0;
        std::uint32_t nonfinite_to = 0;
        std::uint64_t render_edges = 0;
        double tempo = 0.0;
        Span loop;
        Lanes lanes;
        std::array<const float*, 2> main{};
        std::array<const float*, 2> side{};  // nullptr: not connected
    };

    // Main thread, never beside write(). Room for 2 s in blocks of 64 samples; another rate drops what was not taken.
    // Throws std::bad_alloc.
    void activate(double rate);

    // Any thread. How long an offline block waits for the worker, each time; 1 s by itself.
    void set_longest_wait(double seconds) noexcept { longest_wait_.store(seconds, std::memory_order_relaxed); }

    // Audio thread. Where there is no room: waits for it if the block is offline, else counts the block as lost and
    // marks the next one.
    void write(const Heard& heard) noexcept;
    [[nodiscard]] std::uint64_t blocks_lost() const noexcept { return blocks_lost_; }

    // Audio thread, offline: waits until the worker has dealt with all that was written.
    void catch_up() noexcept;

    // Worker. False: nothing new.
    [[nodiscard]] bool take(CaptureBlock& block);
    // Worker: what was taken so far has had its consequences.
    void dealt();

private:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] CaptureBlock* room(bool offline) noexcept;
    [[nodiscard]] Clock::time_point deadline() const noexcept;  // of a wait that begins now

    double rate_ = 0.0;
    std::mutex queue_exchange_;  // activate() against take(); the audio thread never locks it
    std::unique_ptr<SpscQueue<CaptureBlock>> queue_;
    std::uint64_t taken_ = 0;              // blocks, guarded as the queue is
    std::atomic<std::uint64_t> dealt_{0};  // of these
    std::atomic<double> longest_wait_{1.0};  // seconds

    // of the audio thread
    bool lost_ = false;           // since the latest block that was written
    bool tempo_changed_ = false;  // in a block that was lost
    bool abandoned_ = false;      // a wait ended without room: nobody waits again until there was some
    std::uint64_t written_ = 0;
    std::uint64_t blocks_lost_ = 0;
};

}  // namespace segue::plugin
