// Starting an installed renderer: found, once, detached.
#include <doctest/doctest.h>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/link/launcher.hpp"
#include "folder_double.hpp"
#include "surroundings.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

using State = Launcher::State;

// A renderer that writes down each start, what it was started with and what it inherited; then does as `rest` says.
struct Installed {
    explicit Installed(const std::string& rest)
        : program(write_file(here.path / "segue",
                             "#!/bin/sh\ncd " + here.path.string() +
                                 "\necho \"$@\" >> arguments\nls /proc/self/fd > inherited\n"
                                 "cut -d' ' -f6 /proc/$$/stat > session\necho $$ > being-written\n"
                                 "mv being-written process\n" + rest + "\n",  // never seen half written
                             0700)),
          named("SEGUE_RENDERER", program.string()),
          state("XDG_STATE_HOME", (here.path / "state").string()),
          file(here.path / "run/connection.json") {}
    ~Installed() {
        if (running()) ::kill(process(), SIGKILL);
    }
    Installed(const Installed&) = delete;
    Installed& operator=(const Installed&) = delete;

    [[nodiscard]] std::string said(const char* name) const { return Folder::read(here.path / name); }
    [[nodiscard]] bool running() const { return !said("process").empty(); }
    [[nodiscard]] pid_t process() const { return std::stoi(said("process")); }
    [[nodiscard]] long starts() const {
        const std::string all = said("arguments");
        return std::count(all.begin(), all.end(), '\n');
    }

    Folder here;
    std::filesystem::path program;
    Variable named;
    Variable state;
    std::filesystem::path file;
};

}  // namespace

TEST_CASE("the renderer is what SEGUE_RENDERER names, else on PATH, else in ~/.local/bin") {
    const Folder here;
    const auto own = write_file(here.path / "home/.local/bin/segue", "", 0700);
    const auto found = write_file(here.path / "bin/segue", "", 0700);
    const auto named = write_file(here.path / "elsewhere/any", "", 0700);
    const auto data = write_file(here.path / "data/segue", "", 0600);  // not to be run
    const Variable home("HOME", (here.path / "home").string());
    const Variable path("PATH", data.parent_path().string() + "::relative:" + found.parent_path().string());
    {
        const Variable renderer("SEGUE_RENDERER", named.string());
        CHECK(find_renderer() == named);
    }
    {
        const Variable renderer("SEGUE_RENDERER", (here.path / "nothing").string());
        CHECK_FALSE(find_renderer());  // what is named and not there is not replaced by another
    }
    const Variable renderer("SEGUE_RENDERER", "");
    CHECK(find_renderer() == found);
    std::filesystem::remove(found);
    CHECK(find_renderer() == own);
    std::filesystem::remove(own);
    CHECK_FALSE(find_renderer());
    CHECK(Launcher(here.path / "connection.json").start(false) == State::missing);
}

TEST_CASE("it is told the connection file, gets a session of its own and none of the host's files") {
    const int held = ::dup(0);  // a descriptor that a host left open to its children
    Installed installed("exec sleep 60");
    Launcher launcher(installed.file);
    REQUIRE(launcher.start(false) == State::starting);
    REQUIRE(until([&] { return installed.running(); }, 60.0));
    CHECK(installed.said("arguments") == "serve --connection-file " + installed.file.string() + "\n");
    CHECK(std::stoi(installed.said("session")) == installed.process());
    CHECK(installed.said("inherited") == "0\n1\n2\n3\n");  // 3 is the folder that `ls` reads
    CHECK(launcher.watch(Clock::now()) == State::starting);
    ::close(held);
}

TEST_CASE("fault 11: of 32 instances one starts the renderer") {
    Installed installed("exec sleep 60");
    std::vector<std::unique_ptr<Launcher>> all;
    for (int i = 0; i < 32; ++i) all.push_back(std::make_unique<Launcher>(installed.file));
    int started = 0;
    for (const auto& one : all) {
        const State state = one->start(false);
        CHECK((state == State::starting || state == State::elsewhere));
        started += state == State::starting ? 1 : 0;
    }
    CHECK(started == 1);
    REQUIRE(until([&] { return installed.running(); }, 60.0));
    CHECK(installed.starts() == 1);
}

TEST_CASE("a renderer that ends before it is ready is not started again by itself, by nobody") {
    Installed installed("echo no model >&2; exit 3");
    Launcher first(installed.file);
    REQUIRE(first.start(false) == State::starting);
    REQUIRE(until([&] { return first.watch(Clock::now()) == State::failed; }, 60.0));
    CHECK(first.why().find(renderer_log().string()) != std::string::npos);
    CHECK(Folder::read(renderer_log()) == "no model\n");
    CHECK(first.start(false) == State::failed);
    Launcher second(installed.file);
    CHECK(second.start(false) == State::tried);
    CHECK(installed.starts() == 1);

    CHECK(second.start(true) == State::starting);  // but when the musician asks for it
    CHECK(until([&] { return installed.starts() == 2; }, 60.0));
}

TEST_CASE("one that is late and still loads is not started a second time, by nobody") {
    Installed installed("exec sleep 60");
    Launcher launcher(installed.file), other(installed.file);
    REQUIRE(launcher.start(false) == State::starting);
    REQUIRE(until([&] { return installed.running(); }, 60.0));
    const auto late = Clock::now() + std::chrono::duration_cast<Clock::duration>(Launcher::patience * 2);
    CHECK(launcher.watch(late) == State::failed);
    const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
    std::filesystem::last_write_time(std::filesystem::path(installed.file).replace_extension(".starting"), long_ago);
    CHECK(other.start(false) == State::elsewhere);
    CHECK(other.start(true) == State::elsewhere);

    CHECK(launcher.start(true) == State::starting);  // who insists waits for the same one
    CHECK(launcher.watch(Clock::now()) == State::starting);
    const std::string first = installed.said("process");
    ::kill(installed.process(), SIGKILL);
    REQUIRE(until([&] { return launcher.watch(Clock::now()) == State::failed; }, 60.0));
    CHECK(installed.starts() == 1);
    CHECK(other.start(true) == State::starting);
    CHECK(until([&] { return installed.running() && installed.said("process") != first; }, 60.0));
}

TEST_CASE("one that is not ready in time is given up, and once a renderer answers the next one may be started") {
    Installed installed("exec sleep 60");
    Launcher launcher(installed.file);
    REQUIRE(launcher.start(false) == State::starting);
    REQUIRE(until([&] { return installed.running(); }, 60.0));
    const auto late = Clock::now() + std::chrono::duration_cast<Clock::duration>(Launcher::patience * 2);
    CHECK(launcher.watch(late) == State::failed);

    launcher.ready();
    ::kill(installed.process(), SIGKILL);
    Launcher other(installed.file);
    other.ready();
    CHECK(launcher.start(true) == State::starting);
    launcher.ready();
    CHECK(other.start(false) == State::starting);
}
