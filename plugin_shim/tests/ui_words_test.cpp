#include "ui/words.hpp"

#include <doctest/doctest.h>

using namespace segue::plugin;
using namespace segue::plugin::ui;

namespace {

struct Shown {
    Snapshot snapshot;
    Peaks peaks;
    Values values = initial_values();
    UiState state;

    Shown() {
        snapshot.rate = 48000.0;
        snapshot.tempo = 120.0;
    }
    [[nodiscard]] Scene scene() const { return {snapshot, peaks, values, state}; }
};

bool holds(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the gap is told with its place, length, beats and source") {
    Shown shown;
    shown.snapshot.gap = {{1'152'000, 1'344'000}, GapSource::lane, ""};
    const std::string text = words::gap(shown.scene()).text;
    for (const char* part : {"0:24.000", "0:28.000", "4.000 s", "8 beats", "Gap lane"}) CHECK(holds(text, part));
    shown.snapshot.gap = {{}, GapSource::none, "no silence lies near the playhead"};
    CHECK(words::gap(shown.scene()).text == "No silence lies near the playhead");
}

TEST_CASE("a song file that was not read is told from one that is looked in") {
    Shown shown;
    shown.state.engine = true;
    shown.snapshot.song_file = "/music/rough mix.wav";
    CHECK(words::song(shown.scene()).text == "rough mix.wav");
    CHECK(words::song(shown.scene()).mood == words::Mood::good);
    shown.snapshot.song_file_unread = true;
    CHECK(words::song(shown.scene()).text == "rough mix.wav was not read.");
    CHECK(words::song(shown.scene()).mood == words::Mood::warning);
}

TEST_CASE("each flag of the capture is said in words, the worst colours the line") {
    Shown shown;
    shown.snapshot.capture.heard = {{0, 96'000}};
    shown.snapshot.capture.seconds = 2.0;
    shown.snapshot.capture.max_seconds = 600.0;
    shown.snapshot.capture.bytes = 61'000'000;
    CHECK(holds(words::capture(shown.scene()).text, "0:02 of 10:00"));
    CHECK(holds(words::capture(shown.scene()).text, "61 MB"));
    CHECK(words::capture(shown.scene()).mood == words::Mood::quiet);
    shown.snapshot.capture.discontinuous = true;
    CHECK(holds(words::capture(shown.scene()).text, "jumped"));
    CHECK(words::capture(shown.scene()).mood == words::Mood::warning);
    shown.snapshot.capture.lost = shown.snapshot.capture.nonfinite = true;
    const words::Sentence all = words::capture(shown.scene());
    for (const char* part : {"lost", "NaN", "jumped"}) CHECK(holds(all.text, part));
    CHECK(all.mood == words::Mood::bad);
}

TEST_CASE("every state of a job and of the link has words") {
    Shown shown;
    for (int state = 0; state <= static_cast<int>(JobState::cancelled); ++state) {
        shown.snapshot.job.state = static_cast<JobState>(state);
        CHECK_FALSE(words::job(shown.scene()).text.empty());
    }
    for (int state = 0; state <= static_cast<int>(LinkState::online); ++state) {
        shown.snapshot.link.state = static_cast<LinkState>(state);
        CHECK_FALSE(words::link(shown.scene()).text.empty());
    }
}

TEST_CASE("a running job says its stage, how far it is, and the time left") {
    Shown shown;
    shown.snapshot.job = {JobState::running, "sample", 0.456, 3.4, ""};
    const std::string text = words::job(shown.scene()).text;
    for (const char* part : {"sample", "46 %", "4 s left"}) CHECK(holds(text, part));
}

TEST_CASE("what the engine says goes before what the UI would say") {
    Shown shown;
    shown.snapshot.job = {JobState::failed, "", 0.0, {}, "out of memory: use a shorter gap"};
    CHECK(words::job(shown.scene()).text == "Out of memory: use a shorter gap");
    shown.snapshot.link.text = "offline: the connection file can be read by others";
    shown.snapshot.link.remedy = "chmod 600 it";
    CHECK(words::link(shown.scene()).text == "Offline: the connection file can be read by others");
    CHECK(words::remedy(shown.scene()) == "chmod 600 it");
}

TEST_CASE("takes are told by method and score") {
    CHECK(words::take({"regenerated splice", 3.871}) == "Regenerated splice");
    CHECK(words::score({"splice", 3.871}) == "score 3.87");
    CHECK(words::score({"splice", {}}) == "not ranked");
    CHECK(words::task_name("continuation") == "Continue");
    CHECK(words::task_name("something new") == "something new");
}
