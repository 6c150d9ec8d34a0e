// When to try again: at once, then 0.25 s after a failure, twice as long after each further one, at most 8 s.
#pragma once

#include <algorithm>
#include <chrono>

namespace segue::plugin {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

class Backoff {
public:
    static constexpr Seconds first{0.25};
    static constexpr Seconds most{8.0};

    [[nodiscard]] bool due(Clock::time_point now) const noexcept { return now >= next_; }

    [[nodiscard]] Seconds left(Clock::time_point now) const noexcept {
        return std::max(Seconds(0.0), Seconds(next_ - now));
    }

    void failed(Clock::time_point now) noexcept {
        wait_at_least(now, wait_);
        wait_ = std::min(2.0 * wait_, most);
    }

    // Without growing: for something that is under way.
    void wait_at_least(Clock::time_point now, Seconds wait) noexcept {
        next_ = now + std::chrono::duration_cast<Clock::duration>(wait);
    }

    void reset() noexcept { *this = Backoff(); }

private:
    Clock::time_point next_{};
    Seconds wait_ = first;
};

}  // namespace segue::plugin
