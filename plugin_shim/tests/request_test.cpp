#include "core/request.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/automation.hpp"
#include "request_double.hpp"
#include "segue/protocol/codec.hpp"
#include "song_double.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;
namespace protocol = segue::protocol;

namespace {

std::string refusal(const Track& track, const Wish& wish, const Offer& offer = full_offer()) {
    const Expected<Request> made = make_request(track.song, wish, offer);
    if (made) return {};
    CHECK(!made.error().remedy.empty());
    return made.error().message;
}

Request made(const Track& track, const Wish& wish, const Offer& offer = full_offer()) {
    Expected<Request> request = make_request(track.song, wish, offer);
    if (!request) FAIL(request.error().message);
    return std::move(*request);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const protocol::Curve* curve(const Request& request, const std::string& name) {
    for (const protocol::Curve& one : request.submit.curves) {
        if (one.name == name) return &one;
    }
    return nullptr;
}

// As segue.guidance.curve.Curve reads it.
double value_at(const protocol::Curve& curve, double seconds) {
    const auto& points = curve.points;
    if (seconds <= points.front().first) return points.front().second;
    for (std::size_t i = 1; i < points.size(); ++i) {
        if (seconds > points[i].first) continue;
        const double part = (seconds - points[i - 1].first) / (points[i].first - points[i - 1].first);
        return points[i - 1].second + part * (points[i].second - points[i - 1].second);
    }
    return points.back().second;
}

constexpr Span all{0, 80'000};
constexpr Span hole{30'000, 40'000};
const std::vector<Span> two_clips{{0, hole.start}, {hole.stop, 80'000}};

}  // namespace

TEST_CASE("Fill Gap sends the heard stretch around the gap, and its place leads back to the song") {
    Track track(two_clips, {7'000, 75'000});
    const Request request = made(track, wish(Task::fill_gap, hole));
    CHECK(request.submit.task == "infill");
    CHECK(request.start == 7'000);
    CHECK(request.region == hole);
    CHECK(request.submit.gaps == std::vector<std::pair<std::int64_t, std::int64_t>>{{23'000, 33'000}});
    REQUIRE(request.streams.size() == 1);
    CHECK(request.streams[0]->left == track.song.copy({7'000, 75'000}).left);
    CHECK(request.streams[0]->right == track.song.copy({7'000, 75'000}).right);
    CHECK(request.submit.streams[0].role == "track");
    CHECK(request.submit.streams[0].rate == 8'000);
    CHECK(request.submit.streams[0].samples == 68'000);
    CHECK(request.submit.settings.candidates == 4);
    CHECK(request.submit.curves.empty());
    CHECK(request.message().empty());
}

TEST_CASE("Continue sends the track up to the gap, which need not have been heard, and asks for its length") {
    Track track({all}, {1'000, 50'000});
    const Request request = made(track, wish(Task::continuation, {50'000, 66'000}));
    CHECK(request.submit.task == "continuation");
    CHECK(request.submit.added == 16'000);
    CHECK(request.submit.gaps.empty());
    CHECK(!request.submit.backward);
    CHECK(request.start + request.streams[0]->frames() == 50'000);
    const Request within = made(track, wish(Task::continuation, {20'000, 30'000}));
    CHECK(within.streams[0]->frames() == 19'000);
    REQUIRE(within.streams.size() == 2);  // what follows the gap is material to recall from, the gap itself is not
    CHECK(within.streams[1]->left == track.song.copy({30'000, 50'000}).left);
}

TEST_CASE("with a side-chain a transition's track ends where the gap ends, and the right one starts where it starts") {
    Track track({all}, all, loud(5));
    const Request request = made(track, wish(Task::transition, hole));
    CHECK(request.submit.task == "transition");
    CHECK(request.submit.overlap == hole.size());
    CHECK(request.submit.gaps.empty());
    REQUIRE(request.submit.streams.size() == 3);
    CHECK(request.submit.streams[0].samples == hole.stop);
    CHECK(request.submit.streams[1].role == "right");
    CHECK(request.streams[1]->left == track.song.copy_side({hole.start, all.stop}).left);
    CHECK(request.submit.streams[2].role == "song");
    CHECK(request.streams[2]->left == track.song.copy({hole.stop, all.stop}).left);
    CHECK(request.region == hole);
}

TEST_CASE("a transition without a side-chain varies what joins two clips, or fills the silence between them") {
    CHECK(made(Track({all}, all), wish(Task::transition, hole)).submit.task == "regenerate");
    CHECK(made(Track(two_clips, all), wish(Task::transition, hole)).submit.task == "infill");
    CHECK(made(Track({all}, all, silent), wish(Task::transition, hole)).submit.task == "regenerate");
}

TEST_CASE("what cannot be asked is refused in words before anything is sent") {
    const Track track(two_clips, all), full({all}, all);
    Wish none = wish(Task::fill_gap, {});
    none.gap = {{}, GapSource::none, "nothing was heard yet: play the song"};
    CHECK(contains(refusal(track, none), "no gap"));
    CHECK(contains(refusal(track, wish(Task::fill_gap, {75'000, 85'000})), "only in part"));
    CHECK(contains(refusal(track, wish(Task::fill_gap, {100'000, 110'000})), "was not heard"));
    CHECK(contains(refusal(full, wish(Task::fill_gap, all)), "either side"));
    CHECK(contains(refusal(Track({}, all), wish(Task::fill_gap, hole)), "only silence"));
    CHECK(contains(refusal(track, wish(Task::regenerate, hole)), "Regenerate works on what stands in the gap"));
    CHECK(contains(refusal(track, wish(Task::continuation, {200'000, 210'000})), "nothing was heard just before"));
    const Track first({{0, 30'000}}, all), second({{40'000, 80'000}}, all);
    CHECK(contains(refusal(second, wish(Task::continuation, hole)), "only silence"));
    CHECK(contains(refusal(first, wish(Task::transition, hole)), "none was heard behind"));
    CHECK(contains(refusal(second, wish(Task::transition, hole)), "none was heard before"));
    CHECK(contains(refusal(full, wish(Task::restyle, hole)), "needs a preset"));
    Wish preset = wish(Task::fill_gap, hole);
    preset.values[index(Parameter::preset)] = 3.0F;
    CHECK(contains(refusal(track, preset), "Preset 3 is set, the renderer has 2"));
    preset.presets = {"dub", "warm tape", "gone"};  // as the session counts them
    CHECK(contains(refusal(track, preset), "preset gone is none of the renderer's"));
    Offer poor = full_offer();
    poor.tasks = {"infill"};
    CHECK(contains(refusal(full, wish(Task::regenerate, hole), poor), "does not offer regenerate; it offers infill"));
}

TEST_CASE("a side-chain that was heard in a part of the gap only, or not behind it, is refused") {
    Track partly({all}, all);
    partly.player.side = loud(5);
    partly.player.play({35'000, 60'000});
    CHECK(contains(refusal(partly, wish(Task::transition, hole)), "in a part of"));
    Track ends({all}, all);
    ends.player.side = clips(loud(5), {hole});
    ends.player.play({20'000, 60'000});
    CHECK(contains(refusal(ends, wish(Task::transition, hole)), "no music was heard on the side-chain after"));
}

TEST_CASE("earlier renders are laid in, so that a second fill hears the first, as the chosen candidate") {
    Track track(two_clips, all);
    const Region region = region_of(1, {10'000, 12'000}, 8'000.0, {numbered(7), numbered(8)});
    Wish wanted = wish(Task::fill_gap, hole);
    wanted.regions = playlist_of({region}, 8'000.0);
    wanted.values[index(Parameter::candidate)] = 2.0F;
    const Request request = made(track, wanted);
    const std::vector<float>& left = request.streams[0]->left;
    CHECK(left[9'999] == loud(1)(0, 9'999));
    CHECK(left[10'000] == numbered(8)(0, 10'000));
    CHECK(left[11'999] == numbered(8)(0, 11'999));
    CHECK(left[12'000] == loud(1)(0, 12'000));
    wanted.values[index(Parameter::candidate)] = 4.0F;
    CHECK(made(track, wanted).streams[0]->left[10'000] == numbered(7)(0, 10'000));
    wanted.regions = playlist_of({region_of(2, hole, 8'000.0, {loud(7)})}, 8'000.0);
    wanted.values[index(Parameter::task)] = static_cast<float>(Task::regenerate);
    CHECK(made(track, wanted).submit.task == "regenerate");  // the hole is filled by then
}

TEST_CASE("the track is cut to the longest stream around the gap, the rest is recalled from, nearest first") {
    Track track(two_clips, all);
    Offer offer = full_offer();
    offer.limits.max_seconds = 4.0;
    const Request request = made(track, wish(Task::fill_gap, hole), offer);
    CHECK(request.start == 19'000);
    CHECK(request.streams[0]->frames() == 32'000);
    REQUIRE(request.streams.size() == 3);
    CHECK(request.streams[1]->left == track.song.copy({0, 19'000}).left);
    CHECK(request.streams[2]->left == track.song.copy({51'000, 80'000}).left);
    CHECK(contains(request.message(), "the track is sent as 4.0 s"));
}

TEST_CASE("a gap near the start of what was heard leaves the other side more") {
    Track track(two_clips, {25'000, 80'000});
    Offer offer = full_offer();
    offer.limits.max_seconds = 4.0;
    const Request request = made(track, wish(Task::fill_gap, hole), offer);
    CHECK(request.start == 25'000);
    CHECK(request.streams[0]->frames() == 32'000);
}

TEST_CASE("the job's bytes go to the track, then the file, then the nearest stretches, and the rest is said") {
    Track track({all}, all);
    track.player.play({100'000, 120'000});
    track.player.play({200'000, 220'000});
    Offer offer = full_offer();
    Wish wanted = wish(Task::fill_gap, hole);
    const Request whole = made(track, wanted, offer);
    REQUIRE(whole.streams.size() == 3);
    CHECK(whole.submit.streams[1].name == "heard 0:12.500 to 0:15.000");
    CHECK(whole.message().empty());

    wanted.file = {"song.wav", audio_of(loud(9), {0, 40'000}, 16'000.0)};
    offer.limits.max_job_bytes = 8 * (80'000 + 40'000 + 12'000);
    const Request cut = made(track, wanted, offer);
    REQUIRE(cut.streams.size() == 3);
    CHECK(cut.submit.streams[1].name == "song.wav");
    CHECK(cut.submit.streams[1].rate == 16'000);
    CHECK(cut.streams[1] == wanted.file.audio);
    CHECK(cut.streams[2]->left == track.song.copy({100'000, 112'000}).left);
    CHECK(contains(cut.message(), "3.5 s of what was heard away from the gap were left out"));

    offer.limits.max_job_bytes = 8 * 100'000;
    CHECK(contains(made(track, wanted, offer).message(), "only the first 1.2 s of the song file"));
    offer.limits.max_job_bytes = 8 * 80'100;
    const Request alone = made(track, wanted, offer);
    CHECK(alone.streams.size() == 1);
    CHECK(contains(alone.message(), "the song file was left out"));
}

TEST_CASE("a gap longer than the renderer takes is refused, and named with its length") {
    Track track(two_clips, all);
    Offer offer = full_offer();
    offer.limits.max_seconds = 1.5;
    CHECK(contains(refusal(track, wish(Task::fill_gap, hole), offer), "lasts 1.2 s; the renderer takes 1.5 s"));
    CHECK(contains(refusal(track, wish(Task::continuation, {30'000, 50'000}), offer), "lasts 2.5 s"));
}

TEST_CASE("a transition shares a small job among both tracks, each longer than the overlap") {
    Track track({all}, all, loud(5));
    Offer offer = full_offer();
    offer.limits.max_job_bytes = 8 * 50'000;
    const Request request = made(track, wish(Task::transition, hole), offer);
    CHECK(request.submit.streams[0].samples == 25'000);
    CHECK(request.submit.streams[1].samples == 25'000);
    CHECK(request.start == 15'000);
    offer.limits.max_job_bytes = 8 * 24'000;
    CHECK(contains(refusal(track, wish(Task::transition, hole), offer), "the renderer takes 1.5 s"));
}

TEST_CASE("no more than 34 streams, whatever was heard") {
    Track track(two_clips, all);
    for (std::int64_t i = 0; i < 40; ++i) track.player.play({100'000 + i * 10'000, 109'000 + i * 10'000});
    const Request request = made(track, wish(Task::fill_gap, hole));
    CHECK(request.streams.size() == 34);
    CHECK(contains(request.message(), "left out"));
}

TEST_CASE("marks travel with their streams, the nearest to the gap where there are too many") {
    Track track(two_clips, all);
    track.player.play({20'000, 25'000});
    const Request request = made(track, wish(Task::fill_gap, hole));
    REQUIRE(request.submit.streams[0].marks.size() == 2);
    CHECK(request.submit.streams[0].marks[0].kind == "discontinuous");
    CHECK(request.submit.streams[0].marks[0].start == 20'000);
    for (std::int64_t at = 100; at < 20'000; at += 200) track.player.play({at, at + 100});
    const Request full = made(track, wish(Task::fill_gap, hole));
    CHECK(full.submit.streams[0].marks.size() == 64);
    CHECK(full.submit.streams[0].marks.back().start == 25'000);
    CHECK(full.submit.streams[0].marks.front().start == 20'000 - 62 * 100);
    CHECK(contains(full.message(), "marks of jumps far from the gap"));
}

TEST_CASE("automation that never moved is the knob as it stands now, any other is sent as it was heard") {
    Track track({all}, {});
    track.player.lanes.freedom = 0.25F;
    track.player.play(all);
    Wish wanted = wish(Task::regenerate, hole);
    wanted.values[index(Parameter::freedom)] = 0.75F;
    const Request knob = made(track, wanted);
    REQUIRE(knob.submit.curves.size() == 1);
    CHECK(curve(knob, "freedom")->points == std::vector<std::pair<double, double>>{{0.0, 0.75}});

    track.player.lanes.freedom = 0.5F;
    track.player.play({32'000, 36'000});
    const Request lane = made(track, wanted);
    const protocol::Curve& drawn = *curve(lane, "freedom");
    CHECK(drawn.points.size() == 5);
    CHECK(value_at(drawn, 3.9) == 0.25);
    CHECK(value_at(drawn, 4.0) == 0.5);
    CHECK(value_at(drawn, 4.4) == 0.5);
    CHECK(value_at(drawn, 4.5) == 0.25);
}

TEST_CASE("Guidance and Style go with a preset, Freedom where something is varied") {
    Track track({all}, all);
    Wish wanted = wish(Task::restyle, hole);
    wanted.values[index(Parameter::preset)] = 2.0F;
    const Request restyle = made(track, wanted);
    CHECK(restyle.submit.settings.preset == "dub");
    wanted.presets = {"dub", "warm tape"};
    CHECK(made(track, wanted).submit.settings.preset == "warm tape");
    wanted.presets.clear();
    CHECK(restyle.submit.curves.size() == 3);
    CHECK(curve(restyle, "guidance")->points[0].second == 1.0);
    wanted.values[index(Parameter::task)] = static_cast<float>(Task::fill_gap);
    CHECK(made(track, wanted).submit.curves.size() == 2);
    CHECK(made(track, wish(Task::fill_gap, hole)).submit.curves.empty());
}

TEST_CASE("a ramp of automation is a few points, and within a thousandth of what was heard at each block") {
    std::vector<LaneRun> runs;
    const auto lane = [](std::int64_t frame) {
        const double t = static_cast<double>(frame) / 48'000.0;
        return t < 2.0 ? 0.1 + 0.4 * t : t < 4.0 ? 0.9 : 0.5 + 0.4 * std::cos(t - 4.0);
    };
    for (std::int64_t at = 0; at < 480'000; at += 256) runs.push_back({{at, at + 256}, lane(at)});
    std::vector<protocol::Curve> curves{curve_of("freedom", runs, 0, 48'000.0)};
    CHECK(simplify(curves, protocol::max_curve_points) == curve_tolerance);
    CHECK(curves[0].points.size() < 60);
    double worst = 0.0;
    for (std::int64_t at = 0; at < 480'000; at += 256) {
        worst = std::max(worst, std::abs(value_at(curves[0], static_cast<double>(at) / 48'000.0) - lane(at)));
    }
    CHECK(worst <= 1.001e-3);
}

TEST_CASE("too much automation is simplified until it fits, and that is said") {
    Track track({all}, {});
    track.player.block = 8;
    std::mt19937 random(3);
    for (std::int64_t at = 0; at < 80'000; at += 8) {
        CaptureBlock block = block_of(loud(1), at, 8);
        block.jumped = at == 0;
        block.lanes.freedom = std::uniform_real_distribution<float>(0.3F, 0.7F)(random);
        track.song.add(block);
    }
    const Request request = made(track, wish(Task::regenerate, hole));
    CHECK(request.submit.curves[0].points.size() <= protocol::max_curve_points);
    CHECK(contains(request.message(), "automation was simplified to within"));
    CHECK(protocol::pack(request.submit));
}

TEST_CASE("streams of a mebibyte and more are named by their digest, in the words of the protocol") {
    Request request;
    request.streams.push_back(std::make_shared<const Audio>(
        Audio{44'100.0, std::vector<float>(131'072, 0.5F), std::vector<float>(131'072, -0.5F)}));
    request.streams.push_back(std::make_shared<const Audio>(Audio{44'100.0, {0.0F}, {0.0F}}));
    request.submit.streams = {{"track", "a", 44'100, 2, 131'072, {}, {}}, {"song", "b", 44'100, 2, 1, {}, {}}};
    add_digests(request);
    CHECK(request.submit.streams[0].digest == "8c816214386753b6967b73f8dd7d52eb0fe7e4398246329b335378b53fe0775f");
    CHECK(!request.submit.streams[1].digest);
    CHECK(chunk_payload({8'000.0, {1, 2, 3, 4}, {5, 6, 7, 8}}, 1, 2) == std::vector<float>{2, 3, 6, 7});
}
