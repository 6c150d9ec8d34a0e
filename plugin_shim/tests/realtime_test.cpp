#include "core/realtime.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "core/denormals.hpp"
#include "host_double.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

constexpr double rate = 48000.0;

// What was captured, sample by sample, however it was cut into blocks.
std::map<std::int64_t, std::vector<float>> samples_of(const std::vector<CaptureBlock>& blocks) {
    std::map<std::int64_t, std::vector<float>> samples;
    for (const CaptureBlock& block : blocks) {
        for (std::uint32_t i = 0; i < block.frames; ++i) {
            std::vector<float> sample{block.main[0][i], block.main[1][i]};
            if (block.side_connected) sample.insert(sample.end(), {block.side[0][i], block.side[1][i]});
            samples[block.frame + i] = sample;
        }
    }
    return samples;
}

std::vector<std::int64_t> jumps_of(const std::vector<CaptureBlock>& blocks) {
    std::vector<std::int64_t> jumps;
    for (const CaptureBlock& block : blocks) {
        if (block.jumped) jumps.push_back(block.frame);
    }
    return jumps;
}

struct Fixture {
    Realtime plugin;
    Host host{plugin, numbered(1)};

    Fixture() { REQUIRE(plugin.activate(rate)); }

    // A route with a seek, a loop and a stop, in blocks of random sizes.
    std::tuple<Sound, std::vector<CaptureBlock>> ride(std::uint32_t seed) {
        std::mt19937 random(seed);
        const auto next_block = [&random] { return 1 + static_cast<std::uint32_t>(random() % 700); };
        Sound all;
        const auto play = [&](std::int64_t start, std::int64_t frames) {
            host.seek(start);
            const Sound part = host.play(frames, next_block);
            for (int channel = 0; channel < 2; ++channel) {
                all.channels[channel].insert(all.channels[channel].end(), part.channels[channel].begin(),
                                             part.channels[channel].end());
            }
        };
        play(0, 5000);
        play(20000, 5000);
        play(4000, 3000);
        play(4000, 3000);
        host.transport.playing = false;
        play(8000, 2000);
        host.transport.playing = true;
        play(7000, 4000);
        return {all, host.captured()};
    }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "any partition into blocks gives the same output and the same capture") {
    host.side = numbered(9);
    const Region regions[] = {region_of(1, {1000, 6500}, rate, {numbered(2)}),
                              region_of(2, {6000, 6100}, rate, {numbered(3)}),
                              region_of(3, {21000, 21001}, rate, {numbered(4)})};
    plugin.play(playlist({regions[0], regions[1], regions[2]}, rate));
    const auto [sound, blocks] = ride(0);
    const auto samples = samples_of(blocks);
    CHECK(samples.size() == 11000 + 5000);
    CHECK(jumps_of(blocks) == std::vector<std::int64_t>{0, 20000, 4000, 4000, 7000});
    for (std::uint32_t seed = 1; seed < 30; ++seed) {
        host.in_place = seed % 2 == 0;
        const auto [again, more] = ride(seed);
        CHECK(again == sound);
        CHECK(samples_of(more) == samples);
        CHECK(jumps_of(more) == jumps_of(blocks));
    }
}

TEST_CASE_FIXTURE(Fixture, "fault 04: blocks of 0, 1, 17 and twice the usual size give exactly as many samples") {
    for (const std::uint32_t frames : {0U, 1U, 17U, 64U, 128U, 8192U}) {
        constexpr std::size_t guard = 16;
        constexpr float untouched = 123.0F;
        std::vector<float> out[2] = {std::vector<float>(frames + guard, untouched),
                                     std::vector<float>(frames + guard, untouched)};
        const std::vector<float> in(frames, 0.25F);
        const float* inputs[] = {in.data(), in.data()};
        float* outputs[] = {out[0].data(), out[1].data()};
        plugin.process(inputs, outputs, nullptr, frames, host.transport);
        for (const auto& channel : out) {
            for (std::size_t i = 0; i < channel.size(); ++i) CHECK(channel[i] == (i < frames ? 0.25F : untouched));
        }
        std::uint32_t captured = 0;
        for (const CaptureBlock& block : host.captured()) captured += block.frames;
        CHECK(captured == frames);
    }
}

TEST_CASE("fault 05: a rate that is not whole, or not from 8 to 768 kHz, is refused with words; audio passes through") {
    for (const double good : {8000.0, 11025.0, 44100.0, 48000.0, 192000.0, 768000.0}) {
        CHECK(Realtime::refusal(good).empty());
        Realtime plugin;
        CHECK(plugin.activate(good));
        CHECK(plugin.state().rate == good);
    }
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinite = std::numeric_limits<double>::infinity();
    for (const double bad : {0.0, -48000.0, 7999.0, 44100.5, 768001.0, nan, infinite}) {
        CHECK(Realtime::refusal(bad).find("expected a whole sample rate from 8000 to 768000 Hz") == 0);
        Realtime plugin;
        CHECK_FALSE(plugin.activate(bad));
        CHECK_FALSE(plugin.state().active);
        Host host(plugin, numbered(1));
        CHECK(host.play(1000) == sound_of(host.song, {0, 1000}));
        CHECK(host.captured().empty());
    }
}

TEST_CASE("fault 05: a refused rate after a good one captures and plays nothing; the next good one works") {
    Realtime plugin;
    REQUIRE(plugin.activate(rate));
    plugin.play(playlist({region_of(1, {0, 1000}, rate, {numbered(2)})}, rate));
    CHECK_FALSE(plugin.activate(44100.5));
    Host host(plugin, numbered(1));
    CHECK(host.play(500) == sound_of(host.song, {0, 500}));
    CHECK(host.captured().empty());
    REQUIRE(plugin.activate(rate));
    host.seek(0);
    CHECK(host.play(500) == sound_of(numbered(2), {0, 500}));
}

TEST_CASE_FIXTURE(Fixture, "fault 06: input and output may be the same buffers, in any order") {
    plugin.play(playlist({region_of(1, {300, 600}, rate, {numbered(2)})}, rate));
    host.in_place = false;
    host.block = 1000;
    const Sound apart = host.play(1000);
    host.seek(0);
    host.in_place = true;
    CHECK(host.play(1000) == apart);
    host.captured();

    std::vector<float> a = sound_of(host.song, {0, 1000}).channels[0];
    std::vector<float> b = sound_of(host.song, {0, 1000}).channels[1];
    const float* inputs[] = {a.data(), b.data()};
    float* swapped[] = {b.data(), a.data()};
    host.seek(0);
    plugin.process(inputs, swapped, inputs, 256, host.transport);
    CHECK(std::vector<float>(b.begin(), b.begin() + 256) == slice(apart, 0, 256).channels[0]);
    CHECK(std::vector<float>(a.begin(), a.begin() + 256) == slice(apart, 0, 256).channels[1]);
}

TEST_CASE_FIXTURE(Fixture, "fault 06: what is not finite becomes zero, is never heard, and its span is marked") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinite = std::numeric_limits<float>::infinity();
    host.song = [=](int channel, std::int64_t frame) {
        if (channel == 0 && frame == 40) return nan;
        if (channel == 1 && frame == 50) return -infinite;
        if (frame >= 1000 && frame < 1300) return infinite;
        return 0.5F;
    };
    host.block = 1500;
    const Sound heard = host.play(1500);
    std::int64_t zeros = 0;
    for (const auto& channel : heard.channels) {
        for (const float sample : channel) {
            REQUIRE(std::isfinite(sample));
            zeros += sample == 0.0F ? 1 : 0;
        }
    }
    CHECK(zeros == 1 + 1 + 2 * 300);
    std::vector<Span> marked;
    for (const CaptureBlock& block : host.captured()) {
        if (block.nonfinite_from == block.nonfinite_to) continue;
        marked.push_back({block.frame + block.nonfinite_from, block.frame + block.nonfinite_to});
        for (std::uint32_t i = 0; i < block.frames; ++i) REQUIRE(std::isfinite(block.main[0][i]));
    }
    CHECK(marked == std::vector<Span>{{40, 51}, {1000, 1024}, {1024, 1280}, {1280, 1300}});
}

TEST_CASE_FIXTURE(Fixture, "fault 06: a side-chain that is not finite is marked too, and is not heard") {
    host.side = [](int, std::int64_t frame) {
        return frame == 7 ? std::numeric_limits<float>::quiet_NaN() : 0.5F;
    };
    CHECK(host.play(64) == sound_of(host.song, {0, 64}));
    const CaptureBlock block = host.captured().at(0);
    CHECK(block.side_connected);
    CHECK(block.side[0][7] == 0.0F);
    CHECK(block.nonfinite_from == 7);
    CHECK(block.nonfinite_to == 8);
}

TEST_CASE_FIXTURE(Fixture, "fault 06: denormals pass through as they are, and the processor is left as it was") {
    const float denormal = std::numeric_limits<float>::denorm_min();
    host.song = [=](int, std::int64_t) { return denormal; };
    plugin.play(playlist({region_of(1, {100, 200}, rate, {numbered(2)})}, rate));
    REQUIRE(plugin.set_parameter(Parameter::mix, 0.5F));
    const Sound heard = host.play(300);
    CHECK(heard.channels[0][50] == denormal);
    CHECK(heard.channels[0][150] == 0.5F * numbered(2)(0, 150));
    volatile float smallest = std::numeric_limits<float>::min();
    CHECK(smallest / 2.0F > 0.0F);  // flushed to zero, if the mode had stayed
}

TEST_CASE("fault 06: denormals count as zero, as results and as operands, as long as they are to") {
    volatile float smallest = std::numeric_limits<float>::min();
    volatile float denormal = std::numeric_limits<float>::denorm_min();
    const auto flushed = [&] { return smallest / 2.0F == 0.0F && denormal * 1e20F == 0.0F; };
    const auto kept = [&] { return smallest / 2.0F != 0.0F && denormal * 1e20F != 0.0F; };
    CHECK(kept());
    {
        const FlushDenormals outer;
        CHECK(flushed());
        { const FlushDenormals inner; }
        CHECK(flushed());
    }
    CHECK(kept());
}

TEST_CASE_FIXTURE(Fixture, "fault 12: loop, seek, tempo and repeated blocks are marked in what is captured") {
    host.transport.loop = {0, 128};
    host.transport.looping = true;
    host.play(128);
    host.seek(0);
    host.play(64);
    host.seek(0);
    host.transport.tempo = 90.0;
    host.play(64);
    host.transport.looping = false;
    host.seek(65);
    host.play(64);
    const std::vector<CaptureBlock> blocks = host.captured();
    REQUIRE(blocks.size() == 5);
    CHECK(jumps_of(blocks) == std::vector<std::int64_t>{0, 0, 0, 65});
    CHECK(blocks[3].tempo_changed);
    CHECK_FALSE(blocks[4].tempo_changed);
    CHECK(blocks[0].tempo == 120.0);
    CHECK(blocks[3].tempo == 90.0);
    CHECK(blocks[0].loop == Span{0, 128});
}

TEST_CASE_FIXTURE(Fixture, "without a transport the host's position is unknown: dry, and nothing is captured") {
    host.transport = Transport{};
    plugin.play(playlist({region_of(1, {0, 1000}, rate, {numbered(2)})}, rate));
    CHECK(host.play(500) == sound_of(host.song, {0, 500}));
    CHECK(host.captured().empty());
    CHECK_FALSE(plugin.state().position_known);
}

TEST_CASE_FIXTURE(Fixture, "in a free run the count of samples since the activation is the song position") {
    host.transport = Transport{};
    REQUIRE(plugin.set_parameter(Parameter::position, 1.0F));
    plugin.play(playlist({region_of(1, {100, 200}, rate, {numbered(2)})}, rate));
    for (int turn = 0; turn < 2; ++turn) {
        host.seek(0);
        const Sound heard = host.play(300);
        CHECK(slice(heard, 100, 200) == sound_of(numbered(2), {100, 200}));
        CHECK(plugin.state().position_known);
        CHECK(plugin.state().playing);
        CHECK(plugin.state().playhead == 300);
        CHECK(samples_of(host.captured()).rbegin()->first == 299);
        plugin.deactivate();
        CHECK_FALSE(plugin.state().active);
        REQUIRE(plugin.activate(rate));
    }
}

TEST_CASE_FIXTURE(Fixture, "parameters keep what is valid and refuse the rest") {
    CHECK(plugin.parameter(Parameter::mix) == info(Parameter::mix).initial);
    CHECK(plugin.set_parameter(Parameter::mix, 0.5F));
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const float bad : {nan, -0.1F, 1.5F, std::numeric_limits<float>::infinity()}) {
        CHECK_FALSE(plugin.set_parameter(Parameter::mix, bad));
        CHECK(plugin.parameter(Parameter::mix) == 0.5F);
    }
}

TEST_CASE_FIXTURE(Fixture, "lanes are those of the block") {
    REQUIRE(plugin.set_parameter(Parameter::gap, 1.0F));
    REQUIRE(plugin.set_parameter(Parameter::freedom, 0.25F));
    host.play(64);
    REQUIRE(plugin.set_parameter(Parameter::gap, 0.0F));
    REQUIRE(plugin.set_parameter(Parameter::guidance, 1.5F));
    REQUIRE(plugin.set_parameter(Parameter::style, 0.75F));
    host.play(64);
    const std::vector<CaptureBlock> blocks = host.captured();
    CHECK(blocks[0].lanes.gap == 1.0F);
    CHECK(blocks[0].lanes.freedom == 0.25F);
    CHECK(blocks[1].lanes.gap == 0.0F);
    CHECK(blocks[1].lanes.guidance == 1.5F);
    CHECK(blocks[1].lanes.style == 0.75F);
}

TEST_CASE_FIXTURE(Fixture, "each rising edge of Render counts, with the first sample of the block that saw it") {
    const auto press = [&] {
        REQUIRE(plugin.set_parameter(Parameter::render, 1.0F));
        REQUIRE(plugin.set_parameter(Parameter::render, 1.0F));
        REQUIRE(plugin.set_parameter(Parameter::render, 0.0F));
    };
    CHECK(plugin.state().render_edges == 0);
    host.seek(1000);
    host.play(128);
    press();
    CHECK(plugin.state().render_edges == 1);  // known even if the host processes nothing
    CHECK(plugin.state().edge_playhead == 1128);
    host.seek(5000);
    host.play(640);
    CHECK(plugin.state().render_edges == 1);
    CHECK(plugin.state().edge_playhead == 5000);
    CHECK(plugin.state().playhead == 5640);
    press();
    press();
    host.transport.playing = false;
    host.play(64);
    CHECK(plugin.state().render_edges == 3);
    CHECK(plugin.state().edge_playhead == 5640);
    CHECK_FALSE(plugin.state().playing);
}

TEST_CASE_FIXTURE(Fixture, "the host's loop and tempo are known while it stands") {
    host.transport.playing = false;
    host.transport.loop = {100, 200};
    host.transport.tempo = 133.0;
    host.play(64);
    CHECK(plugin.state().loop == Span{100, 200});
    CHECK(plugin.state().tempo == 133.0);
    host.transport.loop = {};
    host.play(64);
    CHECK(plugin.state().loop.empty());
}

TEST_CASE_FIXTURE(Fixture, "worker, UI and audio threads at once: all is captured, and only takes are heard") {
    constexpr std::int64_t frames = 200'000;
    const Span all{0, frames};
    // each playlist plays one constant, and so does the song: what is heard lies between them
    const auto constant = [](float value) { return [value](int, std::int64_t) { return value; }; };
    host.song = constant(0.1F);
    std::vector<Region> regions;
    for (int i = 0; i < 4; ++i) {
        const float value = 0.2F + 0.1F * static_cast<float>(i);
        const std::vector<Signal> takes{constant(value), constant(value + 0.4F)};
        regions.push_back(region_of(static_cast<std::uint64_t>(i), all, rate, takes));
    }
    std::atomic<bool> done{false};
    std::int64_t captured = 0;
    std::thread worker([&] {
        CaptureBlock block;
        bool last = false;
        for (std::size_t turn = 0; !last; ++turn) {
            last = done.load();  // nothing is written after this, and the rest is taken below
            while (plugin.take(block)) captured += block.frames;
            plugin.play(playlist({regions[turn % 4]}, rate, turn % 3 != 0));
            plugin.collect();
            plugin.dealt();
            std::this_thread::yield();
        }
    });
    std::int64_t unseen = 0;
    std::thread ui([&] {
        for (int i = 0; !done.load(); ++i) {
            plugin.set_parameter(Parameter::candidate, static_cast<float>(1 + i % 4));
            plugin.set_parameter(Parameter::render, static_cast<float>(i % 2));
            const Realtime::State state = plugin.state();
            unseen += state.playhead < 0 || state.playhead > frames ? 1 : 0;
            std::this_thread::yield();
        }
    });
    host.transport.offline = true;  // waits for room, so that nothing is lost
    plugin.set_capture_wait(600.0);  // longer than any machine leaves a thread alone
    const Sound heard = host.play(frames);
    done.store(true);
    worker.join();
    ui.join();
    CHECK(captured == frames);
    CHECK(plugin.state().blocks_lost == 0);
    CHECK(unseen == 0);
    CHECK(steepest(heard) <= 0.9F / 480.0F);
    for (const float sample : heard.channels[0]) REQUIRE((sample >= 0.1F && sample <= 0.91F));
}
