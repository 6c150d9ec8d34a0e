// Offline bounces: faster than real time, allowed to wait, never silent.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "core/marker.hpp"
#include "host_double.hpp"
#include "surroundings.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

constexpr double rate = 48000.0;
constexpr Span gap{3000, 70000};

struct Bounce {
    Realtime plugin;
    Host host{plugin, numbered(1)};

    Bounce() {
        REQUIRE(plugin.activate(rate));
        plugin.set_capture_wait(600.0);  // longer than any machine leaves a thread alone
        host.transport.offline = true;
        host.block = 1000;
    }

    void await(const std::vector<Region>& regions, const std::vector<Span>& spans) {
        auto list = playlist(regions, rate);
        list->awaited = spans;
        plugin.play(std::move(list));
    }

    // Bounces from the start; nobody but the test takes what is captured.
    Sound bounce_alone(std::int64_t frames) {
        host.seek(0);
        return host.play(frames);
    }

    // Bounces from the start, with a worker that takes what is captured.
    Sound bounce(std::int64_t frames) {
        host.seek(0);
        auto sound = std::async(std::launch::async, [&] { return host.play(frames); });
        while (sound.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) host.captured();
        host.captured();
        return sound.get();
    }
};

Sound markers(const Span& span) {
    return sound_of([&](int, std::int64_t frame) { return marker(frame - span.start, rate); }, span);
}

}  // namespace

TEST_CASE_FIXTURE(Bounce, "fault 11: a bounce waits for a render that was asked for, and plays all of it") {
    await({}, {gap});
    std::thread worker([&] {
        while (!plugin.state().waiting) std::this_thread::yield();
        plugin.play(playlist({region_of(1, gap, rate, {numbered(2)})}, rate, false));
    });
    const Sound heard = bounce(80000);
    worker.join();
    CHECK(slice(heard, 0, 3000) == sound_of(host.song, {0, 3000}));
    CHECK(slice(heard, 3000, 70000) == sound_of(numbered(2), gap));
    CHECK(slice(heard, 70000, 80000) == sound_of(host.song, {70000, 80000}));
    CHECK(plugin.state().bounce_refusals == 0);
    CHECK_FALSE(plugin.state().waiting);
}

TEST_CASE_FIXTURE(Bounce, "fault 11: a bounce does not begin before what was played has had its consequences") {
    host.transport.offline = false;
    host.play(2000);  // captured, and not yet looked at
    host.transport.offline = true;
    plugin.set_bounce_wait(0.05);
    std::thread worker([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the bounce stands before its first block
        CaptureBlock block;
        while (plugin.take(block)) continue;
        await({}, {gap});
        plugin.dealt();
    });
    const Sound heard = bounce_alone(10000);
    worker.join();
    CHECK(slice(heard, 0, 3000) == sound_of(host.song, {0, 3000}));
    CHECK(slice(heard, 3000, 10000) == slice(markers(gap), 0, 7000));
}

TEST_CASE_FIXTURE(Bounce, "fault 11: a bounce right behind another, or behind a new activation, waits for its worker too") {
    const auto waits = [&] {
        const Stopwatch watch;
        bounce_alone(1000);
        return watch.seconds() >= 0.2;  // nobody deals with what was heard: as long as a bounce waits for that
    };
    plugin.set_capture_wait(0.2);
    bounce_alone(1000);
    host.captured();
    host.play(9000);  // a bounce that is heard, and not yet looked at
    CHECK(waits());
    plugin.deactivate();
    REQUIRE(plugin.activate(rate));
    CHECK(waits());
}

TEST_CASE_FIXTURE(Bounce, "fault 11: a bounce that waited in vain refuses aloud, and two bounces are identical") {
    await({}, {gap});
    plugin.set_bounce_wait(0.05);
    const auto began = std::chrono::steady_clock::now();
    const Sound heard = bounce(80000);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    CHECK(took.count() >= 0.05);
    CHECK(slice(heard, 0, 3000) == sound_of(host.song, {0, 3000}));
    CHECK(slice(heard, 3000, 70000) == markers(gap));
    CHECK(slice(heard, 70000, 80000) == sound_of(host.song, {70000, 80000}));
    CHECK(plugin.state().bounce_refusals == 1);
    CHECK(plugin.state().refused == gap);
    host.block = 333;
    CHECK(bounce(80000) == heard);
    CHECK(plugin.state().bounce_refusals == 2);
}

TEST_CASE("the marker is three bursts of 1 kHz a second, 60 ms each, at -12 dBFS, without a click") {
    std::vector<float> second;
    for (std::int64_t i = 0; i < 48000; ++i) second.push_back(marker(48000 * 7 + i, rate));
    const auto peak = [&](double from, double to) {
        float most = 0.0F;
        for (auto i = static_cast<std::size_t>(from * rate); i < static_cast<std::size_t>(to * rate); ++i) {
            most = std::max(most, std::abs(second[i]));
        }
        return most;
    };
    for (const double burst : {0.0, 0.12, 0.24}) {
        CHECK(20.0 * std::log10(peak(burst, burst + 0.06)) == doctest::Approx(-12.0).epsilon(1e-4));
        CHECK(peak(burst + 0.0605, burst + 0.1195) == 0.0F);
    }
    CHECK(peak(0.3005, 1.0) == 0.0F);
    int rising = 0;
    for (std::size_t i = 1; i < 2880; ++i) rising += second[i - 1] < 0.0F && second[i] >= 0.0F ? 1 : 0;
    CHECK(rising == doctest::Approx(60).epsilon(0.02));
    Sound sound{{second, second}};
    CHECK(steepest(sound) <= 0.252F * 2.0F * 3.1416F * 1000.0F / 48000.0F);
}

TEST_CASE_FIXTURE(Bounce, "each of several awaited renders is waited for in its turn, within one block too") {
    const Span first{100, 200};
    const Span second{450, 500};
    await({region_of(7, {300, 400}, rate, {numbered(7)})}, {second, first});
    plugin.set_bounce_wait(0.02);
    const Sound heard = bounce(1000);
    CHECK(slice(heard, 0, 100) == sound_of(host.song, {0, 100}));
    CHECK(slice(heard, 100, 200) == markers(first));
    CHECK(slice(heard, 200, 300) == sound_of(host.song, {200, 300}));
    CHECK(slice(heard, 300, 400) == sound_of(numbered(7), {300, 400}));
    CHECK(slice(heard, 400, 450) == sound_of(host.song, {400, 450}));
    CHECK(slice(heard, 450, 500) == markers(second));
    CHECK(plugin.state().bounce_refusals == 2);
}

TEST_CASE_FIXTURE(Bounce, "fault 11: a render that fails while a bounce waits for it is refused aloud too, not passed over") {
    await({}, {gap});
    std::thread worker([&] {
        while (!plugin.state().waiting) std::this_thread::yield();
        plugin.play(playlist({}, rate));
    });
    const Sound heard = bounce(80000);
    worker.join();
    CHECK(slice(heard, 3000, 70000) == markers(gap));
    CHECK(slice(heard, 70000, 80000) == sound_of(host.song, {70000, 80000}));
    CHECK(plugin.state().bounce_refusals == 1);
}

TEST_CASE_FIXTURE(Bounce, "a render that comes after the refusal is heard in the next bounce, not in this one") {
    await({}, {gap});
    plugin.set_bounce_wait(0.01);
    bounce(10000);
    plugin.play(playlist({region_of(1, gap, rate, {numbered(2)})}, rate));
    CHECK(host.play(60000) == slice(markers(gap), 7000, 67000));
    CHECK(slice(bounce(80000), 3000, 70000) == sound_of(numbered(2), gap));
}

TEST_CASE_FIXTURE(Bounce, "a bounce does not wait where nothing was asked for, or the original is heard; nor does real time") {
    plugin.set_bounce_wait(1e9);
    CHECK(bounce(10000) == sound_of(host.song, {0, 10000}));
    await({}, {gap});
    REQUIRE(plugin.set_parameter(Parameter::compare, 1.0F));
    CHECK(bounce(10000) == sound_of(host.song, {0, 10000}));
    REQUIRE(plugin.set_parameter(Parameter::compare, 0.0F));
    host.transport.offline = false;
    CHECK(bounce(10000) == sound_of(host.song, {0, 10000}));
    CHECK(plugin.state().bounce_refusals == 0);
}

TEST_CASE_FIXTURE(Bounce, "a bounce faster than its worker loses nothing of the capture") {
    host.seek(0);
    std::int64_t expected = 0;
    std::int64_t wrong = 0;
    host.block = 64;  // 2 s of such blocks fit the queue; these are 10 s
    auto bounced = std::async(std::launch::async, [&] { return host.play(480000).size(); });
    for (bool last = false; !last;) {
        last = bounced.wait_for(std::chrono::seconds(0)) == std::future_status::ready;  // what it wrote is taken below
        std::this_thread::yield();
        for (const CaptureBlock& block : host.captured()) {
            wrong += block.frame != expected || block.lost || !block.offline ? 1 : 0;
            expected = block.frame + block.frames;
        }
    }
    CHECK(bounced.get() == 480000);
    CHECK(expected == 480000);
    CHECK(wrong == 0);
    CHECK(plugin.state().blocks_lost == 0);
}
