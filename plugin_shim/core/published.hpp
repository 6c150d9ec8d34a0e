// The latest value of a small record: one thread writes and never waits, any thread reads, nobody sees half of two.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <thread>
#include <type_traits>

namespace segue::plugin {

template <typename T>
class Published {
    static_assert(std::is_trivially_copyable_v<T>, "copied word by word");

public:
    Published() noexcept { write(T{}); }

    // Wait-free. From one thread at a time.
    void write(const T& value) noexcept {
        std::array<std::uint64_t, words> raw{};
        std::memcpy(raw.data(), &value, sizeof value);
        const std::uint64_t turn = turn_.load(std::memory_order_relaxed);
        turn_.store(turn + 1, std::memory_order_relaxed);
        // release: whoever sees a new word also sees the odd turn before it, and reads again
        for (std::size_t i = 0; i < words; ++i) words_[i].store(raw[i], std::memory_order_release);
        turn_.store(turn + 2, std::memory_order_release);
    }

    [[nodiscard]] T read() const noexcept {
        std::array<std::uint64_t, words> raw{};
        for (;;) {
            const std::uint64_t turn = turn_.load(std::memory_order_acquire);
            for (std::size_t i = 0; i < words; ++i) raw[i] = words_[i].load(std::memory_order_acquire);
            if (turn % 2 == 0 && turn_.load(std::memory_order_relaxed) == turn) break;
            std::this_thread::yield();
        }
        T value;
        std::memcpy(static_cast<void*>(&value), raw.data(), sizeof value);
        return value;
    }

private:
    static constexpr std::size_t words = (sizeof(T) + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);

    std::atomic<std::uint64_t> turn_{0};  // odd while a value is being written
    std::array<std::atomic<std::uint64_t>, words> words_{};
};

}  // namespace segue::plugin
