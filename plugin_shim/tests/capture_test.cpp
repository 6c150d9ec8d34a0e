#include "core/capture.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "surroundings.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

constexpr double rate = 8000.0;

// Pieces of a song whose samples are their own position.
struct Writer {
    Capture& capture;
    std::array<float, block_frames> left{};
    std::array<float, block_frames> right{};

    Capture::Heard piece(std::int64_t frame, std::uint32_t frames = block_frames) {
        for (std::uint32_t i = 0; i < frames; ++i) {
            left[i] = static_cast<float>(frame + i);
            right[i] = -left[i];
        }
        Capture::Heard heard;
        heard.frame = frame;
        heard.frames = frames;
        heard.main = {left.data(), right.data()};
        return heard;
    }

    // As many pieces as there is room for.
    std::int64_t fill(std::int64_t frame = 0) {
        std::int64_t written = 0;
        const std::uint64_t lost = capture.blocks_lost();
        while (capture.blocks_lost() == lost) {
            capture.write(piece(frame));
            frame += block_frames;
            ++written;
        }
        return written - 1;
    }
};

std::int64_t drain(Capture& capture) {
    CaptureBlock block;
    std::int64_t taken = 0;
    while (capture.take(block)) ++taken;
    return taken;
}

}  // namespace

TEST_CASE("all of a piece is written down") {
    Capture capture;
    CaptureBlock block;
    CHECK_FALSE(capture.take(block));  // before the first activation
    capture.activate(rate);
    Writer writer{capture};
    Capture::Heard heard = writer.piece(1000, 17);
    heard.jumped = true;
    heard.tempo_changed = true;
    heard.offline = true;
    heard.nonfinite_from = 3;
    heard.nonfinite_to = 5;
    heard.tempo = 93.5;
    heard.loop = {10, 20};
    heard.lanes = {0.1F, 0.2F, 0.3F, 1.0F};
    heard.side = {writer.right.data(), writer.left.data()};
    capture.write(heard);
    REQUIRE(capture.take(block));
    CHECK(block.frame == 1000);
    CHECK(block.frames == 17);
    CHECK(block.jumped);
    CHECK(block.tempo_changed);
    CHECK(block.offline);
    CHECK_FALSE(block.lost);
    CHECK(block.nonfinite_from == 3);
    CHECK(block.nonfinite_to == 5);
    CHECK(block.tempo == 93.5);
    CHECK(block.loop == Span{10, 20});
    CHECK(block.lanes.freedom == 0.1F);
    CHECK(block.lanes.guidance == 0.2F);
    CHECK(block.lanes.style == 0.3F);
    CHECK(block.lanes.gap == 1.0F);
    CHECK(block.side_connected);
    for (std::uint32_t i = 0; i < 17; ++i) {
        CHECK(block.main[0][i] == static_cast<float>(1000 + i));
        CHECK(block.main[1][i] == -block.main[0][i]);
        CHECK(block.side[0][i] == block.main[1][i]);
        CHECK(block.side[1][i] == block.main[0][i]);
    }
    capture.write(writer.piece(1017));
    REQUIRE(capture.take(block));
    CHECK_FALSE(block.jumped);
    CHECK_FALSE(block.side_connected);
    CHECK_FALSE(capture.take(block));
}

TEST_CASE("a full queue loses blocks, counts them, and the next one written says so once") {
    Capture capture;
    capture.activate(rate);
    Writer writer{capture};
    const std::int64_t room = writer.fill();
    CHECK(static_cast<double>(room) * 64.0 >= 2.0 * rate);  // 2 s in blocks of 64
    Capture::Heard changed = writer.piece(0);
    changed.tempo_changed = true;
    capture.write(changed);
    CHECK(capture.blocks_lost() == 2);
    CHECK(drain(capture) == room);
    capture.write(writer.piece(5000));
    capture.write(writer.piece(5256));
    CaptureBlock block;
    REQUIRE(capture.take(block));
    CHECK(block.lost);
    CHECK(block.jumped);
    CHECK(block.tempo_changed);
    REQUIRE(capture.take(block));
    CHECK_FALSE(block.lost);
    CHECK_FALSE(block.jumped);
    CHECK_FALSE(block.tempo_changed);
}

TEST_CASE("offline it waits for room and loses nothing") {
    Capture capture;
    capture.activate(rate);
    Writer writer{capture};
    const std::int64_t room = writer.fill();
    const std::int64_t count = 20 * room;
    capture.set_longest_wait(600.0);  // longer than any machine leaves a thread alone
    std::atomic<bool> done{false};
    std::thread host([&] {
        for (std::int64_t i = 0; i < count; ++i) {
            Capture::Heard heard = writer.piece(i * block_frames);
            heard.offline = true;
            capture.write(heard);
        }
        done.store(true);
    });
    std::int64_t out_of_order = 0;
    std::int64_t taken = -room;
    CaptureBlock block;
    for (bool last = false; !last;) {
        last = done.load();  // nothing is written after this, and the rest is taken below
        std::this_thread::yield();
        while (capture.take(block)) {
            if (taken >= 0 && (block.frame != taken * block_frames || (block.lost && taken > 0))) ++out_of_order;
            ++taken;
        }
    }
    host.join();
    CHECK(taken == count);
    CHECK(out_of_order == 0);
    CHECK(capture.blocks_lost() == 1);  // the one that showed that the queue was full
}

TEST_CASE("offline, a worker that never comes costs one second in all, not one a block") {
    Capture capture;
    capture.activate(rate);
    Writer writer{capture};
    writer.fill();
    Capture::Heard heard = writer.piece(0);
    heard.offline = true;
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i) capture.write(heard);
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - began;
    CHECK(waited.count() >= 1.0);
    CHECK(waited.count() < 20.0);  // a second for each block would be a hundred
    CHECK(capture.blocks_lost() == 101);
}

TEST_CASE("offline, how long it waits for a worker can be set") {
    const auto waits = [] {
        Capture capture;
        capture.activate(rate);
        capture.set_longest_wait(0.0);
        Writer writer{capture};
        writer.fill();
        Capture::Heard heard = writer.piece(0);
        heard.offline = true;
        const Stopwatch watch;
        capture.write(heard);
        CHECK(capture.blocks_lost() == 2);
        return watch.seconds();
    };
    CHECK(quickest(waits) < 0.5);  // by itself it is a second
}

TEST_CASE("what was not taken survives an activation at the same rate and none at another") {
    Capture capture;
    capture.activate(rate);
    Writer writer{capture};
    capture.write(writer.piece(0));
    capture.activate(rate);
    CHECK(drain(capture) == 1);
    capture.write(writer.piece(0));
    capture.activate(2 * rate);
    CHECK(drain(capture) == 0);
}

TEST_CASE("a worker may take while the rate changes") {
    Capture capture;
    std::thread worker([&] {
        CaptureBlock block;
        while (block.frame != -1) static_cast<void>(capture.take(block));
    });
    Writer writer{capture};
    for (int i = 0; i < 50; ++i) {
        capture.activate(rate + i);
        capture.write(writer.piece(i));
    }
    capture.write(writer.piece(-1, 1));
    worker.join();
    CHECK(capture.blocks_lost() == 0);
}
