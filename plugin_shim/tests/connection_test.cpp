// The link to a renderer: found or not and why, lost and found again.
#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "core/link/link.hpp"
#include "folder_double.hpp"
#include "renderer_double.hpp"
#include "surroundings.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;
using namespace std::chrono_literals;
namespace protocol = segue::protocol;

namespace {

struct Ears : LinkListener {
    void on_online(const protocol::Welcome&) override { ++online; }
    void on_message(const Incoming&) override {}
    void on_lost(const protocol::Failure& why) override { lost = why.message; }

    int online = 0;
    std::string lost;
};

// A link that starts nothing, and what it says.
struct Linked {
    explicit Linked(const std::filesystem::path& file, bool start = false) : link({file, start, "test 1"}) {}

    bool becomes(LinkState state, double seconds = 20.0) {
        return until([&] { return link.view().state == state; }, seconds, [&] { round(); });
    }
    // Seconds until a round leaves it in another state, each round counted as 50 ms at the most: what the link itself
    // takes. A loaded machine makes rounds longer, not this.
    double stays(LinkState state) {
        double counted = 0.0;
        for (const Stopwatch all; all.seconds() < 600.0;) {
            const Stopwatch watch;
            round();
            if (link.view().state != state) break;
            counted += std::min(watch.seconds(), 0.05);
        }
        return counted;
    }
    void round() {
        if (!link.step(5ms, ears)) std::this_thread::sleep_for(5ms);
    }
    [[nodiscard]] bool says(const std::string& words) const {
        return (link.view().text + " / " + link.view().remedy).find(words) != std::string::npos;
    }

    Ears ears;
    Link link;
};

long dead_process() {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
    return child;
}

}  // namespace

TEST_CASE("fault 01: without a connection file it is offline, says where one is looked for, and what to do") {
    const Folder folder;
    Linked linked(folder.path / "connection.json");
    REQUIRE(linked.becomes(LinkState::offline));
    CHECK(linked.link.view().text == "offline: no renderer runs");
    CHECK(linked.says("segue serve"));
    CHECK(linked.says((folder.path / "connection.json").string()));
}

TEST_CASE("where one may be started and none is installed, it says so") {
    const Folder folder;
    const Variable path("PATH", folder.path.string()), home("HOME", folder.path.string()), named("SEGUE_RENDERER", "");
    Linked linked(folder.path / "connection.json", true);
    REQUIRE(linked.becomes(LinkState::offline));
    CHECK(linked.says("none is installed here"));
    CHECK(linked.says("pip install segue"));
}

TEST_CASE("a connection file that others can read is refused") {
    const Folder folder;
    RendererDouble renderer(folder.path);
    renderer.publish({}, "1.0", 0644);
    Linked linked(renderer.file);
    REQUIRE(linked.becomes(LinkState::offline));
    CHECK(linked.says("others can read"));
    CHECK(renderer.hellos == 0);
}

TEST_CASE("a connection file whose renderer has died is stale") {
    const Folder folder;
    RendererDouble renderer(folder.path);
    renderer.publish(dead_process());
    Linked linked(renderer.file);
    REQUIRE(linked.becomes(LinkState::offline));
    CHECK(linked.link.view().text == "offline: the renderer has ended");
    CHECK(renderer.hellos == 0);
}

TEST_CASE("another major version is refused with both named, in the file and in the handshake") {
    const Folder folder;
    RendererDouble renderer(folder.path);
    renderer.other_version = true;
    Linked met(renderer.file);
    REQUIRE(met.becomes(LinkState::connecting));
    REQUIRE(met.becomes(LinkState::offline));
    CHECK(met.says("different releases"));
    CHECK(met.says("protocol 2.x"));
    CHECK(met.says("1.0"));

    renderer.publish({}, "2.0");
    Linked read(renderer.file);
    REQUIRE(read.becomes(LinkState::offline));
    CHECK(read.says("different releases"));
    CHECK(read.says("speaks 2.0"));
    CHECK(read.says("1.0"));
}

TEST_CASE("a renderer that does not answer is given up after 3 s") {
    const Folder folder;
    RendererDouble renderer(folder.path);
    renderer.greets = false;
    const Stopwatch watch;
    Linked linked(renderer.file);
    REQUIRE(linked.becomes(LinkState::connecting));
    CHECK(linked.stays(LinkState::connecting) < 3.1);
    CHECK(watch.seconds() >= 3.0);
    REQUIRE(linked.link.view().state == LinkState::offline);
    CHECK(linked.link.view().text == "offline: no renderer answers");
    CHECK(linked.says("within 3 s"));
}

TEST_CASE("fault 03: one that falls silent is lost within 3 s, and met again when it speaks") {
    const Folder folder;
    RendererDouble renderer(folder.path);
    Linked linked(renderer.file);
    REQUIRE(linked.becomes(LinkState::online));
    renderer.lives = false;
    CHECK(linked.stays(LinkState::online) < 3.1);
    REQUIRE(linked.link.view().state == LinkState::offline);
    CHECK(linked.ears.lost.find("silent") != std::string::npos);
    renderer.lives = true;
    CHECK(linked.becomes(LinkState::online));
    CHECK(linked.ears.online == 2);
}

TEST_CASE("one that lives stays online beyond that time, though nothing is asked of it") {
    const auto lasts = [] {
        const Folder folder;
        RendererDouble renderer(folder.path);
        Linked linked(renderer.file);
        REQUIRE(linked.becomes(LinkState::online));
        return !linked.becomes(LinkState::offline, 3.5) && renderer.hellos == 1;
    };
    // a machine that leaves one of the threads alone for two seconds makes it look silent: three tries
    CHECK((lasts() || lasts() || lasts()));
}

TEST_CASE("a goodbye is taken at its word") {
    const Folder folder;
    RendererDouble renderer(folder.path, [](RendererDouble& self, const protocol::Message&) {
        protocol::Goodbye goodbye;
        goodbye.reason = "it is late";
        self.say(goodbye);
    });
    Linked linked(renderer.file);
    REQUIRE(linked.becomes(LinkState::online));
    linked.link.online()->send(protocol::Status{});
    REQUIRE(linked.becomes(LinkState::offline));
    CHECK(linked.ears.lost.find("it is late") != std::string::npos);
}

TEST_CASE("a new connection file is tried at once, however long the wait had become") {
    const Folder folder;
    Linked linked(folder.path / "connection.json");
    REQUIRE(linked.becomes(LinkState::offline));
    CHECK_FALSE(linked.becomes(LinkState::online, 2.0));  // by now the wait is 2 s
    RendererDouble renderer(folder.path);
    CHECK(linked.stays(LinkState::offline) < 1.0);
    CHECK(linked.becomes(LinkState::online));
}

TEST_CASE("fault 10: closing takes no time, whatever the renderer does") {
    const Folder folder;
    RendererDouble renderer(folder.path);
    const auto closes = [&](LinkState state) {
        renderer.lives = true;
        Linked linked(renderer.file);
        REQUIRE(linked.becomes(state));
        renderer.lives = false;
        if (Connection* online = linked.link.online()) {
            for (int i = 0; i < 100; ++i) online->send(protocol::Status{});  // more than the socket takes
        }
        const Stopwatch watch;
        linked.link.close(100ms);
        return watch.seconds();
    };
    CHECK(quickest([&] { return closes(LinkState::online); }) < 0.5);
    renderer.greets = false;
    CHECK(quickest([&] { return closes(LinkState::connecting); }) < 0.5);
}
