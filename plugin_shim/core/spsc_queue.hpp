// A bounded queue between one producer thread and one consumer thread. Nobody waits, nothing is allocated after
// construction; elements are written and read in place.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

namespace segue::plugin {

template <typename T>
class SpscQueue {
public:
    // Holds at least `least` elements: the next power of two.
    explicit SpscQueue(std::size_t least) : slots_(power_of_two(least)), mask_(slots_.size() - 1) {}
    SpscQueue(const SpscQueue&) = delete;
    SpscQueue& operator=(const SpscQueue&) = delete;

    [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }

    // Producer: the slot to write next, with whatever an earlier element left in it; nullptr: full.
    [[nodiscard]] T* writable() noexcept {
        const std::size_t tail = tail_.load(std::memory_order_relaxed);
        if (tail - known_head_ == slots_.size()) known_head_ = head_.load(std::memory_order_acquire);
        return tail - known_head_ == slots_.size() ? nullptr : &slots_[tail & mask_];
    }

    // Producer: hands over the slot that writable() gave.
    void push() noexcept { tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

    // Consumer: the oldest element; nullptr: empty.
    [[nodiscard]] T* readable() noexcept {
        const std::size_t head = head_.load(std::memory_order_relaxed);
        if (head == known_tail_) known_tail_ = tail_.load(std::memory_order_acquire);
        return head == known_tail_ ? nullptr : &slots_[head & mask_];
    }

    // Consumer: gives back the slot that readable() gave.
    void pop() noexcept { head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

    // Producer. False: full.
    [[nodiscard]] bool try_push(T value) noexcept {
        T* slot = writable();
        if (slot == nullptr) return false;
        *slot = std::move(value);
        push();
        return true;
    }

    // Consumer. False: empty, and `value` as it was.
    [[nodiscard]] bool try_pop(T& value) noexcept {
        T* slot = readable();
        if (slot == nullptr) return false;
        value = std::move(*slot);
        pop();
        return true;
    }

private:
    // Producer's and consumer's counters each have a cache line of their own, with a copy of the other's that is
    // refreshed only when it seems that there is no room or nothing to read.
    static constexpr std::size_t cache_line = 64;

    static std::size_t power_of_two(std::size_t least) noexcept {
        std::size_t size = 1;
        while (size < least) size *= 2;
        return size;
    }

    std::vector<T> slots_;
    std::size_t mask_;
    alignas(cache_line) std::atomic<std::size_t> tail_{0};  // elements ever pushed
    std::size_t known_head_ = 0;
    alignas(cache_line) std::atomic<std::size_t> head_{0};  // elements ever popped
    std::size_t known_tail_ = 0;
};

}  // namespace segue::plugin
