#include "core/gap.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "song_double.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

constexpr double rate = 48000.0;
constexpr Span hole{100'123, 196'789};
const std::vector<Span> two_clips{{10'000, hole.start}, {hole.stop, 400'000}};

GapView gap_of(const Song& song, std::int64_t playhead = 0, std::optional<Span> marks = {}, const Span& loop = {},
               std::uint32_t max_block = 0) {
    return find_gap(song, {marks, loop, playhead, max_block});
}

// A song that heard a track of clips once.
struct Track {
    Song song;
    Player player{song};

    explicit Track(const std::vector<Span>& spans, const Span& played = {0, 450'000}) {
        song.set_rate(rate);
        player.main = clips(loud(1), spans);
        player.play(played);
    }
};

}  // namespace

TEST_CASE("the silence between two clips is the gap, to the sample") {
    Track track(two_clips);
    const GapView gap = gap_of(track.song);
    CHECK(gap.source == GapSource::silence);
    CHECK(gap.span == hole);
    CHECK(gap.reason.empty());
}

TEST_CASE("of several silences the one at or nearest to the playhead is the gap") {
    Track track({{0, 50'000}, {60'000, 200'000}, {230'000, 400'000}, {440'000, 450'000}});
    CHECK(gap_of(track.song, 0).span == Span{50'000, 60'000});
    CHECK(gap_of(track.song, 129'999).span == Span{50'000, 60'000});
    CHECK(gap_of(track.song, 131'000).span == Span{200'000, 230'000});
    CHECK(gap_of(track.song, 229'999).span == Span{200'000, 230'000});
    CHECK(gap_of(track.song, 1'000'000).span == Span{400'000, 440'000});
}

TEST_CASE("silence before the first and behind the last sound, and a short rest, are no gap") {
    const std::int64_t shortest = static_cast<std::int64_t>(shortest_silence * rate);
    CHECK(gap_of(Track({{50'000, 60'000}}).song).source == GapSource::none);
    CHECK(gap_of(Track({{0, 50'000}, {50'000 + shortest - 1, 90'000}}).song).source == GapSource::none);
    CHECK(gap_of(Track({{0, 50'000}, {50'000 + shortest, 90'000}}).song).span == Span{50'000, 50'000 + shortest});
}

TEST_CASE("a fade keeps its quiet end where the hole behind it is digital silence, else -80 dBFS is the edge") {
    const auto fade = [](float floor) {
        return [floor](int channel, std::int64_t frame) {
            if (frame < 48'000) return loud(1)(channel, frame);
            const double later = static_cast<double>(frame) - 48'000.0;
            if (frame < 96'000) return 0.2F * static_cast<float>(std::pow(10.0, -later / 9'600.0));
            return frame < 192'000 ? floor : loud(1)(channel, frame);
        };
    };
    Track exact({}), noisy({});
    exact.player.main = fade(0.0F);
    exact.player.play({0, 240'000});
    CHECK(gap_of(exact.song).span == Span{96'000, 192'000});
    noisy.player.main = fade(1e-5F);
    noisy.player.play({0, 240'000});
    const Span gap = gap_of(noisy.song).span;
    CHECK(gap.stop == 192'000);
    CHECK(fade(0.0F)(0, gap.start) <= silence_level);
    CHECK(fade(0.0F)(0, gap.start - 1) > silence_level);
}

TEST_CASE("the Gap lane goes before marks, marks before the loop range, the loop range before silence") {
    Track track(two_clips);
    const Span marks{250'000, 260'000}, loop{300'000, 310'000};
    CHECK(gap_of(track.song, 0, marks, loop).source == GapSource::marks);
    CHECK(gap_of(track.song, 0, marks, loop).span == marks);
    CHECK(gap_of(track.song, 0, {}, loop).source == GapSource::loop);
    CHECK(gap_of(track.song, 0, {}, loop).span == loop);
    track.player.gap_lane = {220'000, 230'000};
    track.player.play({0, 450'000});
    const GapView lane = gap_of(track.song, 0, marks, loop);
    CHECK(lane.source == GapSource::lane);
    CHECK(lane.span == Span{220'160, 230'144});  // 860 and 899 blocks of 256: where a host looks at its lane
}

TEST_CASE("a loop range around all that was heard gives way to a silence in it, and is the gap where there is none") {
    Track track(two_clips);
    const Span all{0, 450'000};
    CHECK(gap_of(track.song, 0, {}, all).source == GapSource::silence);
    CHECK(gap_of(Track({{0, 450'000}}).song, 0, {}, all).source == GapSource::loop);
    CHECK(gap_of(track.song, 0, {}, {1, 450'001}).source == GapSource::loop);
}

TEST_CASE("a lane drawn around a hole gives exactly the hole, at any size of block") {
    std::mt19937 random(7);
    for (int count = 0; count < 12; ++count) {
        CAPTURE(count);
        const std::uint32_t block = std::uniform_int_distribution<std::uint32_t>(16, block_frames)(random);
        std::uniform_int_distribution<std::int64_t> early(0, block_frames - block);
        Track track(two_clips, {});
        track.player.block = block;
        track.player.gap_lane = {hole.start - early(random), hole.stop - early(random)};
        track.player.play({0, 300'000});
        const GapView gap = gap_of(track.song);
        CHECK(gap.source == GapSource::lane);
        CHECK(gap.span == hole);
    }
}

TEST_CASE("an edge of the lane moves by one block of the host at most, and not where no silence begins") {
    Track track(two_clips, {});
    track.player.gap_lane = {hole.start + 900, 300'000};
    track.player.play({0, 400'000});
    const Span coarse = gap_of(track.song, 0, {}, {}, 2'048).span, fine = gap_of(track.song).span;
    CHECK(coarse.start == hole.start);
    CHECK(fine.start == (hole.start + 900 + 255) / 256 * 256);
    CHECK(coarse.stop == fine.stop);
    CHECK(fine.stop == (300'000 + 255) / 256 * 256);
}

TEST_CASE("a lane that starts where the last clip ends is drawn to that end") {
    Track track({{0, 100'123}}, {});
    track.player.gap_lane = {100'123, 200'000};
    track.player.play({0, 250'000});
    CHECK(gap_of(track.song).span.start == 100'123);
    CHECK(gap_of(track.song).span.stop == (200'000 + 255) / 256 * 256);
}

TEST_CASE("of several lanes the one nearest to the playhead is the gap, and a pass without the lane takes it away") {
    Track track({{0, 450'000}}, {});
    track.player.gap_lane = {25'600, 51'200};
    track.player.play({0, 100'096});
    track.player.gap_lane = {256'000, 307'200};
    track.player.play({100'096, 450'000});
    CHECK(gap_of(track.song, 100'000).span == Span{25'600, 51'200});
    CHECK(gap_of(track.song, 200'000).span == Span{256'000, 307'200});
    track.player.gap_lane = {};
    track.player.play({200'192, 450'000});
    CHECK(gap_of(track.song, 200'000).span == Span{25'600, 51'200});
}

TEST_CASE("where there is no gap the reason says what to do") {
    Song nothing;
    nothing.set_rate(rate);
    CHECK(gap_of(nothing).source == GapSource::none);
    CHECK(gap_of(nothing).reason.find("play the song") != std::string::npos);
    const GapView none = gap_of(Track({{0, 450'000}}).song);
    CHECK(none.source == GapSource::none);
    CHECK(none.reason.find("draw the Gap lane") != std::string::npos);
}

TEST_CASE("random clips: the silence found is the longest way to say which samples between sound are all quiet") {
    std::mt19937 random(11);
    for (int count = 0; count < 12; ++count) {
        CAPTURE(count);
        std::vector<Span> spans;
        std::vector<Span> expected;
        std::int64_t at = 0;
        for (int clip = 0; clip < 6; ++clip) {
            const std::int64_t rest = std::uniform_int_distribution<std::int64_t>(1, 6'000)(random);
            const std::int64_t size = std::uniform_int_distribution<std::int64_t>(1, 9'000)(random);
            if (clip > 0 && rest >= 2'400) expected.push_back({at, at + rest});
            spans.push_back({at + rest, at + rest + size});
            at += rest + size;
        }
        Track track(spans, {0, at + 5'000});
        for (const Span& span : expected) CHECK(gap_of(track.song, span.start).span == span);
        if (expected.empty()) CHECK(gap_of(track.song).source == GapSource::none);
    }
}
