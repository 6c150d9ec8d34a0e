#include "core/state.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <ctime>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/base64.hpp"
#include "core/crc32.hpp"
#include "core/lossless.hpp"
#include "host_double.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;
namespace protocol = segue::protocol;

namespace {

Take take_of(const Signal& signal, const Span& span, double rate) {
    Take take;
    take.candidate = 7;
    take.method = "generated";
    take.how = "ding, 6 steps";
    take.score = -1.25;
    take.seed = 123456789012345;
    take.recipe = "{\"task\": \"infill\", \"größe\": 1}";
    Expected<Audio> rounded = round_to_24(*audio_of(signal, span, rate));
    take.audio = std::make_shared<const Audio>(std::move(*rounded));
    return take;
}

Region full_region(std::uint64_t id, const Span& span, double rate = 44'100.0) {
    Region region;
    region.id = id;
    region.span = span;
    region.rate = rate;
    region.task = "infill";
    region.report = "{}";
    region.complete = true;
    region.takes = {take_of(numbered(1), span, rate), take_of(numbered(2), span, rate)};
    region.takes[1].score.reset();
    region.takes[1].seed.reset();
    return region;
}

State full_state() {
    State state;
    state.values[index(Parameter::freedom)] = 0.3F;
    state.values[index(Parameter::candidate)] = 2.0F;
    state.regions = {full_region(4, {1'000, 3'000}), full_region(5, {-200, 100}, 96'000.0)};
    state.regions[1].undone = true;
    state.marks = Span{5'000, 6'000};
    state.marks_rate = 44'100.0;
    state.extra = {{"song_file", "/music/größe.wav"}, {"a", ""}};
    return state;
}

std::string saved(const State& state) {
    const Expected<std::string> blob = save_state(state);
    if (!blob) FAIL(blob.error().message);
    return *blob;
}

// A blob whose bytes were changed, with a check sum that holds.
std::string forged(const std::string& blob, const std::function<void(std::string&)>& change) {
    std::string bytes = from_base64(blob).value();
    change(bytes);
    std::uint32_t crc = crc32(std::string_view(bytes).substr(16), crc32(std::string_view(bytes).substr(0, 12)));
    for (std::size_t i = 0; i < 4; ++i, crc >>= 8) bytes[12 + i] = static_cast<char>(crc & 0xFF);
    return to_base64(bytes);
}

void check_refused(std::string_view blob, protocol::Code code = protocol::Code::malformed) {
    const Expected<LoadedState> loaded = load_state(blob);
    if (loaded) FAIL("a damaged state was taken");
    if (loaded.error().code != code || loaded.error().message.empty() || loaded.error().remedy.empty())
        FAIL(loaded.error().message);
}

}  // namespace

TEST_CASE("all of a state comes back as it was saved, audio bit for bit") {
    const State state = full_state();
    const Expected<LoadedState> loaded = load_state(saved(state));
    REQUIRE(loaded);
    CHECK(loaded->notes.empty());
    const State& back = loaded->state;
    CHECK(back.values == state.values);
    CHECK(back.marks == state.marks);
    CHECK(back.marks_rate == state.marks_rate);
    CHECK(back.extra == state.extra);
    REQUIRE(back.regions.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        const Region &now = back.regions[i], &then = state.regions[i];
        CHECK(now.id == then.id);
        CHECK(now.span == then.span);
        CHECK(now.rate == then.rate);
        CHECK(now.task == then.task);
        CHECK(now.report == then.report);
        CHECK(now.undone == then.undone);
        CHECK(now.complete == then.complete);
        REQUIRE(now.takes.size() == 2);
        for (std::size_t k = 0; k < 2; ++k) {
            CHECK(now.takes[k].candidate == then.takes[k].candidate);
            CHECK(now.takes[k].method == then.takes[k].method);
            CHECK(now.takes[k].how == then.takes[k].how);
            CHECK(now.takes[k].score == then.takes[k].score);
            CHECK(now.takes[k].seed == then.takes[k].seed);
            CHECK(now.takes[k].recipe == then.takes[k].recipe);
            CHECK(now.takes[k].audio->left == then.takes[k].audio->left);
            CHECK(now.takes[k].audio->right == then.takes[k].audio->right);
        }
    }
}

TEST_CASE("a state is one line of printable text, the same for the same content, also when saved again") {
    const std::string blob = saved(full_state());
    for (const char c : blob) {
        if (c <= ' ' || c > '~') FAIL("not printable");
    }
    CHECK(saved(full_state()) == blob);
    CHECK(saved(load_state(blob)->state) == blob);
    State packed = full_state();
    for (Region& region : packed.regions) {
        for (Take& take : region.takes) take.packed = std::make_shared<const Packed>(*pack(*take.audio));
    }
    CHECK(saved(packed) == blob);
}

TEST_CASE("takes that are still on their way are not saved, and regions without any are not either") {
    State state = full_state();
    state.regions[0].takes[1].audio.reset();
    state.regions[1].takes.clear();
    const Expected<LoadedState> loaded = load_state(saved(state));
    REQUIRE(loaded);
    REQUIRE(loaded->state.regions.size() == 1);
    CHECK(loaded->state.regions[0].takes.size() == 1);
}

TEST_CASE("what could not be opened again is not saved") {
    State state = full_state();
    state.regions[0].span.stop += 1;
    CHECK(!save_state(state));
    state = full_state();
    state.regions[0].takes[0].audio = audio_of(sine(440.0, 0.9, 44'100.0), {1'000, 3'000}, 44'100.0);  // not rounded
    CHECK(!save_state(state));
    state = full_state();
    state.marks_rate = 0.0;
    CHECK(!load_state(saved(state))->state.marks);
}

TEST_CASE("fault 08: an empty state, one cut at every byte, 1 MB of noise: refused in words") {
    check_refused("");
    State state = full_state();
    state.regions[0] = full_region(4, {0, 40});
    state.regions[1] = full_region(5, {0, 20});
    const std::string blob = saved(state);
    for (std::size_t size = 0; size < blob.size(); ++size) check_refused(std::string_view(blob).substr(0, size));
    std::mt19937 random(8);
    std::string noise(1'000'000, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    check_refused(noise);
    const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (char& c : noise) c = letters[random() % letters.size()];
    check_refused(noise);
    check_refused(blob + "A");
    check_refused(blob + "\n");
}

TEST_CASE("fault 08: a small state with any one bit flipped is refused") {
    State state;
    state.regions = {full_region(4, {0, 3})};
    state.regions[0].takes.pop_back();
    std::string blob = saved(state);
    for (std::size_t at = 0; at < blob.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            blob[at] = static_cast<char>(blob[at] ^ (1 << bit));
            check_refused(blob);
            blob[at] = static_cast<char>(blob[at] ^ (1 << bit));
        }
    }
    CHECK(load_state(blob));
}

TEST_CASE("fault 08: lengths and indices that lie under a check sum that holds are refused too") {
    const std::string blob = saved(full_state());
    for (const std::size_t at : {std::size_t{16}, std::size_t{19}, std::size_t{24}, std::size_t{31}, std::size_t{32}}) {
        check_refused(forged(blob, [&](std::string& bytes) { bytes[at] = static_cast<char>(bytes[at] ^ 0x41); }));
    }
    check_refused(forged(blob, [](std::string& bytes) { bytes.pop_back(); }));
    check_refused(forged(blob, [](std::string& bytes) { bytes.resize(32); }));
    std::mt19937 random(9);  // anywhere: refused, or taken, but never anything else
    for (int count = 0; count < 300; ++count) {
        const auto change = [&](std::string& bytes) { bytes[32 + random() % 900] = static_cast<char>(random()); };
        (void)load_state(forged(blob, change));
    }
}

TEST_CASE("fault 08: a region whose number would leave none for the next render is refused") {
    for (const std::uint64_t id : {std::uint64_t{0}, static_cast<std::uint64_t>(protocol::max_count)}) {
        State state = full_state();
        state.regions[0].id = id;
        check_refused(saved(state));
    }
}

TEST_CASE("fault 09: a parameter that is NaN or out of range is at its default, and that is said") {
    State state = full_state();
    state.values[index(Parameter::freedom)] = std::numeric_limits<float>::quiet_NaN();
    state.values[index(Parameter::mix)] = 1.5F;
    const Expected<LoadedState> loaded = load_state(saved(state));
    REQUIRE(loaded);
    CHECK(loaded->state.values[index(Parameter::freedom)] == initial_values()[index(Parameter::freedom)]);
    CHECK(loaded->state.values[index(Parameter::mix)] == 1.0F);
    CHECK(loaded->state.values[index(Parameter::candidate)] == 2.0F);
    REQUIRE(loaded->notes.size() == 2);
    CHECK(loaded->notes[0].find("Freedom") != std::string::npos);
    CHECK(loaded->notes[1].find("Mix") != std::string::npos);
    CHECK(loaded->state.regions.size() == 2);
}

TEST_CASE("fault 09: a state from a newer version is told from a damaged one") {
    const std::string newer = forged(saved(full_state()), [](std::string& bytes) { bytes[8] = 2; });
    check_refused(newer, protocol::Code::version);
    CHECK(load_state(newer).error().message.find("newer") != std::string::npos);
    // of a newer version nothing but magic, version and check sum is looked at
    check_refused(forged(saved(full_state()), [](std::string& bytes) {
                      bytes[8] = 2;
                      bytes.resize(40);
                  }),
                  protocol::Code::version);
    check_refused(forged(saved(full_state()), [](std::string& bytes) { bytes[8] = 0; }));
}

TEST_CASE("a state that is larger than it may be is not saved, and not loaded either") {
    const State state = full_state();
    const std::string blob = saved(state);
    StateLimits limits;
    limits.bytes = blob.size();
    CHECK(load_state(blob, limits));
    CHECK(save_state(state, limits));
    limits.bytes = blob.size() / 4 * 3;
    CHECK_FALSE(load_state(blob, limits));
    CHECK(save_state(state, limits).error().message.find("more than a state may hold") != std::string::npos);
    limits = {};
    limits.regions = 1;
    CHECK_FALSE(load_state(blob, limits));
    CHECK_FALSE(save_state(state, limits));
}

TEST_CASE("fault 08: a small state that says it holds more audio than fits into memory is refused before any is read") {
    std::string blob = saved(full_state());
    StateLimits limits;
    limits.frames = 2 * 2'000 + 2 * 300;  // all takes of both regions
    CHECK(load_state(blob, limits));
    limits.frames -= 1;
    CHECK(load_state(blob, limits).error().message.find("more audio than a session may") != std::string::npos);
    CHECK_FALSE(save_state(full_state(), limits));
    CHECK(8.0 * static_cast<double>(StateLimits().frames) <= std::ldexp(1.0, 32));
}

TEST_CASE("room is made for a state by the oldest undone renders, then by takes that are not heard") {
    State state = full_state();
    state.values[index(Parameter::candidate)] = 2.0F;
    state.regions.push_back(full_region(6, {5'000, 6'000}));
    state.regions.push_back(full_region(7, {7'000, 8'000}));
    state.regions[3].undone = true;
    const auto ids = [&] {
        std::vector<std::uint64_t> all;
        for (const Region& region : state.regions) all.push_back(region.id);
        return all;
    };
    StateLimits limits;
    limits.frames = 2 * (2'000 + 300 + 1'000 + 1'000);
    CHECK(make_room(state, limits).empty());
    CHECK(ids() == std::vector<std::uint64_t>{4, 5, 6, 7});
    limits.frames -= 1;
    CHECK(make_room(state, limits).find("1 undone") != std::string::npos);
    CHECK(ids() == std::vector<std::uint64_t>{4, 6, 7});
    limits.frames = 2 * 2'000 + 1'000;
    const std::vector<float> heard = state.regions[0].takes[1].audio->left;
    CHECK(make_room(state, limits).find("other takes of 1") != std::string::npos);
    CHECK(ids() == std::vector<std::uint64_t>{4, 6});
    CHECK(state.regions[0].takes.size() == 1);
    CHECK(state.regions[0].takes[0].audio->left == heard);
    CHECK(state.regions[1].takes.size() == 2);
    CHECK(save_state(state, limits));
    limits.frames = 2'999;  // less than what is heard
    CHECK_FALSE(make_room(state, limits).empty());
    CHECK(ids() == std::vector<std::uint64_t>{4, 6});
    CHECK_FALSE(save_state(state, limits));
}

TEST_CASE("room is made in bytes and in regions too") {
    State state;
    for (std::uint64_t id = 1; id <= 3; ++id) state.regions.push_back(full_region(id, {0, 100'000}));
    state.regions[1].undone = true;
    StateLimits limits;
    limits.regions = 2;
    CHECK_FALSE(make_room(state, limits).empty());
    CHECK(state.regions.size() == 2);
    limits.bytes = saved(state).size();  // without what is spare
    CHECK_FALSE(make_room(state, limits).empty());
    CHECK(saved(state).size() <= limits.bytes);
    CHECK(state.regions[0].takes.size() == 1);
    CHECK(state.regions[1].takes.size() == 2);
}

TEST_CASE("what lies where no song reaches is left out, and the rest can be opened") {
    State state = full_state();
    state.regions.push_back(full_region(6, {std::int64_t{1} << 41U, (std::int64_t{1} << 41U) + 100}));
    state.marks = Span{0, std::int64_t{1} << 41U};
    CHECK(make_room(state).find("2 places") != std::string::npos);
    const Expected<LoadedState> loaded = load_state(saved(state));
    REQUIRE(loaded);
    CHECK(loaded->state.regions.size() == 2);
    CHECK_FALSE(loaded->state.marks);
}

TEST_CASE("ten regions of ten seconds, packed when they came, are saved in under half a second" *
          doctest::test_suite("speed")) {
    State state;
    const Span span{0, 441'000};
    Region region = full_region(1, span);
    region.takes.pop_back();
    region.takes[0].packed = std::make_shared<const Packed>(*pack(*region.takes[0].audio));
    for (std::uint64_t i = 0; i < 10; ++i) {
        region.id = i;
        state.regions.push_back(region);
    }
    const std::clock_t start = std::clock();  // of the processor: others use it too
    const std::string blob = saved(state);
    const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    MESSAGE(blob.size() << " bytes in " << took << " s");
    CHECK(took < 0.5);
    CHECK(blob.size() > 20'000'000);
}
