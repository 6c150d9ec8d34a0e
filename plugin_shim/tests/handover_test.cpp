#include "core/handover.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

using segue::plugin::Handover;

namespace {

// Knows how many of it live, and whether one was deleted on a thread that must not delete.
struct Counted {
    static inline std::atomic<int> alive{0};
    static inline std::atomic<int> deleted_wrongly{0};
    static inline thread_local bool may_delete = true;

    std::uint64_t number;

    explicit Counted(std::uint64_t n) : number(n) { ++alive; }
    ~Counted() {
        --alive;
        if (!may_delete) ++deleted_wrongly;
    }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
};

}  // namespace

TEST_CASE("the newest object is handed over, and one that nobody took is deleted") {
    Handover<Counted> handover;
    CHECK(handover.take() == nullptr);
    handover.offer(std::make_unique<Counted>(1));
    handover.offer(std::make_unique<Counted>(2));
    CHECK(Counted::alive == 1);
    const Counted* taken = handover.take();
    REQUIRE(taken != nullptr);
    CHECK(taken->number == 2);
    CHECK(handover.take() == nullptr);
    handover.retire(taken);
    CHECK(Counted::alive == 1);
    handover.collect();
    CHECK(Counted::alive == 0);
}

TEST_CASE("objects that were offered or retired are deleted with the handover") {
    {
        Handover<Counted> handover;
        handover.offer(std::make_unique<Counted>(1));
        handover.retire(handover.take());
        handover.offer(std::make_unique<Counted>(2));
        handover.retire(handover.take());
        handover.offer(std::make_unique<Counted>(3));
        handover.retire(nullptr);
    }
    CHECK(Counted::alive == 0);
}

TEST_CASE("a worker offers 200,000 objects to a thread that holds as many as it may: none is lost, none freed there") {
    constexpr std::uint64_t count = 200'000;
    Handover<Counted> handover;
    std::uint64_t backwards = 0;
    std::thread audio([&] {
        Counted::may_delete = false;
        std::array<const Counted*, Handover<Counted>::max_held - 1> held{};
        std::uint64_t last = 0;
        std::size_t next = 0;
        while (last < count) {
            const Counted* taken = handover.take();
            if (taken == nullptr) {
                std::this_thread::yield();
                continue;
            }
            backwards += taken->number <= last ? 1U : 0U;
            last = taken->number;
            handover.retire(held[next]);
            held[next] = taken;
            next = (next + 1) % held.size();
        }
        for (const Counted* object : held) handover.retire(object);
    });
    for (std::uint64_t i = 1; i <= count; ++i) handover.offer(std::make_unique<Counted>(i));
    audio.join();
    CHECK(Counted::alive <= static_cast<int>(Handover<Counted>::max_held) + 1);
    handover.collect();
    CHECK(Counted::alive == 0);
    CHECK(Counted::deleted_wrongly == 0);
    CHECK(backwards == 0);
}
