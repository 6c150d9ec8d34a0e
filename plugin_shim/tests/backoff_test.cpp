// When the link tries again.
#include <doctest/doctest.h>

#include <vector>

#include "core/link/backoff.hpp"

using namespace segue::plugin;

namespace {

Clock::time_point after(Clock::time_point from, double seconds) {
    return from + std::chrono::duration_cast<Clock::duration>(Seconds(seconds));
}

}  // namespace

TEST_CASE("the first try is at once, the next ones 0.25 s apart and twice as long each time, up to 8 s") {
    Backoff backoff;
    Clock::time_point now = Clock::now();
    CHECK(backoff.due(now));
    for (const double wait : {0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0}) {
        backoff.failed(now);
        CHECK(backoff.left(now).count() == doctest::Approx(wait));
        CHECK_FALSE(backoff.due(after(now, wait - 0.001)));
        now = after(now, wait);
        CHECK(backoff.due(now));
    }
}

TEST_CASE("after a success the waits are short again") {
    Backoff backoff;
    const Clock::time_point now = Clock::now();
    for (int i = 0; i < 5; ++i) backoff.failed(now);
    backoff.reset();
    CHECK(backoff.due(now));
    backoff.failed(now);
    CHECK(backoff.left(now).count() == doctest::Approx(0.25));
}

TEST_CASE("waiting for what is under way does not make the next waits longer") {
    Backoff backoff;
    const Clock::time_point now = Clock::now();
    for (int i = 0; i < 10; ++i) backoff.wait_at_least(now, Seconds(0.25));
    CHECK(backoff.left(now).count() == doctest::Approx(0.25));
    backoff.failed(now);
    CHECK(backoff.left(now).count() == doctest::Approx(0.25));
}
