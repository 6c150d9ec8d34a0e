#include "core/playback.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "host_double.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

constexpr double rate = 48000.0;
constexpr std::int64_t fade = 480;  // 10 ms
constexpr Span gap{1000, 9000};

struct Fixture {
    Realtime plugin;
    Host host{plugin, numbered(1)};

    Fixture() { REQUIRE(plugin.activate(rate)); }

    void play(const std::vector<Region>& regions, bool urgent = true) { plugin.play(playlist(regions, rate, urgent)); }
    void set(Parameter parameter, float value) { REQUIRE(plugin.set_parameter(parameter, value)); }
};

// The steepest step that slow sines make, faded into each other over 10 ms, twice at once.
struct Smooth : Fixture {
    static constexpr double peak = 0.4;
    Signal takes[3] = {sine(150.0, peak, rate), sine(210.0, peak, rate), sine(90.0, peak, rate)};
    float allowed = 0.0F;

    Smooth() {
        host.song = sine(120.0, peak, rate);
        const double slope = 2.0 * 3.1416 * 210.0 * peak / rate;
        allowed = static_cast<float>(slope + 2.0 * (2.0 * peak) / static_cast<double>(fade));
        REQUIRE(allowed < 0.02F);  // a hard switch would be seen: signals are up to 0.8 apart
        play({region_of(1, gap, rate, {takes[0], takes[1]})});
        host.seek(gap.start - 64);
        host.play(64 + 1000);
    }

    // Plays on; the sound from just before the change until well after its fade.
    template <typename Change>
    Sound around(Change change) {
        Sound sound = host.play(1);
        change();
        const Sound after = host.play(2 * fade);
        for (int channel = 0; channel < 2; ++channel) {
            auto& all = sound.channels[channel];
            all.insert(all.end(), after.channels[channel].begin(), after.channels[channel].end());
        }
        return sound;
    }
};

Sound tail(const Sound& sound, std::size_t count) { return slice(sound, sound.size() - count, sound.size()); }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a region is heard in its place to the sample, and dry is copied bit by bit around it") {
    play({region_of(1, gap, rate, {numbered(2)})});
    for (const std::uint32_t block : {1U, 17U, 64U, 480U, 10000U}) {
        host.block = block;
        host.seek(0);
        const Sound heard = host.play(10000);
        CHECK(slice(heard, 0, 1000) == sound_of(host.song, {0, 1000}));
        CHECK(slice(heard, 1000, 9000) == sound_of(numbered(2), gap));
        CHECK(slice(heard, 9000, 10000) == sound_of(host.song, {9000, 10000}));
    }
}

TEST_CASE_FIXTURE(Fixture, "a start or a seek into a region is right from the first sample") {
    play({region_of(1, gap, rate, {numbered(2)})});
    host.seek(5001);
    CHECK(host.play(300) == sound_of(numbered(2), {5001, 5301}));
    host.seek(2000);
    CHECK(host.play(300) == sound_of(numbered(2), {2000, 2300}));
    host.seek(20000);
    CHECK(host.play(300) == sound_of(host.song, {20000, 20300}));
}

TEST_CASE_FIXTURE(Fixture, "adjacent and overlapping regions join without a sample lost or heard twice") {
    play({region_of(1, {100, 500}, rate, {numbered(2)}), region_of(2, {500, 700}, rate, {numbered(3)}),
          region_of(3, {650, 800}, rate, {numbered(4)})});
    const Sound heard = host.play(900);
    CHECK(slice(heard, 100, 500) == sound_of(numbered(2), {100, 500}));
    CHECK(slice(heard, 500, 650) == sound_of(numbered(3), {500, 650}));
    CHECK(slice(heard, 650, 800) == sound_of(numbered(4), {650, 800}));
    CHECK(slice(heard, 800, 900) == sound_of(host.song, {800, 900}));
}

TEST_CASE_FIXTURE(Fixture, "a playlist of another rate is not heard: never a wrong pitch") {
    plugin.play(playlist({region_of(1, gap, 44100.0, {numbered(2)})}, 44100.0));
    CHECK(host.play(5000) == sound_of(host.song, {0, 5000}));
    plugin.deactivate();
    REQUIRE(plugin.activate(44100.0));
    host.seek(2000);
    CHECK(host.play(100) == sound_of(numbered(2), {2000, 2100}));
}

TEST_CASE_FIXTURE(Fixture, "a playlist that cannot be played is refused with words, and the one before is heard") {
    play({region_of(1, gap, rate, {numbered(2)})});
    const auto refused = [&](auto damage) {
        const Signal other = numbered(3);
        auto list = playlist({region_of(1, {0, 100}, rate, {other}), region_of(2, {200, 300}, rate, {other})}, rate);
        damage(*list);
        CHECK_THROWS_AS(plugin.play(std::move(list)), std::invalid_argument);
    };
    refused([](Playlist& list) { std::swap(list.segments[0], list.segments[1]); });
    refused([](Playlist& list) { list.segments[1].span.start = 99; });
    refused([](Playlist& list) { list.segments[1].offset = 1; });
    refused([](Playlist& list) { list.segments[1].offset = -1; });
    refused([](Playlist& list) { list.segments[0].takes[0] = nullptr; });
    refused([](Playlist& list) { list.segments[0].takes[3] = audio_of(numbered(3), {0, 99}, rate); });
    refused([](Playlist& list) { list.segments[0].takes[1] = audio_of(numbered(3), {0, 100}, 44100.0); });
    CHECK_THROWS_AS(plugin.play(nullptr), std::invalid_argument);
    host.seek(2000);
    CHECK(host.play(100) == sound_of(numbered(2), {2000, 2100}));
}

TEST_CASE_FIXTURE(Smooth, "a new playlist fades in over 10 ms without a click, and is exact after that") {
    const std::int64_t at = host.transport.frame + 1;
    const Sound heard = around([&] { play({region_of(1, gap, rate, {takes[2]})}); });
    CHECK(steepest(heard) <= allowed);
    CHECK(tail(heard, fade) == sound_of(takes[2], {at + fade, at + 2 * fade}));
    CHECK_FALSE(slice(heard, 0, fade) == sound_of(takes[2], {at - 1, at - 1 + fade}));
}

TEST_CASE_FIXTURE(Smooth, "an undo fades back to dry without a click") {
    const std::int64_t at = host.transport.frame + 1;
    const Sound heard = around([&] { play({}); });
    CHECK(steepest(heard) <= allowed);
    CHECK(tail(heard, fade) == sound_of(host.song, {at + fade, at + 2 * fade}));
}

TEST_CASE_FIXTURE(Smooth, "the candidate changes without a click; a number beyond the last is the first take") {
    const std::int64_t at = host.transport.frame + 1;
    Sound heard = around([&] { set(Parameter::candidate, 2.0F); });
    CHECK(steepest(heard) <= allowed);
    CHECK(tail(heard, fade) == sound_of(takes[1], {at + fade, at + 2 * fade}));
    heard = around([&] { set(Parameter::candidate, 4.0F); });
    CHECK(steepest(heard) <= allowed);
    const std::int64_t end = host.transport.frame;
    CHECK(tail(heard, fade) == sound_of(takes[0], {end - fade, end}));
}

TEST_CASE_FIXTURE(Smooth, "compare goes to the original and back without a click, exact on both sides") {
    Sound heard = around([&] { set(Parameter::compare, 1.0F); });
    CHECK(steepest(heard) <= allowed);
    std::int64_t end = host.transport.frame;
    CHECK(tail(heard, fade) == sound_of(host.song, {end - fade, end}));
    heard = around([&] { set(Parameter::compare, 0.0F); });
    CHECK(steepest(heard) <= allowed);
    end = host.transport.frame;
    CHECK(tail(heard, fade) == sound_of(takes[0], {end - fade, end}));
}

TEST_CASE_FIXTURE(Smooth, "mix is a blend of dry and rendered, and automation of it does not click") {
    set(Parameter::mix, 0.25F);
    host.play(2 * fade);
    const std::int64_t at = host.transport.frame;
    const Sound heard = host.play(100);
    for (std::size_t i = 0; i < 100; ++i) {
        const std::int64_t frame = at + static_cast<std::int64_t>(i);
        const float expected = 0.75F * host.song(0, frame) + 0.25F * takes[0](0, frame);
        CHECK(heard.channels[0][i] == doctest::Approx(expected).epsilon(1e-5));
    }
    Sound swept = host.play(1);
    for (int step = 0; step < 30; ++step) {  // the wildest automation: from end to end, each block
        set(Parameter::mix, step % 2 == 0 ? 1.0F : 0.0F);
        const Sound more = host.play(64);
        for (int channel = 0; channel < 2; ++channel) {
            auto& all = swept.channels[channel];
            all.insert(all.end(), more.channels[channel].begin(), more.channels[channel].end());
        }
    }
    CHECK(steepest(swept) <= allowed);
}

TEST_CASE_FIXTURE(Smooth, "changes that come while another fades wait for it, click less, and the last one wins") {
    const Sound heard = around([&] {
        set(Parameter::candidate, 2.0F);
        host.play(64);
        play({region_of(1, gap, rate, {takes[2]})});
        host.play(64);
        play({region_of(2, gap, rate, {takes[1], takes[2]})});
        set(Parameter::candidate, 1.0F);
    });
    CHECK(steepest(slice(heard, 1, heard.size())) <= allowed);
    host.play(fade);
    const std::int64_t at = host.transport.frame;
    CHECK(host.play(100) == sound_of(takes[1], {at, at + 100}));
}

TEST_CASE_FIXTURE(Fixture, "a playlist that leaves a region as it is changes none of its samples") {
    const std::vector<Region> one{region_of(1, gap, rate, {numbered(2)})};
    std::vector<Region> two = one;
    two.push_back(region_of(2, {20000, 20100}, rate, {numbered(3)}));
    play(one);
    host.seek(2000);
    host.play(100);
    play(two);
    CHECK(host.play(2000) == sound_of(numbered(2), {2100, 4100}));
    host.seek(19000);
    play(one);
    CHECK(host.play(900) == sound_of(host.song, {19000, 19900}));
}

TEST_CASE_FIXTURE(Fixture, "a playlist that is not urgent waits until no region sounds") {
    play({region_of(1, gap, rate, {numbered(2)})});
    host.seek(2000);
    host.play(100);
    play({region_of(1, gap, rate, {numbered(3)})}, false);
    CHECK(host.play(6900) == sound_of(numbered(2), {2100, 9000}));
    host.play(1000);
    host.seek(2000);
    CHECK(host.play(100) == sound_of(numbered(3), {2000, 2100}));
}

TEST_CASE_FIXTURE(Fixture, "a playlist that is not urgent does not wait where the original is heard, or after a stop") {
    play({region_of(1, gap, rate, {numbered(2)})});
    set(Parameter::compare, 1.0F);
    host.seek(2000);
    host.play(100);
    play({region_of(1, gap, rate, {numbered(3)})}, false);
    host.play(600);
    set(Parameter::compare, 0.0F);
    host.play(600);
    CHECK(host.play(100) == sound_of(numbered(3), {3300, 3400}));
    play({region_of(1, gap, rate, {numbered(4)})}, false);
    host.transport.playing = false;
    host.play(1000);
    host.transport.playing = true;
    host.seek(3400);
    CHECK(host.play(100) == sound_of(numbered(4), {3400, 3500}));
}

TEST_CASE_FIXTURE(Fixture, "an urgent playlist stays urgent when a later one, which is not, replaces it") {
    play({region_of(1, gap, rate, {numbered(2), numbered(3)})});
    host.seek(2000);
    host.play(64);
    set(Parameter::candidate, 2.0F);
    host.play(64);  // fades: what comes now has to wait
    play({region_of(1, gap, rate, {numbered(4)})}, true);
    host.play(64);
    play({region_of(1, gap, rate, {numbered(5)})}, false);
    host.play(64 + 2 * fade);
    const std::int64_t at = host.transport.frame;
    CHECK(host.play(100) == sound_of(numbered(5), {at, at + 100}));
}

TEST_CASE_FIXTURE(Smooth, "a stop within a region fades to dry, and what stands still is dry bit by bit") {
    const Sound heard = around([&] { host.transport.playing = false; });
    CHECK(steepest(heard) <= allowed);
    const Sound dry = sound_of(host.song, {gap.start + 1000, gap.start + 1001 + 2 * fade});
    CHECK(tail(heard, fade) == tail(dry, fade));
}

TEST_CASE("playlists are deleted by the worker once they are heard no more, and the last ones with the plug-in") {
    std::weak_ptr<const Audio> first;
    std::weak_ptr<const Audio> second;
    const auto list = [](std::weak_ptr<const Audio>& watched) {
        auto made = playlist({region_of(1, gap, rate, {numbered(2)})}, rate);
        watched = made->segments[0].takes[0];
        return made;
    };
    {
        Realtime plugin;
        REQUIRE(plugin.activate(rate));
        Host host(plugin, numbered(1));
        plugin.play(list(first));
        host.seek(2000);
        host.play(64);
        plugin.play(list(second));
        host.play(64);
        plugin.collect();
        CHECK_FALSE(first.expired());  // it fades out
        host.play(fade);
        CHECK_FALSE(first.expired());  // not on the audio thread
        plugin.collect();
        CHECK(first.expired());
        CHECK_FALSE(second.expired());
    }
    CHECK(second.expired());
}

TEST_CASE("a playlist whose fade ended with a block is deleted though the next one comes with the next block") {
    std::weak_ptr<const Audio> first;
    Realtime plugin;
    REQUIRE(plugin.activate(rate));
    Host host(plugin, numbered(1));
    const auto play = [&](std::uint32_t seed) {
        auto made = playlist({region_of(1, gap, rate, {numbered(seed)})}, rate);
        if (first.expired()) first = made->segments[0].takes[0];
        plugin.play(std::move(made));
    };
    play(2);
    host.seek(2000);
    host.play(64);
    play(3);
    host.play(fade);
    play(4);
    host.play(64);
    plugin.collect();
    CHECK(first.expired());
}
