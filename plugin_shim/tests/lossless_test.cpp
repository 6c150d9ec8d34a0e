#include "core/lossless.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "host_double.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

Audio noise(std::int64_t frames, float peak, double rate = 44'100.0) {
    const auto signal = numbered(3);
    const auto scaled = [&](int channel, std::int64_t frame) { return peak * (2.0F * signal(channel, frame)); };
    return *audio_of(scaled, {0, frames}, rate);
}

Audio rounded(const Audio& audio) {
    Expected<Audio> made = round_to_24(audio);
    REQUIRE(made);
    return std::move(*made);
}

Audio round_trip(const Audio& audio) {
    const Expected<Packed> packed = pack(audio);
    REQUIRE(packed);
    Expected<Audio> back = unpack(*packed);
    REQUIRE(back);
    return std::move(*back);
}

double worst(const Audio& a, const Audio& b) {
    double off = 0.0;
    for (std::size_t i = 0; i < a.left.size(); ++i) {
        off = std::max({off, std::abs(double{a.left[i]} - b.left[i]), std::abs(double{a.right[i]} - b.right[i])});
    }
    return off;
}

}  // namespace

TEST_CASE("rounded audio comes back from FLAC bit for bit, at any level, length and rate") {
    for (const float peak : {1e-6F, 0.01F, 0.999F, 1.0F, 3.7F, 1e6F, 3e38F}) {
        for (const std::int64_t frames : {1, 15, 4'097, 40'000}) {
            CAPTURE(peak);
            CAPTURE(frames);
            const Audio audio = rounded(noise(frames, peak, frames == 15 ? 768'000.0 : 44'100.0));
            const Audio back = round_trip(audio);
            CHECK(back.left == audio.left);
            CHECK(back.right == audio.right);
            CHECK(back.rate == audio.rate);
            CHECK(rounded(audio).left == audio.left);
        }
    }
}

TEST_CASE("rounding moves a sample by half a step of 24 bits at most, of the scale that fits") {
    CHECK(worst(noise(20'000, 0.9F), rounded(noise(20'000, 0.9F))) <= std::ldexp(0.5, -23));
    CHECK(worst(noise(20'000, 0.9F), rounded(noise(20'000, 0.9F))) > 0.0);
    CHECK(worst(noise(20'000, 3.0F), rounded(noise(20'000, 3.0F))) <= std::ldexp(0.5, -21));
}

TEST_CASE("the edges of full scale are kept: -1, 1, the last step below it and what rounds up to it") {
    const float last = std::nextafter(1.0F, 0.0F), step = std::ldexp(1.0F, -23);
    for (const float edge : {1.0F, -1.0F, last, -last, 1.0F - step, 2.0F, std::nextafter(2.0F, 3.0F), -4.0F}) {
        CAPTURE(edge);
        const Audio audio = rounded({48'000.0, {edge, 0.25F}, {0.0F, -0.0F}});
        CHECK(std::abs(double{audio.left[0]} - edge) <= std::abs(edge) * std::ldexp(1.0, -23));
        CHECK(audio.left[1] == 0.25F);
        CHECK(round_trip(audio).left == audio.left);
    }
    CHECK(rounded({48'000.0, {-1.0F}, {1.0F - step}}).left[0] == -1.0F);
}

TEST_CASE("silence is packed small, and music in less than its own size") {
    const Audio quiet = rounded(noise(441'000, 0.0F));
    CHECK(pack(quiet)->flac.size() < 2'000);
    const Audio tone = rounded(*audio_of(sine(440.0, 0.5, 44'100.0), {0, 44'100}, 44'100.0));
    CHECK(pack(tone)->flac.size() < 44'100 * 6 * 6 / 10);
}

TEST_CASE("what FLAC cannot keep is refused, not changed") {
    CHECK(!pack(noise(100, 0.9F)));  // 24 bits and more
    CHECK(!pack({44'100.0, {}, {}}));
    CHECK(!pack({44'100.0, {0.0F, 0.0F}, {0.0F}}));
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        const Expected<Audio> made = round_to_24({44'100.0, {0.5F}, {bad}});
        REQUIRE(!made);
        CHECK(made.error().message.find("NaN") != std::string::npos);
        CHECK(!pack({44'100.0, {0.5F}, {bad}}));
    }
}

TEST_CASE("damaged FLAC is refused: cut, altered lengths, another format, nothing") {
    const Packed good = *pack(rounded(noise(20'000, 0.9F)));
    for (std::size_t size = 0; size < good.flac.size(); size += 997) {
        Packed cut = good;
        cut.flac.resize(size);
        CHECK(!unpack(cut));
    }
    for (const std::int64_t frames : std::vector<std::int64_t>{0, 19'999, 20'001, std::int64_t{1} << 40}) {
        Packed lying = good;
        lying.frames = frames;
        CHECK(!unpack(lying));
    }
    Packed scaled = good;
    scaled.exponent = 1'000;
    CHECK(!unpack(scaled));
    CHECK(!unpack({44'100.0, 1, 0, "RIFF....WAVE"}));
}
