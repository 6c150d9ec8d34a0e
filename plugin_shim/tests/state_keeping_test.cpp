// What a state leaves as it is, and what it replaces, in an instance that is in the middle of something.
#include "core/state_keeping.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "core/bwf.hpp"
#include "core/engine.hpp"
#include "core/lossless.hpp"
#include "core/state.hpp"
#include "folder_double.hpp"
#include "host_double.hpp"
#include "lone_engine.hpp"
#include "surroundings.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

constexpr double rate = 48'000.0;
constexpr std::uint32_t block = 256;

State with_regions(double region_rate = rate) {
    State state;
    for (const std::int64_t id : {1, 2}) {
        Region region = region_of(static_cast<std::uint64_t>(id), {1000 * id, 1000 * id + 500}, region_rate,
                                  {numbered(static_cast<std::uint32_t>(id))});
        region.task = "infill";
        region.complete = true;
        for (Take& take : region.takes) take.audio = std::make_shared<const Audio>(*round_to_24(*take.audio));
        state.regions.push_back(std::move(region));
    }
    return state;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool shows(const Engine& engine, const std::function<bool(const Snapshot&)>& wanted) {
    return until([&] { return wanted(*engine.snapshot()); }, 20.0);
}

// Whether the worker has followed what was ordered before.
bool followed(Engine& engine) {
    engine.render();
    return shows(engine, [](const Snapshot& now) { return now.job.state == JobState::armed; });
}

std::string song_file_of(const std::string& blob) {
    const State state = load_state(blob)->state;
    const auto found = state.extra.find("song file");
    return found == state.extra.end() ? std::string() : found->second;
}

// A model that was activated.
struct Instance {
    Model model{SongLimits{}};
    Realtime realtime;

    Instance() {
        REQUIRE(realtime.activate(rate));
        (void)model.song.set_rate(rate);
    }
};

}  // namespace

TEST_CASE_FIXTURE(Instance, "a state that is loaded during a job has all its regions, whatever the job's number is") {
    model.open_region = 1;
    REQUIRE(load_blob(model, realtime, *save_state(with_regions())));
    CHECK(model.renders.all().size() == 2);
    CHECK(model.open_region == 0);
}

TEST_CASE_FIXTURE(Instance, "what a state had that is not valid, and what of it cannot be heard, are told together") {
    State state = with_regions(44'100.5);
    state.values[index(Parameter::freedom)] = 7.0F;
    REQUIRE(load_blob(model, realtime, *save_state(state)));
    CHECK(has(model.notice, "Freedom"));
    CHECK(has(model.notice, "whole rates"));
    REQUIRE(load_blob(model, realtime, *save_state(with_regions())));
    CHECK(model.notice.empty());
}

TEST_CASE("what a loaded state had that is not valid is still told when the worker has followed") {
    const Folder folder;
    State state = with_regions();
    state.values[index(Parameter::freedom)] = 7.0F;
    for (const char* name : {"", "missing.wav"}) {
        if (*name != '\0') state.extra["song file"] = (folder.path / name).string();
        Engine engine(settings_in(folder));
        REQUIRE(engine.activate(rate, block));
        REQUIRE(engine.load(*save_state(state)));
        REQUIRE(followed(engine));
        CHECK(has(engine.snapshot()->notice, "Freedom"));
        CHECK(has(engine.snapshot()->notice, name));
    }
}

TEST_CASE("the song file that a session names stays in it, also where it was not looked for or is missing") {
    const Folder folder;
    const std::string missing = (folder.path / "missing.wav").string();
    State state = with_regions();
    state.extra["song file"] = missing;
    Engine engine(settings_in(folder));
    REQUIRE(engine.load(*save_state(state)));
    CHECK(song_file_of(engine.save()) == missing);  // some hosts save what was never activated
    REQUIRE(engine.activate(rate, block));
    REQUIRE(followed(engine));
    CHECK(has(engine.snapshot()->notice, "missing.wav"));
    CHECK(engine.snapshot()->song_file_unread);
    CHECK(song_file_of(engine.save()) == missing);
}

TEST_CASE("a song file that is given before the first activation takes the place of one that the session names") {
    const Folder folder;
    const Audio music = *round_to_24(*audio_of(numbered(3), {0, 4800}, rate));
    const Expected<BwfFile> given = write_bwf(folder.path, music, {});
    REQUIRE(given);
    State state = with_regions();
    state.extra["song file"] = (folder.path / "missing.wav").string();
    Engine engine(settings_in(folder));
    REQUIRE(engine.load(*save_state(state)));
    engine.set_song_file(given->path);
    REQUIRE(engine.activate(rate, block));
    REQUIRE(followed(engine));
    CHECK(engine.snapshot()->song_file == given->path.string());
    CHECK_FALSE(engine.snapshot()->song_file_unread);
}

TEST_CASE_FIXTURE(Instance, "a state with another song file than before is not rendered with the one before") {
    model.file = {"before.wav", audio_of(numbered(3), {0, 4800}, rate)};
    model.file_path = "/before.wav";
    const auto load = [&](const char* path) {
        State state = with_regions();
        state.extra["song file"] = path;
        REQUIRE(load_blob(model, realtime, *save_state(state)));
        const bool at_once = model.file.audio != nullptr;
        REQUIRE(model.orders.song_file);
        take_song_file(model, *model.orders.song_file);
        CHECK((model.file.audio != nullptr) == at_once);
        CHECK(model.file_path == path);
        return at_once;
    };
    CHECK(load("/before.wav"));  // as it was, and not read again
    CHECK(model.notice.empty());
    CHECK_FALSE(load("/after.wav"));
    CHECK(has(model.notice, "after.wav"));
}

TEST_CASE_FIXTURE(Instance, "a song file that is wanted no more leaves the one before, and is read without the mutex") {
    const Folder folder;
    const Expected<BwfFile> given = write_bwf(folder.path, *round_to_24(*audio_of(numbered(3), {0, 4800}, rate)), {});
    REQUIRE(given);
    model.file = {"before.wav", audio_of(numbered(3), {0, 4800}, rate)};
    model.file_path = "/before.wav";
    int asked = 0;
    take_song_file(model, {given->path, false}, [&] {
        const std::unique_lock<std::mutex> lock(model.mutex, std::try_to_lock);
        CHECK(lock);
        ++asked;
        return false;
    });
    CHECK(asked == 1);
    CHECK(model.file.name == "before.wav");
    CHECK(model.file_path == "/before.wav");
    CHECK(model.notice.empty());
}
