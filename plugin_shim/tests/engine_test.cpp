// The engine as hosts use it, where no renderer is needed.
#include "core/engine.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/lossless.hpp"
#include "core/state.hpp"
#include "folder_double.hpp"
#include "host_double.hpp"
#include "lone_engine.hpp"
#include "renderer_double.hpp"
#include "surroundings.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

constexpr double rate = 48'000.0;
constexpr std::uint32_t block = 256;

// Whether there are so many threads; one that was joined is listed for a moment longer.
bool threads_are(std::ptrdiff_t count) {
    const std::filesystem::path all = "/proc/self/task";
    return until([&] { return std::distance(std::filesystem::directory_iterator(all), {}) == count; }, 20.0);
}

// One block through the engine; what comes out.
Sound process(Engine& engine, const Signal& signal, std::int64_t frame, bool playing = true) {
    Sound sound;
    for (int channel = 0; channel < 2; ++channel) {
        for (std::uint32_t i = 0; i < block; ++i) sound.channels[channel].push_back(signal(channel, frame + i));
    }
    float* both[2] = {sound.channels[0].data(), sound.channels[1].data()};
    Transport transport;
    transport.valid = true;
    transport.playing = playing;
    transport.frame = frame;
    engine.process(both, both, nullptr, block, transport);
    return sound;
}

bool shows(const Engine& engine, const std::function<bool(const Snapshot&)>& wanted, double seconds = 20.0) {
    return until([&] { return wanted(*engine.snapshot()); }, seconds);
}

// A state with two renders, the later over the end of the earlier.
State with_regions() {
    State state;
    for (std::uint64_t id = 1; id <= 2; ++id) {
        const std::int64_t start = id == 1 ? 1000 : 1500;
        Region region = region_of(id, {start, start + 1000}, rate, {numbered(static_cast<std::uint32_t>(id))});
        region.task = "infill";
        region.complete = true;
        for (Take& take : region.takes) {
            take.audio = std::make_shared<const Audio>(*round_to_24(*take.audio));
            take.method = "splice";
        }
        state.regions.push_back(std::move(region));
    }
    return state;
}

float heard_at(Engine& engine, std::int64_t frame) {
    return process(engine, [](int, std::int64_t) { return 0.0F; }, frame).channels[0][0];
}

float sample_of(const State& state, std::size_t region, std::int64_t frame) {
    const Region& one = state.regions[region];
    return one.takes[0].audio->left[static_cast<std::size_t>(frame - one.span.start)];
}

}  // namespace

TEST_CASE("fault 01: a scan takes no time, no thread and no socket; the first activation starts one thread") {
    const Folder folder;
    REQUIRE(threads_are(1));
    const Stopwatch watch;
    const std::clock_t began = std::clock();  // of the processor: others that use it do not count
    std::vector<std::unique_ptr<Engine>> all;
    for (int i = 0; i < 100; ++i) all.push_back(std::make_unique<Engine>(settings_in(folder)));
    CHECK(std::clock() - began < CLOCKS_PER_SEC);
    CHECK(watch.seconds() < 20.0);
    CHECK(threads_are(1));
    CHECK(all[0]->snapshot()->link.state == LinkState::idle);
    REQUIRE(all[0]->activate(rate, block));
    REQUIRE(all[0]->activate(rate, block));
    CHECK(threads_are(2));
    all.clear();
    CHECK(threads_are(1));
}

TEST_CASE("fault 01: without a renderer audio passes bit for bit, and the status says why it is offline") {
    const Folder folder;
    Engine engine(settings_in(folder));
    REQUIRE(engine.activate(rate, block));
    const Signal signal = numbered(3);
    for (std::int64_t frame = 0; frame < 48'000; frame += block) {
        const Sound out = process(engine, signal, frame);
        REQUIRE(out.channels[1][7] == signal(1, frame + 7));
    }
    REQUIRE(shows(engine, [](const Snapshot& now) { return now.link.state == LinkState::offline; }));
    CHECK_FALSE(engine.snapshot()->link.text.empty());
    CHECK_FALSE(engine.snapshot()->link.remedy.empty());
    CHECK(shows(engine, [](const Snapshot& now) { return now.capture.seconds > 0.99; }));
}

TEST_CASE("a rate that is refused passes audio through and is told; a good one is taken after it") {
    const Folder folder;
    Engine engine(settings_in(folder));
    for (const double bad : {0.0, 7'999.0, 44'100.5, 800'000.0, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK_FALSE(engine.activate(bad, block));
        CHECK(engine.snapshot()->notice.find("sample rate") != std::string::npos);
        const Sound out = process(engine, numbered(1), 0);
        CHECK(out.channels[0][5] == numbered(1)(0, 5));
    }
    CHECK(engine.activate(44'100.0, block));
}

TEST_CASE("parameters that are not valid are left as they were") {
    const Folder folder;
    Engine engine(settings_in(folder));
    const float before = engine.parameter(Parameter::freedom);
    engine.set_parameter(Parameter::freedom, std::nanf(""));
    engine.set_parameter(Parameter::freedom, 1.5F);
    CHECK(engine.parameter(Parameter::freedom) == before);
    engine.set_parameter(Parameter::freedom, 0.25F);
    CHECK(engine.parameter(Parameter::freedom) == 0.25F);
}

TEST_CASE("a session is heard from its first block, without a renderer, and saved again it is the same") {
    const Folder folder;
    const State state = with_regions();
    const std::string blob = *save_state(state);
    Engine engine(settings_in(folder));
    REQUIRE(engine.load(blob));
    REQUIRE(engine.activate(rate, block));
    CHECK(heard_at(engine, 999) == 0.0F);
    CHECK(heard_at(engine, 1000) == sample_of(state, 0, 1000));
    CHECK(heard_at(engine, 1500) == sample_of(state, 1, 1500));
    CHECK(engine.snapshot()->regions.size() == 2);
    CHECK(engine.save() == blob);

    Engine later(settings_in(folder));  // as some hosts do it
    REQUIRE(later.activate(rate, block));
    REQUIRE(later.load(blob));
    CHECK(heard_at(later, 2499) == sample_of(state, 1, 2499));
}

TEST_CASE("undo, redo and remove change what is heard, and are saved") {
    const Folder folder;
    const State state = with_regions();
    Engine engine(settings_in(folder));
    REQUIRE(engine.load(*save_state(state)));
    REQUIRE(engine.activate(rate, block));
    engine.undo();
    CHECK(heard_at(engine, 1500) == sample_of(state, 0, 1500));
    CHECK(heard_at(engine, 2100) == 0.0F);
    engine.undo();
    engine.undo();  // nothing left to undo
    CHECK(heard_at(engine, 1500) == 0.0F);
    engine.redo();
    CHECK(heard_at(engine, 1500) == sample_of(state, 0, 1500));
    engine.redo();
    CHECK(heard_at(engine, 1500) == sample_of(state, 1, 1500));
    engine.remove(1);
    CHECK(heard_at(engine, 1100) == 0.0F);
    CHECK(heard_at(engine, 1600) == sample_of(state, 1, 1600));

    Engine reopened(settings_in(folder));
    REQUIRE(reopened.load(engine.save()));
    REQUIRE(reopened.activate(rate, block));
    CHECK(heard_at(reopened, 1100) == 0.0F);
    reopened.redo();
    CHECK(heard_at(reopened, 1100) == sample_of(state, 0, 1100));
}

TEST_CASE("a region is heard at its place at another rate than it was rendered at") {
    const Folder folder;
    State state;
    const Signal tone = sine(1000.0, 0.5, rate);
    state.regions.push_back(region_of(1, {48'000, 96'000}, rate, {tone}));
    auto& audio = state.regions[0].takes[0].audio;
    audio = std::make_shared<const Audio>(*round_to_24(*audio));
    Engine engine(settings_in(folder));
    REQUIRE(engine.load(*save_state(state)));
    REQUIRE(engine.activate(96'000.0, block));
    CHECK(engine.snapshot()->regions[0].span == Span{96'000, 192'000});
    const Sound out = process(engine, [](int, std::int64_t) { return 0.0F; }, 120'000);
    double worst = 0.0;
    for (std::uint32_t i = 0; i < block; ++i) {
        const double expected = 0.5 * std::sin(2.0 * std::acos(-1.0) * 1000.0 * (120'000.0 + i) / 96'000.0);
        worst = std::max(worst, std::abs(expected - static_cast<double>(out.channels[0][i])));
    }
    CHECK(worst < 1e-4);
}

TEST_CASE("fault 08: a damaged state is refused in words, and all is as it was") {
    const Folder folder;
    const std::string blob = *save_state(with_regions());
    Engine engine(settings_in(folder));
    REQUIRE(engine.load(blob));
    engine.set_parameter(Parameter::mix, 0.5F);
    for (const std::string& bad : {std::string(), std::string("nonsense"), blob.substr(0, blob.size() / 2)}) {
        CHECK_FALSE(engine.load(bad));
        CHECK_FALSE(engine.snapshot()->notice.empty());
        CHECK(engine.snapshot()->regions.size() == 2);
        CHECK(engine.parameter(Parameter::mix) == 0.5F);
    }
    REQUIRE(engine.load(blob));
    CHECK(engine.snapshot()->notice.empty());
}

TEST_CASE("a session that was saved with Render on does not render when it is opened") {
    const Folder folder;
    State state = with_regions();
    state.values[index(Parameter::render)] = 1.0F;
    Engine engine(settings_in(folder));
    REQUIRE(engine.load(*save_state(state)));
    CHECK(engine.parameter(Parameter::render) == 1.0F);
    REQUIRE(engine.activate(rate, block));
    process(engine, numbered(1), 0);
    REQUIRE(shows(engine, [](const Snapshot& now) { return now.capture.seconds > 0.0; }));
    CHECK(engine.snapshot()->job.state == JobState::none);
}

TEST_CASE("a render is armed until the music around the gap was heard, says what it waits for, and can be cancelled") {
    const Folder folder;
    Engine engine(settings_in(folder));
    REQUIRE(engine.activate(rate, block));
    engine.render();
    REQUIRE(shows(engine, [](const Snapshot& now) { return now.job.state == JobState::armed; }));
    CHECK(shows(engine, [](const Snapshot& now) { return !now.job.message.empty(); }));
    engine.cancel();
    REQUIRE(shows(engine, [](const Snapshot& now) { return now.job.state == JobState::cancelled; }));

    engine.set_parameter(Parameter::render, 1.0F);  // the same by automation
    process(engine, numbered(1), 0);
    CHECK(shows(engine, [](const Snapshot& now) { return now.job.state == JobState::armed; }));
}

TEST_CASE("with the gap heard and no renderer the job waits for one, in words") {
    const Folder folder;
    Engine engine(settings_in(folder));
    REQUIRE(engine.activate(rate, block));
    const Signal signal = numbered(2);
    for (std::int64_t frame = 0; frame < 96'000; frame += block) process(engine, signal, frame);
    engine.set_marks({40'000, 50'000});
    REQUIRE(shows(engine, [](const Snapshot& now) { return now.gap.source == GapSource::marks; }));
    process(engine, signal, 96'000, false);
    engine.render();
    REQUIRE(shows(engine, [](const Snapshot& now) { return now.job.state == JobState::waiting; }));
    CHECK(engine.snapshot()->job.message.find("renderer") != std::string::npos);
}

TEST_CASE("a song file that cannot be read is refused in words, and the one before stays") {
    const Folder folder;
    Engine engine(settings_in(folder));
    engine.set_song_file(write_file(folder.path / "bad.wav", "RIFF....", 0600));
    CHECK_FALSE(engine.snapshot()->notice.empty());
    CHECK(engine.snapshot()->song_file.empty());
    REQUIRE(engine.activate(rate, block));
    engine.set_song_file(folder.path / "missing.wav");
    CHECK(shows(engine, [](const Snapshot& now) { return now.notice.find("missing.wav") != std::string::npos; }));
}

TEST_CASE("capture can be forgotten, and another rate forgets it, which is told") {
    const Folder folder;
    Engine engine(settings_in(folder));
    REQUIRE(engine.activate(rate, block));
    const auto play = [&] {
        for (std::int64_t frame = 0; frame < 9'600; frame += block) process(engine, numbered(1), frame);
        REQUIRE(shows(engine, [](const Snapshot& now) { return now.capture.seconds > 0.1; }));
    };
    play();
    engine.forget_capture();
    REQUIRE(shows(engine, [](const Snapshot& now) { return now.capture.seconds == 0.0; }));
    play();
    engine.deactivate();
    REQUIRE(engine.activate(44'100.0, block));
    CHECK(shows(engine, [](const Snapshot& now) { return now.capture.seconds == 0.0 && !now.notice.empty(); }));
}

TEST_CASE("what was heard and not yet looked at is forgotten with the rest") {
    const Folder folder;
    Engine engine(settings_in(folder));
    REQUIRE(engine.activate(rate, block));
    for (std::int64_t frame = 0; frame < 96'000; frame += block) process(engine, numbered(1), frame);
    engine.forget_capture();
    process(engine, numbered(1), 96'000);
    CHECK(shows(engine, [](const Snapshot& now) { return now.capture.seconds == doctest::Approx(block / rate); }));
}

TEST_CASE("fault 10: an engine that is connecting, or online, is gone within a second") {
    const Folder folder;
    RendererDouble renderer(folder.path);
    for (const bool greets : {true, false}) {
        renderer.greets = greets;
        const LinkState wanted = greets ? LinkState::online : LinkState::connecting;
        CHECK(quickest([&] {
                  auto engine = std::make_unique<Engine>(settings_in(folder));
                  REQUIRE(engine->activate(rate, block));
                  REQUIRE(shows(*engine, [&](const Snapshot& now) { return now.link.state == wanted; }));
                  const Stopwatch watch;
                  engine.reset();
                  return watch.seconds();
              }) < 1.0);
    }
}

TEST_CASE("what the environment sets, and what of it is not valid") {
    const Variable method("SEGUE_METHOD", "splice"), start("SEGUE_START_RENDERER", "0");
    {
        const Variable wait("SEGUE_BOUNCE_WAIT", "2.5"), steps("SEGUE_STEPS", "4");
        const EngineSettings settings = EngineSettings::from_environment();
        CHECK(settings.method == "splice");
        CHECK_FALSE(settings.start_renderer);
        CHECK(settings.bounce_wait == 2.5);
        CHECK(settings.steps == 4);
        CHECK(settings.complaint.empty());
    }
    const Variable wait("SEGUE_BOUNCE_WAIT", "soon");
    const EngineSettings settings = EngineSettings::from_environment();
    CHECK(settings.bounce_wait == EngineSettings().bounce_wait);
    CHECK(settings.complaint.find("SEGUE_BOUNCE_WAIT") != std::string::npos);
    CHECK(Engine(settings).snapshot()->notice == settings.complaint);
}
