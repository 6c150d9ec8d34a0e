// The state on its way to and from a host's stream.
#include "dpf/host_state.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "folder_double.hpp"
#include "lone_engine.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

// The wrapper's, where an instance is one of DPF's.
Engine& segue::plugin::engine_of(void* instance) noexcept { return *static_cast<Engine*>(instance); }

namespace {

struct Session {
    Folder folder;
    Engine engine{settings_in(folder)};
    std::string stored;

    bool save() {
        return save_state(&engine, [&](const char* data, std::size_t size) {
            const std::size_t taken = std::min(size, std::size_t{1000});
            stored.append(data, taken);
            return static_cast<std::int64_t>(taken);
        });
    }
    bool load() {
        std::size_t at = 0;
        return load_state(&engine, [&](char* data, std::size_t size) {
            const std::size_t given = std::min({size, std::size_t{700}, stored.size() - at});
            stored.copy(data, given, at);
            at += given;
            return static_cast<std::int64_t>(given);
        });
    }
};

}  // namespace

TEST_CASE_FIXTURE(Session, "a state goes through a host's stream in parts, and a stream that breaks is a failure") {
    engine.set_parameter(Parameter::mix, 0.5F);
    REQUIRE(save());
    engine.set_parameter(Parameter::mix, 1.0F);
    REQUIRE(load());
    CHECK(engine.parameter(Parameter::mix) == 0.5F);
    CHECK_FALSE(save_state(&engine, [](const char*, std::size_t) { return std::int64_t{0}; }));
    CHECK_FALSE(load_state(&engine, [](char*, std::size_t) { return std::int64_t{-1}; }));
}

TEST_CASE_FIXTURE(Session, "a state that is too large is not read to its end, and is refused in words") {
    std::size_t given = 0;
    const auto endless = [&](char* data, std::size_t size) {
        std::fill_n(data, size, 'A');
        given += size;
        return static_cast<std::int64_t>(size);
    };
    CHECK_FALSE(load_state(&engine, endless, 5 * stream_part));
    CHECK(given <= 7 * stream_part);
    CHECK_FALSE(engine.snapshot()->notice.empty());
}

TEST_CASE("a state that the engine does not save is no success with nothing in it") {
    const auto taken_whole = [](const char*, std::size_t size) { return static_cast<std::int64_t>(size); };
    CHECK(write_blob("state", taken_whole));
    CHECK_FALSE(write_blob("", taken_whole));
}

TEST_CASE("the state that is kept for a host is the latest one that there was") {
    KeptState kept;
    CHECK(kept.blob().empty());
    kept.keep("first");
    kept.keep("");
    CHECK(kept.blob() == "first");
    kept.keep("second");
    CHECK(kept.blob() == "second");
}
