// From a wish to what is asked of a renderer, where the renderer does what a real one seldom does.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "core/engine.hpp"
#include "folder_double.hpp"
#include "host_double.hpp"
#include "lone_engine.hpp"
#include "renderer_double.hpp"
#include "surroundings.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;
namespace protocol = segue::protocol;

namespace {

constexpr double rate = 48'000.0;
constexpr std::uint32_t block = 256;

constexpr std::int64_t at_second(double seconds) { return static_cast<std::int64_t>(seconds * rate) / block * block; }

// An engine that is online with a double, and a host that plays to it.
struct Studio {
    Folder folder;
    RendererDouble renderer;
    Engine engine;
    Signal song = numbered(1);
    bool offline = false;
    std::function<void(std::int64_t)> automate = [](std::int64_t) {};  // before the block at this frame

    explicit Studio(RendererDouble::Ear ear) : renderer(folder.path, std::move(ear)), engine(settings()) {
        REQUIRE(engine.activate(rate, block));
        REQUIRE(shows([](const Snapshot& now) { return now.link.state == LinkState::online; }));
    }

    [[nodiscard]] EngineSettings settings() const {
        EngineSettings settings = settings_in(folder);
        settings.connection_file = renderer.file;
        settings.bounce_wait = 0.05;
        return settings;
    }

    bool shows(const std::function<bool(const Snapshot&)>& wanted) {
        return until([&] { return wanted(*engine.snapshot()); }, 20.0);
    }

    // The loudest sample of what comes out.
    float process(std::int64_t frame, bool playing = true) {
        automate(frame);
        std::vector<float> left, right;
        for (std::uint32_t i = 0; i < block; ++i) {
            left.push_back(song(0, frame + i));
            right.push_back(song(1, frame + i));
        }
        float* both[2] = {left.data(), right.data()};
        Transport transport;
        transport.valid = true;
        transport.playing = playing;
        transport.frame = frame;
        transport.offline = offline;
        engine.process(both, both, nullptr, block, transport);
        float loudest = 0.0F;
        for (const float sample : left) loudest = std::max(loudest, std::abs(sample));
        return loudest;
    }

    // What was not heard before, no faster than the worker hears it.
    void play(const Span& span) {
        for (std::int64_t frame = span.start; frame < span.stop; frame += block) {
            process(frame);
            const double heard = static_cast<double>(frame + block - at_second(1.0)) / rate;
            REQUIRE(shows([&](const Snapshot& now) { return now.capture.seconds >= heard; }));
        }
    }
};

}  // namespace

TEST_CASE("fault 11: while one gap is rendered, a bounce does not pass over another that was asked for too") {
    std::atomic<int> submits{0};
    Studio studio([&](RendererDouble& self, const protocol::Message& message) {
        const auto* submit = std::get_if<protocol::Submit>(&message);
        if (submit == nullptr) return;
        self.say(about<protocol::Accepted>(*submit));  // and never an answer
        ++submits;
    });
    const Span first{at_second(2.0), at_second(2.5)}, second{at_second(9.0), at_second(9.5)};
    const auto in_gap = [&](std::int64_t frame) { return first.contains(frame) || second.contains(frame); };
    studio.song = [&](int channel, std::int64_t frame) { return in_gap(frame) ? 0.0F : numbered(1)(channel, frame); };
    bool renders = true;
    studio.automate = [&](std::int64_t frame) {
        studio.engine.set_parameter(Parameter::gap, in_gap(frame) ? 1.0F : 0.0F);
        studio.engine.set_parameter(Parameter::render, renders && in_gap(frame) ? 1.0F : 0.0F);
    };
    studio.play({0, second.start});
    REQUIRE(until([&] { return submits == 1; }, 20.0));
    studio.play({second.start, at_second(10.0)});
    renders = false;
    studio.offline = true;
    const auto bounce = [&](const Span& gap) {
        float loudest = 0.0F;
        for (std::int64_t frame = gap.start - block; frame < gap.stop; frame += block) {
            const float level = studio.process(frame);
            if (gap.contains(frame)) loudest = std::max(loudest, level);
        }
        return loudest;
    };
    CHECK(bounce(first) > 0.1F);
    CHECK(until([&] { return bounce(second) > 0.1F; }, 20.0));
    CHECK(bounce(first) > 0.1F);
    CHECK(submits == 1);
}

TEST_CASE("an automated render asks for what was set where it was switched on, not for what is set once it is heard") {
    std::mutex mutex;
    std::string task;
    Studio studio([&](RendererDouble&, const protocol::Message& message) {
        const std::lock_guard<std::mutex> lock(mutex);
        if (const auto* submit = std::get_if<protocol::Submit>(&message)) task = submit->task;
    });
    const Span gap{at_second(2.0), at_second(2.5)};
    studio.engine.set_marks(gap);
    studio.play({0, gap.start});
    studio.engine.set_parameter(Parameter::task, static_cast<float>(Task::regenerate));
    studio.engine.set_parameter(Parameter::render, 1.0F);
    studio.process(gap.start);
    REQUIRE(studio.shows([](const Snapshot& now) { return now.job.state == JobState::armed; }));
    studio.engine.set_parameter(Parameter::task, static_cast<float>(Task::fill_gap));
    studio.play({gap.start + block, at_second(9.0)});
    const auto asked = [&] {
        const std::lock_guard<std::mutex> lock(mutex);
        return task;
    };
    REQUIRE(until([&] { return !asked().empty(); }, 20.0));
    CHECK(asked() == "regenerate");
}

TEST_CASE("a render by hand asks for what is set once it is heard") {
    std::mutex mutex;
    std::string task;
    Studio studio([&](RendererDouble&, const protocol::Message& message) {
        const std::lock_guard<std::mutex> lock(mutex);
        if (const auto* submit = std::get_if<protocol::Submit>(&message)) task = submit->task;
    });
    studio.engine.set_marks({at_second(2.0), at_second(2.5)});
    studio.engine.render();
    REQUIRE(studio.shows([](const Snapshot& now) { return now.job.state == JobState::armed; }));
    studio.engine.set_parameter(Parameter::task, static_cast<float>(Task::regenerate));
    studio.play({0, at_second(9.0)});
    const auto asked = [&] {
        const std::lock_guard<std::mutex> lock(mutex);
        return task;
    };
    REQUIRE(until([&] { return !asked().empty(); }, 20.0));
    CHECK(asked() == "regenerate");
}

TEST_CASE("a job whose audio cannot be kept is cancelled with the renderer too") {
    std::atomic<int> cancels{0};
    Studio studio([&](RendererDouble& self, const protocol::Message& message) {
        if (std::holds_alternative<protocol::Cancel>(message)) ++cancels;
        const auto* submit = std::get_if<protocol::Submit>(&message);
        if (submit == nullptr) return;
        self.say(about<protocol::Accepted>(*submit));
        const auto [start, stop] = submit->gaps.front();
        auto candidate = about<protocol::Candidate>(*submit);
        candidate.method = "splice";
        candidate.rate = 48'000;
        candidate.channels = 2;
        candidate.patches = {{0, 0, start, stop - start}};
        self.say(candidate);
        auto chunk = about<protocol::Chunk>(*submit);
        chunk.channels = 2;
        chunk.samples = stop - start;
        // finite, and louder than 24 bits of any scale can say
        const std::vector<float> loud(static_cast<std::size_t>(2 * chunk.samples), std::numeric_limits<float>::max());
        self.say(chunk, protocol::View{reinterpret_cast<const std::uint8_t*>(loud.data()), loud.size() * sizeof(float)});
    });
    studio.engine.set_marks({at_second(1.0), at_second(1.1)});
    studio.play({0, at_second(2.0)});
    studio.process(at_second(2.0), false);
    studio.engine.render();
    REQUIRE(studio.shows([](const Snapshot& now) { return now.job.state == JobState::failed; }));
    CHECK(studio.engine.snapshot()->job.message.find("louder") != std::string::npos);
    CHECK(until([&] { return cancels == 1; }, 20.0));
}
