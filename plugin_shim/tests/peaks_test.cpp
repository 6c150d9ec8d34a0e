#include "core/peaks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <memory>
#include <random>
#include <vector>

#include "song_double.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

Extremes scanned(const std::vector<float>& left, const std::vector<float>& right, std::int64_t from, std::int64_t to) {
    Extremes found;
    for (std::int64_t i = from; i < to; ++i) {
        const auto at = static_cast<std::size_t>(i);
        found.take({std::min(left[at], right[at]), std::max(left[at], right[at])});
    }
    return found;
}

}  // namespace

TEST_CASE("a pyramid says of any stretch what reading its samples says, also after changes") {
    const auto audio = audio_of(numbered(4), {0, 100'003}, 48'000.0);
    std::vector<float> left = audio->left, right = audio->right;
    Pyramid pyramid(100'003);
    pyramid.update(left.data(), right.data(), 0, 100'003);
    std::mt19937 random(5);
    std::uniform_int_distribution<std::int64_t> any(0, 100'003);
    for (int count = 0; count < 500; ++count) {
        const auto [from, to] = std::minmax({any(random), any(random)});
        if (count % 5 == 0 && to - from < 3'000) {
            for (std::int64_t i = from; i < to; ++i) left[static_cast<std::size_t>(i)] *= 0.25F;
            pyramid.update(left.data(), right.data(), from, to);
        }
        const Extremes found = pyramid.of(left.data(), right.data(), from, to);
        const Extremes expected = scanned(left, right, from, to);
        CHECK(found.low == expected.low);
        CHECK(found.high == expected.high);
    }
}

TEST_CASE("each part shows the least and greatest sample heard in it, and parts that were not heard show none") {
    Song song;
    song.set_rate(48'000.0);
    Player(song, loud(1)).play({10'000, 200'000});
    PeakFinder find;
    const Peaks peaks = find(song, {}, 1, {-5'000, 250'001}, 97);
    REQUIRE(peaks.low.size() == 97);
    for (std::int64_t i = 0; i < 97; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const Span part{-5'000 + 255'001 * i / 97, -5'000 + 255'001 * (i + 1) / 97};
        const std::int64_t from = std::max<std::int64_t>(part.start, 10'000);
        const std::int64_t to = std::min<std::int64_t>(part.stop, 200'000);
        CHECK(!peaks.rendered[at]);
        if (from >= to) {
            CHECK(peaks.low[at] > peaks.high[at]);
            continue;
        }
        const Audio heard = song.copy({from, to});
        const Extremes expected = scanned(heard.left, heard.right, 0, to - from);
        CHECK(peaks.low[at] == expected.low);
        CHECK(peaks.high[at] == expected.high);
    }
}

TEST_CASE("rendered regions show instead of the track, as the chosen candidate, and the original without them") {
    Song song;
    song.set_rate(48'000.0);
    Player(song, [](int, std::int64_t) { return 0.25F; }).play({0, 100'000});
    const auto flat = [](float level) { return [level](int, std::int64_t) { return level; }; };
    const Playlist heard = playlist_of({region_of(1, {40'000, 60'000}, 48'000.0, {flat(0.5F), flat(0.75F)})}, 48'000.0);
    PeakFinder find;
    const Peaks first = find(song, heard, 1, {0, 100'000}, 10), second = find(song, heard, 2, {0, 100'000}, 10);
    CHECK(first.rendered == std::vector<bool>{false, false, false, false, true, true, false, false, false, false});
    CHECK(first.high[3] == 0.25F);
    CHECK(first.high[4] == 0.5F);
    CHECK(first.low[5] == 0.5F);
    CHECK(second.high[4] == 0.75F);
    CHECK(find(song, {}, 1, {0, 100'000}, 10).high[4] == 0.25F);
    const Peaks across = find(song, heard, 1, {30'000, 50'000}, 1);
    CHECK(across.low[0] == 0.25F);
    CHECK(across.high[0] == 0.5F);
    CHECK(across.rendered[0]);
}

TEST_CASE("a region that was not heard on the track shows all the same, also in spans shorter than their parts") {
    Song song;
    song.set_rate(48'000.0);
    const Playlist heard = playlist_of({region_of(1, {0, 1'000}, 48'000.0, {loud(2)})}, 48'000.0);
    PeakFinder find;
    CHECK(find(song, heard, 1, {0, 2'000}, 2).rendered == std::vector<bool>{true, false});
    const Peaks few = find(song, heard, 1, {10, 13}, 7);
    CHECK(few.low.size() == 7);
    CHECK(find(song, heard, 1, {10, 10}, 4).low[0] > find(song, heard, 1, {10, 10}, 4).high[0]);
    CHECK(find(song, heard, 1, {0, 100}, 0).low.empty());
}

TEST_CASE("ten minutes in 2000 parts take under 2 ms, with a region of a minute in them" * doctest::test_suite("speed")) {
    Song song;
    song.set_rate(48'000.0);
    const CaptureBlock first = block_of(loud(1), 0, block_frames);
    CaptureBlock block = first;
    for (std::int64_t at = 0; at + block_frames <= 600 * 48'000; at += block_frames) {
        block.frame = at;
        song.add(block);
    }
    const Playlist heard = playlist_of({region_of(1, {4'800'000, 7'680'000}, 48'000.0, {loud(2)})}, 48'000.0);
    PeakFinder find;
    (void)find(song, heard, 1, {0, 600 * 48'000}, 2000);  // looks at the take once
    double best = 1.0;
    for (int count = 0; count < 20; ++count) {
        const std::clock_t start = std::clock();
        CHECK(find(song, heard, 1, {0, 600 * 48'000}, 2000).low.size() == 2000);
        best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    }
    MESSAGE("best of 20: " << best * 1e3 << " ms");
    CHECK(best < 0.002);
}
