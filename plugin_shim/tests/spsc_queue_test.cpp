#include "core/spsc_queue.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <thread>

using segue::plugin::SpscQueue;

TEST_CASE("a queue gives back what was put in, in order") {
    SpscQueue<int> queue(3);
    REQUIRE(queue.capacity() == 4);
    for (int turn = 0; turn < 3; ++turn) {  // past the end of its slots
        for (int i = 0; i < 4; ++i) CHECK(queue.try_push(10 * turn + i));
        int value = -1;
        for (int i = 0; i < 4; ++i) {
            CHECK(queue.try_pop(value));
            CHECK(value == 10 * turn + i);
        }
    }
}

TEST_CASE("a full queue takes nothing and an empty one gives nothing") {
    SpscQueue<int> queue(2);
    int value = 7;
    CHECK_FALSE(queue.try_pop(value));
    CHECK(value == 7);
    CHECK(queue.try_push(1));
    CHECK(queue.try_push(2));
    CHECK_FALSE(queue.try_push(3));
    CHECK(queue.writable() == nullptr);
    CHECK(queue.try_pop(value));
    CHECK(value == 1);
    CHECK(queue.try_push(3));
    CHECK(queue.try_pop(value));
    CHECK(queue.try_pop(value));
    CHECK(value == 3);
    CHECK(queue.readable() == nullptr);
}

TEST_CASE("a slot is neither seen before push nor reused before pop") {
    SpscQueue<int> queue(1);
    *queue.writable() = 5;
    CHECK(queue.readable() == nullptr);
    queue.push();
    CHECK(*queue.readable() == 5);
    CHECK(queue.writable() == nullptr);
    queue.pop();
    CHECK(queue.writable() != nullptr);
}

TEST_CASE("two threads pass three million items through a small queue, each whole and in order") {
    struct Item {
        std::uint64_t number = 0;
        std::uint64_t square = 0;
    };
    constexpr std::uint64_t count = 3'000'000;
    SpscQueue<Item> queue(64);
    std::thread producer([&queue] {
        for (std::uint64_t i = 0; i < count;) {
            if (queue.try_push({i, i * i})) {
                ++i;
            } else {
                std::this_thread::yield();
            }
        }
    });
    std::uint64_t wrong = 0;
    Item item;
    for (std::uint64_t i = 0; i < count;) {
        if (!queue.try_pop(item)) {
            std::this_thread::yield();
            continue;
        }
        wrong += item.number != i || item.square != i * i ? 1U : 0U;
        ++i;
    }
    producer.join();
    CHECK(wrong == 0);
    CHECK_FALSE(queue.try_pop(item));
}
