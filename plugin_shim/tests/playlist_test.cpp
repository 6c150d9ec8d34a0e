#include "core/playlist.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <vector>

#include "host_double.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

constexpr double rate = 48000.0;

Region region(std::uint64_t id, const Span& span, double at = rate) { return region_of(id, span, at, {numbered(1)}); }

// Which region is heard at a sample; 0: none.
std::uint64_t heard_at(const Playlist& playlist, std::int64_t frame) {
    for (const Segment& segment : playlist.segments) {
        if (segment.span.contains(frame)) return segment.region;
    }
    return 0;
}

}  // namespace

TEST_CASE("a later region lies over an earlier one, sample-exact on both sides") {
    const Playlist list = playlist_of({region(1, {100, 400}), region(2, {200, 300})}, rate);
    REQUIRE(list.segments.size() == 3);
    CHECK(list.rate == rate);
    CHECK(list.segments[0].span == Span{100, 200});
    CHECK(list.segments[0].offset == 0);
    CHECK(list.segments[1].span == Span{200, 300});
    CHECK(list.segments[1].region == 2);
    CHECK(list.segments[1].offset == 0);
    CHECK(list.segments[2].span == Span{300, 400});
    CHECK(list.segments[2].region == 1);
    CHECK(list.segments[2].offset == 200);
}

TEST_CASE("undone regions, and those without audio at the rate, show what lies under them") {
    Region undone = region(2, {100, 200});
    undone.undone = true;
    Region silent = region(3, {100, 200});
    silent.takes[0].audio = nullptr;
    Region shorter = region(5, {100, 200});
    shorter.takes[0].audio = audio_of(numbered(1), {100, 199}, rate);
    const Playlist list =
        playlist_of({region(1, {100, 200}), undone, silent, region(4, {100, 200}, 44100.0), shorter}, rate);
    REQUIRE(list.segments.size() == 1);
    CHECK(list.segments[0].region == 1);
    CHECK(playlist_of({undone, silent}, rate).segments.empty());
}

TEST_CASE("a take keeps its number; one that is not here is heard as the first that is") {
    Region four = region_of(1, {0, 10}, rate, {numbered(1), numbered(2), numbered(3)});
    four.takes[0].audio = nullptr;
    const Segment segment = playlist_of({four}, rate).segments.at(0);
    CHECK((segment.takes[0] == four.takes[1].audio));
    CHECK((segment.takes[1] == four.takes[1].audio));
    CHECK((segment.takes[2] == four.takes[2].audio));
    CHECK((segment.takes[3] == nullptr));
}

TEST_CASE("over any regions, each sample belongs to the latest region there, at its place in the take") {
    std::mt19937 random(5);
    for (int trial = 0; trial < 200; ++trial) {
        std::vector<Region> regions;
        for (std::uint64_t id = 1; id <= 1 + random() % 8; ++id) {
            const auto start = static_cast<std::int64_t>(random() % 60);
            regions.push_back(region(id, {start, start + 1 + static_cast<std::int64_t>(random() % 30)}));
            regions.back().undone = random() % 4 == 0;
        }
        const Playlist list = playlist_of(regions, rate);
        std::int64_t wrong = 0;
        for (std::int64_t frame = 0; frame < 100; ++frame) {
            std::uint64_t expected = 0;
            for (const Region& one : regions) {
                if (!one.undone && one.span.contains(frame)) expected = one.id;
            }
            wrong += heard_at(list, frame) != expected ? 1 : 0;
        }
        CHECK(wrong == 0);
        for (std::size_t i = 0; i < list.segments.size(); ++i) {
            const Segment& segment = list.segments[i];
            CHECK(segment.offset == segment.span.start - regions[segment.region - 1].span.start);
            if (i > 0) CHECK(segment.span.start >= list.segments[i - 1].span.stop);
        }
    }
}
