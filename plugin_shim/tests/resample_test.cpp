#include "core/resample.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "host_double.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

constexpr double pi = 3.14159265358979323846;
constexpr double rates[][2] = {{44'100.0, 48'000.0}, {48'000.0, 44'100.0}, {96'000.0, 8'000.0},   {8'000.0, 768'000.0},
                               {44'100.0, 88'200.0}, {44'101.0, 47'999.0}, {192'000.0, 44'100.0}, {22'050.0, 96'000.0}};

double phase(double frequency, double seconds) { return std::sin(2.0 * pi * frequency * seconds + 0.3); }

// A tone read at times rather than at samples: what it is at any rate is known.
Audio tone(double frequency, std::int64_t frames, double rate) {
    Audio audio{rate, {}, {}};
    for (std::int64_t i = 0; i < frames; ++i) {
        audio.left.push_back(static_cast<float>(phase(frequency, static_cast<double>(i) / rate)));
        audio.right.push_back(-audio.left.back());
    }
    return audio;
}

double worst(const Audio& audio, double frequency, std::int64_t from, std::int64_t to) {
    double off = 0.0;
    for (std::int64_t i = from; i < to; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const double expected = phase(frequency, static_cast<double>(i) / audio.rate);
        off = std::max({off, std::abs(audio.left[at] - expected), std::abs(audio.right[at] + expected)});
    }
    return off;
}

}  // namespace

TEST_CASE("a tone keeps pitch, phase and level at any rate, to -90 dB away from its ends") {
    for (const auto& [from, to] : rates) {
        CAPTURE(from);
        CAPTURE(to);
        const Expected<Audio> made = convert(tone(1'000.0, static_cast<std::int64_t>(from / 2.0), from), to);
        REQUIRE(made);
        CHECK(made->rate == to);
        CHECK(made->frames() == std::llround(std::floor(from / 2.0) * to / from));
        const auto edge = static_cast<std::int64_t>(0.05 * to);
        CHECK(worst(*made, 1'000.0, edge, made->frames() - edge) < 3e-5);
    }
}

TEST_CASE("the ends keep their level: no fade to silence where the context goes on") {
    const Expected<Audio> made = convert(tone(200.0, 44'100, 44'100.0), 48'000.0);
    REQUIRE(made);
    CHECK(worst(*made, 200.0, 0, made->frames()) < 0.02);
}

TEST_CASE("any length becomes round(n * to / from), even one sample") {
    for (const auto& [from, to] : rates) {
        for (std::int64_t frames = 1; frames < 40; frames += 3) {
            const Expected<Audio> made = convert(Audio{from, std::vector<float>(static_cast<std::size_t>(frames), 0.5F),
                                                       std::vector<float>(static_cast<std::size_t>(frames), 0.5F)}, to);
            const std::int64_t wanted = std::llround(static_cast<double>(frames) * to / from);
            REQUIRE(made);
            CHECK(made->frames() == wanted);
            if (wanted > 0) CHECK(made->left[0] == doctest::Approx(0.5F).epsilon(0.001));
        }
    }
}

TEST_CASE("a region lies at the same time, and its takes are as long as it") {
    Region region = region_of(3, {44'100 * 60 + 7, 44'100 * 62 + 11}, 44'100.0, {numbered(1), numbered(2)});
    region.takes[0].recipe = "{}";
    const Expected<Region> made = convert(region, 48'000.0);
    REQUIRE(made);
    CHECK(made->rate == 48'000.0);
    CHECK(made->id == 3);
    CHECK(made->takes[0].recipe == "{}");
    CHECK(made->span.start == 48'000 * 60 + 8);
    CHECK(made->takes[1].audio->frames() == made->span.size());
    CHECK(convert_span({-441, 441}, 44'100.0, 48'000.0) == Span{-480, 480});
    CHECK(convert_frame(std::int64_t{1} << 39, 44'100.0, 44'100.0) == std::int64_t{1} << 39);
}

TEST_CASE("fault 05: a fractional or impossible rate is refused") {
    const Audio audio = tone(100.0, 1'000, 44'100.0);
    for (const double rate : {44'100.5, 7'999.0, 768'001.0, 0.0, -48'000.0, std::nan("")}) {
        const Expected<Audio> made = convert(audio, rate);
        REQUIRE(!made);
        CHECK(made.error().message.find("8000 to 768000") != std::string::npos);
    }
    CHECK(convert(audio, 44'100.0)->left == audio.left);
}
