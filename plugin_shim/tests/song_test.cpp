#include "core/song.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "song_double.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

constexpr double rate = 48000.0;

// A song as a sample each in a map: what each position last heard, and in which pass.
struct Naive {
    struct Sample {
        float left = 0.0F;
        float right = 0.0F;
        double freedom = 0.0;
        int pass = 0;
        bool bad = false;
        bool side = false;
        float side_left = 0.0F;
    };

    std::map<std::int64_t, Sample> samples;
    std::int64_t next = -1;
    int pass = 0;
    bool tempo_changing = false;

    void add(const CaptureBlock& block) {
        if (block.jumped || (block.tempo_changed && !tempo_changing) || block.frame != next) ++pass;
        tempo_changing = block.tempo_changed;
        for (std::uint32_t i = 0; i < block.frames; ++i) {
            samples[block.frame + i] = {block.main[0][i], block.main[1][i], block.lanes.freedom, pass,
                                        i >= block.nonfinite_from && i < block.nonfinite_to, block.side_connected,
                                        block.side_connected ? block.side[0][i] : 0.0F};
        }
        next = block.frame + block.frames;
    }
    [[nodiscard]] bool cut(std::int64_t frame) const {
        const auto here = samples.find(frame), before = samples.find(frame - 1);
        return here != samples.end() && before != samples.end() && here->second.pass != before->second.pass;
    }
};

// Passes with jumps back and forth, loops, lost blocks, tempo changes, bad samples, a side-chain that comes and goes.
class Passes {
public:
    explicit Passes(std::uint32_t seed) : random_(seed) {}

    CaptureBlock next() {
        if (left_ == 0) start();
        --left_;
        const auto frames = static_cast<std::uint32_t>(1 + below(block_frames));
        CaptureBlock block = block_of(numbered(pass_), at_, frames);
        block.jumped = first_;
        block.tempo_changed = !first_ && below(15) == 0;
        block.lanes.freedom = static_cast<float>(below(4)) / 4.0F;
        block.side_connected = side_;
        for (std::uint32_t i = 0; side_ && i < frames; ++i) {
            block.side[0][i] = block.side[1][i] = numbered(99)(0, at_ + i);
        }
        if (below(8) == 0) {
            block.nonfinite_from = static_cast<std::uint32_t>(below(frames));
            const std::int64_t most = frames - block.nonfinite_from;
            block.nonfinite_to = static_cast<std::uint32_t>(block.nonfinite_from + below(most + 1));
        }
        at_ += frames;
        first_ = false;
        return block;
    }

private:
    std::int64_t below(std::int64_t most) { return std::uniform_int_distribution<std::int64_t>(0, most - 1)(random_); }

    void start() {
        ++pass_;
        first_ = true;
        left_ = 1 + below(30);
        at_ = below(6) == 0 ? at_ : below(40'000) - 5'000;
        side_ = below(2) == 0;
    }

    std::mt19937 random_;
    std::uint32_t pass_ = 0;
    std::int64_t at_ = 0;
    std::int64_t left_ = 0;
    bool first_ = true;
    bool side_ = false;
};

void check_same(const Song& song, const Naive& naive, const Span& span) {
    const Audio main = song.copy(span), side = song.copy_side(span);
    const auto place = [&](std::int64_t at) { return static_cast<std::size_t>(at - span.start); };
    const auto size = static_cast<std::size_t>(span.size());
    std::vector<bool> cuts(size), bad(size);
    for (const SongMark& mark : song.marks(span)) {
        auto& flags = std::string(mark.kind) == "nonfinite" ? bad : cuts;
        for (std::int64_t at = mark.span.start; at < mark.span.stop; ++at) flags[place(at)] = true;
    }
    std::vector<double> freedom(size, -1.0);
    for (const LaneRun& run : song.lane(Lane::freedom, span)) {
        for (std::int64_t at = run.span.start; at < run.span.stop; ++at) freedom[place(at)] = run.value;
    }
    std::map<std::string, int> wrong;
    for (std::int64_t at = span.start; at < span.stop; ++at) {
        const std::size_t i = place(at);
        const auto found = naive.samples.find(at);
        const bool there = found != naive.samples.end();
        const Naive::Sample expected = there ? found->second : Naive::Sample{};
        wrong["coverage"] += song.coverage().contains(at) != there;
        wrong["main"] += main.left[i] != expected.left || main.right[i] != expected.right;
        wrong["side"] += song.side_coverage().contains(at) != expected.side || side.left[i] != expected.side_left;
        wrong["nonfinite"] += bad[i] != expected.bad;
        wrong["lane"] += freedom[i] != (there ? expected.freedom : -1.0);
        wrong["cuts"] += at > span.start && cuts[i] != naive.cut(at);
    }
    for (const auto& [what, count] : wrong) {
        CAPTURE(what);
        CHECK(count == 0);
    }
}

}  // namespace

TEST_CASE("random passes, loops and seeks leave what a plain map of samples says, marks and lanes too") {
    for (std::uint32_t seed = 1; seed <= 6; ++seed) {
        CAPTURE(seed);
        Song song;
        song.set_rate(rate);
        Naive naive;
        Passes passes(seed);
        for (int count = 0; count < 400; ++count) {
            const CaptureBlock block = passes.next();
            song.add(block);
            naive.add(block);
            if (count % 100 == 99) check_same(song, naive, {-6'000, 44'000});
        }
        std::int64_t heard = 0;
        for (const Span& span : song.heard()) heard += span.size();
        CHECK(heard == static_cast<std::int64_t>(naive.samples.size()));
        CHECK(heard == song.coverage().frames());
    }
}

TEST_CASE("fault 12: a loop, a seek and a tempo jump during capture are marked, and one straight pass is not") {
    Song song;
    song.set_rate(rate);
    Player player{song, loud(1)};
    player.play({0, 48'000});
    CHECK(!song.discontinuous());

    SUBCASE("a loop that overwrites a part is marked on both of its sides") {
        player.main = loud(2);
        player.play({10'000, 20'000});
        const auto marks = song.marks({0, 48'000});
        REQUIRE(marks.size() == 2);
        CHECK(marks[0].span == Span{10'000, 10'001});
        CHECK(marks[1].span == Span{20'000, 20'001});
        CHECK(std::string(marks[0].kind) == "discontinuous");
        CHECK(song.copy({19'999, 20'001}).left == std::vector<float>{loud(2)(0, 19'999), loud(1)(0, 20'000)});
    }
    SUBCASE("a seek to where the last pass ended is marked: it was not heard in one go") {
        player.play({48'000, 60'000});
        REQUIRE(song.marks({0, 60'000}).size() == 1);
        CHECK(song.marks({0, 60'000})[0].span.start == 48'000);
    }
    SUBCASE("a seek elsewhere leaves a hole, which is no mark") {
        player.play({60'000, 70'000});
        CHECK(song.heard() == std::vector<Span>{{0, 48'000}, {60'000, 70'000}});
        CHECK(!song.discontinuous());
    }
    SUBCASE("a tempo jump is marked, a ramp of the tempo once") {
        for (std::int64_t at = 48'000; at < 50'000; at += 100) {
            CaptureBlock block = block_of(loud(1), at, 100);
            block.jumped = at == 48'000;
            block.tempo = at < 49'000 ? 120.0 : 100.0 + static_cast<double>(at - 49'000) / 100.0;
            block.tempo_changed = at >= 49'000;
            song.add(block);
        }
        REQUIRE(song.marks({48'001, 50'000}).size() == 1);
        CHECK(song.marks({48'001, 50'000})[0].span.start == 49'000);
        CHECK(song.tempo({48'000, 50'000}).size() == 11);
        CHECK(song.tempo({49'100, 49'200})[0].value == 101.0);
    }
    SUBCASE("one straight pass over all of it takes the marks away") {
        player.play({10'000, 20'000});
        player.play({0, 48'000});
        CHECK(!song.discontinuous());
    }
}

TEST_CASE("fault 06: samples that were NaN or infinite are marked until a good pass replaces them") {
    Song song;
    song.set_rate(rate);
    CaptureBlock block = block_of(loud(1), 1'000, 200);
    block.nonfinite_from = 50;
    block.nonfinite_to = 60;
    song.add(block);
    CHECK(song.nonfinite());
    REQUIRE(song.marks({0, 2'000}).size() == 1);
    CHECK(song.marks({0, 2'000})[0].span == Span{1'050, 1'060});
    CHECK(std::string(song.marks({0, 2'000})[0].kind) == "nonfinite");
    song.add(block_of(loud(1), 1'000, 200));
    CHECK(!song.nonfinite());
}

TEST_CASE("lost blocks leave a hole that is said, until it is heard") {
    Song song;
    song.set_rate(rate);
    song.add(block_of(loud(1), 0, 200));
    CaptureBlock late = block_of(loud(1), 400, 200);
    late.jumped = late.lost = true;
    song.add(late);
    CHECK(song.lost());
    CHECK(song.heard() == std::vector<Span>{{0, 200}, {400, 600}});
    Player{song, loud(1)}.play({0, 600});
    CHECK(!song.lost());
    CHECK(song.heard() == std::vector<Span>{{0, 600}});
}

TEST_CASE("beyond max_seconds the page heard longest ago goes, and how much is said") {
    Song song(SongLimits{10.0, std::uint64_t{1} << 30});
    song.set_rate(rate);
    Player player{song, loud(1)};
    player.play({0, 5 * 48'000});
    player.play({100 * 48'000, 104 * 48'000});
    player.play({0, page_frames});  // the first page is the freshest now
    CHECK(song.dropped_seconds() == 0.0);
    player.play({200 * 48'000, 203 * 48'000});
    CHECK(song.seconds() <= 10.0);
    CHECK(song.dropped_seconds() == doctest::Approx(12.0 - song.seconds()));
    CHECK(song.coverage().contains(Span{0, page_frames}));
    CHECK(!song.coverage().contains(page_frames));
    CHECK(song.coverage().contains(Span{200 * 48'000, 203 * 48'000}));
    CHECK(song.marks({0, 300 * 48'000}).empty());
}

TEST_CASE("memory stays within its bound over an hour of playing, and silence costs next to none") {
    Song song(SongLimits{600.0, 4U << 20});
    song.set_rate(8000.0);
    Player player{song, loud(1)};
    CaptureBlock block = block_of(loud(1), 0, block_frames);
    for (std::int64_t at = 0; at < 3600 * 8000; at += block_frames) {
        block.frame = at;
        song.add(block);
        if (song.bytes() > (4U << 20)) FAIL("more than the bound");
    }
    CHECK(song.bytes() > (3U << 20));
    CHECK(song.dropped_seconds() > 3000.0);
    CHECK(song.max_seconds() < 600.0);
    song.clear();
    CHECK(song.bytes() == 0);
    for (std::int64_t at = 0; at < 600 * 8000; at += block_frames) song.add(block_of(silent, at, block_frames));
    CHECK(song.bytes() < 200'000);
    CHECK(song.seconds() == doctest::Approx(600.0).epsilon(0.001));
}

TEST_CASE("another rate clears the song and says why, the same rate or an empty song does not") {
    Song song;
    CHECK(song.set_rate(rate).empty());
    CHECK(song.set_rate(44'100.0).empty());
    Player{song, loud(1)}.play({0, 1'000});
    CHECK(song.set_rate(44'100.0).empty());
    CHECK(song.heard().size() == 1);
    const std::string reason = song.set_rate(96'000.0);
    CHECK(reason.find("44100 to 96000") != std::string::npos);
    CHECK(song.heard().empty());
    CHECK(song.bytes() == 0);
    CHECK(song.rate() == 96'000.0);
}

TEST_CASE("the first and last loud samples are found to the sample, across pages and holes") {
    Song song;
    song.set_rate(rate);
    const Span sound{50'000, 150'001};
    Player player{song, clips(loud(1), {sound})};
    player.play({0, 250'000});
    CHECK(song.first_louder({0, 250'000}, 1e-4F) == 50'000);
    CHECK(song.last_louder({0, 250'000}, 1e-4F) == 150'000);
    CHECK(song.first_louder({60'000, 250'000}, 1e-4F) == 60'000);
    CHECK(!song.first_louder({0, 50'000}, 0.0F));
    CHECK(!song.last_louder({150'001, 250'000}, 0.0F));
    CHECK(!song.first_louder({0, 250'000}, 0.7F));
    CHECK(!song.first_louder({1'000'000, 1'000'100}, 0.0F));
    const Extremes all = song.extremes({0, 250'000});
    CHECK(all.level() <= 0.6F);
    CHECK(all.level() > 0.59F);
    CHECK(song.extremes({300'000, 400'000}).low > song.extremes({300'000, 400'000}).high);
}

TEST_CASE("a side-chain that is taken away is no longer heard where the next pass went") {
    Song song;
    song.set_rate(rate);
    Player player{song, loud(1), loud(2)};
    player.play({0, 10'000});
    CHECK(song.side_seconds() == doctest::Approx(10'000.0 / rate));
    CHECK(song.copy_side({5'000, 5'001}).left[0] == loud(2)(0, 5'000));
    player.side = nullptr;
    player.play({4'000, 6'000});
    CHECK(song.side_coverage().spans() == std::vector<Span>{{0, 4'000}, {6'000, 10'000}});
    CHECK(song.copy_side({5'000, 5'001}).left[0] == 0.0F);
    CHECK(!song.side_louder({4'000, 6'000}, 0.0F));
    CHECK(song.side_louder({3'999, 6'000}, 0.0F));
}
