#include "core/capture.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

namespace segue::plugin {
namespace {

constexpr double seconds_held = 2.0;
constexpr double small_block = 64.0;
constexpr std::size_t most_slots = 8192;  // 34 MB
constexpr std::chrono::microseconds nap{200};

std::size_t slots_for(double rate) noexcept {
    return std::min(most_slots, static_cast<std::size_t>(std::ceil(rate * seconds_held / small_block)));
}

void copy(const std::array<const float*, 2>& source, std::uint32_t frames,
          std::array<std::array<float, block_frames>, 2>& target) noexcept {
    for (std::size_t channel = 0; channel < 2; ++channel) {
        std::copy_n(source[channel], frames, target[channel].begin());
    }
}

}  // namespace

void Capture::activate(double rate) {
    if (queue_ != nullptr && rate == rate_) return;
    auto queue = std::make_unique<SpscQueue<CaptureBlock>>(slots_for(rate));
    const std::lock_guard<std::mutex> lock(queue_exchange_);
    queue_ = std::move(queue);
    written_ = taken_ = 0;
    dealt_.store(0, std::memory_order_relaxed);
    rate_ = rate;
    lost_ = false;
    tempo_changed_ = false;
}

void Capture::write(const Heard& heard) noexcept {
    CaptureBlock* block = room(heard.offline);
    if (block == nullptr) {
        ++blocks_lost_;
        lost_ = true;
        tempo_changed_ = tempo_changed_ || heard.tempo_changed;
        return;
    }
    block->frame = heard.frame;
    block->frames = heard.frames;
    block->jumped = heard.jumped || lost_;
    block->lost = lost_;
    block->tempo_changed = heard.tempo_changed || tempo_changed_;
    block->side_connected = heard.side[0] != nullptr;
    block->offline = heard.offline;
    block->nonfinite_from = heard.nonfinite_from;
    block->nonfinite_to = heard.nonfinite_to;
    block->render_edges = heard.render_edges;
    block->tempo = heard.tempo;
    block->loop = heard.loop;
    block->lanes = heard.lanes;
    copy(heard.main, heard.frames, block->main);
    if (block->side_connected) copy(heard.side, heard.frames, block->side);
    queue_->push();
    ++written_;
    lost_ = false;
    tempo_changed_ = false;
}

bool Capture::take(CaptureBlock& block) {
    const std::lock_guard<std::mutex> lock(queue_exchange_);
    if (queue_ == nullptr || !queue_->try_pop(block)) return false;
    ++taken_;
    return true;
}

void Capture::dealt() {
    const std::lock_guard<std::mutex> lock(queue_exchange_);
    dealt_.store(taken_, std::memory_order_release);
}

void Capture::catch_up() noexcept {
    const Clock::time_point end = deadline();
    while (!abandoned_ && dealt_.load(std::memory_order_acquire) < written_) {
        abandoned_ = Clock::now() >= end;
        std::this_thread::sleep_for(nap);
    }
}

Capture::Clock::time_point Capture::deadline() const noexcept {
    const std::chrono::duration<double> longest(longest_wait_.load(std::memory_order_relaxed));
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(longest);
}

CaptureBlock* Capture::room(bool offline) noexcept {
    CaptureBlock* block = queue_->writable();
    if (block == nullptr && offline && !abandoned_) {
        const Clock::time_point end = deadline();
        while (block == nullptr && Clock::now() < end) {
            std::this_thread::sleep_for(nap);
            block = queue_->writable();
        }
    }
    abandoned_ = block == nullptr && offline;
    return block;
}

}  // namespace segue::plugin
