// Counts what an audio thread must not do: take or free memory, lock, wait, wake, log, enter the kernel.
//
// Linked into a program, watch.cpp replaces the C library's functions for all of it, shared libraries included. Linux
// with glibc, on x86-64 and aarch64.
#pragma once

#include <array>
#include <cstddef>

namespace segue::plugin::realtime_check {

enum class Offence : std::size_t { allocation, release, lock, log, system_call, count };

inline constexpr std::size_t offences = static_cast<std::size_t>(Offence::count);

struct Counts {
    std::array<long, offences> number{};
    const char* first_function = nullptr;  // of those that were replaced
    long first_system_call = -1;           // its number

    [[nodiscard]] long of(Offence offence) const noexcept { return number[static_cast<std::size_t>(offence)]; }
    [[nodiscard]] long total() const noexcept {
        long sum = 0;
        for (const long one : number) sum += one;
        return sum;
    }
};

// From here on the kernel reports each system call of this thread, for as long as it lives. False: it refuses to, and
// system calls are not counted.
[[nodiscard]] bool watch_system_calls() noexcept;

// What this thread does between the two is counted.
void begin() noexcept;
[[nodiscard]] Counts end() noexcept;

}  // namespace segue::plugin::realtime_check
