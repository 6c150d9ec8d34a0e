// The client's side of a job, against a renderer that does what a real one does not.
#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/link/job.hpp"
#include "core/link/link.hpp"
#include "folder_double.hpp"
#include "renderer_double.hpp"
#include "surroundings.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;
using namespace std::chrono_literals;
namespace protocol = segue::protocol;

namespace {

constexpr std::int64_t generation = 7;
constexpr std::int64_t gap_samples = 100;

protocol::Submit infill(std::int64_t samples) {
    protocol::Submit submit;
    submit.job = new_job_id();
    submit.generation = generation;
    submit.task = "infill";
    submit.streams = {{"track", "track", 44'100, 2, samples, {}, {}}};
    submit.gaps = {{200, 200 + gap_samples}};
    submit.credits = 2;
    return submit;
}

std::shared_ptr<const Audio> ramp(std::int64_t samples) {
    auto audio = std::make_shared<Audio>();
    audio->rate = 44'100.0;
    for (std::int64_t i = 0; i < samples; ++i) {
        audio->left.push_back(static_cast<float>(i) / static_cast<float>(samples));
        audio->right.push_back(-audio->left.back());
    }
    return audio;
}

void say_chunk(RendererDouble& renderer, protocol::Chunk chunk, float value) {
    const std::vector<float> samples(static_cast<std::size_t>(2 * chunk.samples), value);
    chunk.channels = 2;
    renderer.say(chunk, protocol::View{reinterpret_cast<const std::uint8_t*>(samples.data()), samples.size() * 4});
}

void say_candidate(RendererDouble& renderer, const protocol::Submit& job, std::int64_t number, std::int64_t samples,
                   std::int64_t stream) {
    auto candidate = about<protocol::Candidate>(job);
    candidate.candidate = number;
    candidate.method = "splice";
    candidate.rate = 44'100;
    candidate.channels = 2;
    candidate.patches = {{stream, 0, 200, samples}};
    renderer.say(candidate);
}

void say_candidate(RendererDouble& renderer, const protocol::Submit& job, std::int64_t number, std::int64_t samples) {
    say_candidate(renderer, job, number, samples, number);
}

// A job that is heard to its end; `step` by step, since nothing here has a thread but the renderer.
struct Job : LinkListener {
    Job(const std::filesystem::path& file, std::int64_t samples)
        : link({file, false, "test 1"}), exchange(infill(samples), {ramp(samples)}) {}

    void on_online(const protocol::Welcome&) override {}
    void on_lost(const protocol::Failure&) override {}
    void on_message(const Incoming& incoming) override {
        if (auto event = exchange.hear(incoming, *link.online())) events.push_back(std::move(*event));
    }

    template <class Event>
    const Event* find() const {
        for (const JobEvent& event : events) {
            if (const auto* one = std::get_if<Event>(&event)) return one;
        }
        return nullptr;
    }

    // Whether such an event comes.
    template <class Event>
    bool hears(double seconds = 20.0) {
        return until([&] { return find<Event>() != nullptr; }, seconds, [&] { round(); });
    }

    void round() {
        if (!link.step(2ms, *this)) std::this_thread::sleep_for(2ms);
        if (link.online() == nullptr) return;
        if (!started) CHECK_FALSE(exchange.start(*link.online()));
        started = true;
        if (auto why = exchange.pump(*link.online(), Clock::now())) events.push_back(*why);
    }

    Link link;
    JobExchange exchange;
    std::vector<JobEvent> events;
    bool started = false;
};

}  // namespace

TEST_CASE("chunks go out as credit allows, channel after channel, and no more") {
    const Folder folder;
    constexpr std::int64_t samples = 3 * (1 << 17) + 5;  // four chunks
    std::atomic<std::int64_t> received{0}, chunks{0};
    protocol::Submit job;
    RendererDouble renderer(folder.path, [&](RendererDouble& self, const protocol::Message& message) {
        if (const auto* submit = std::get_if<protocol::Submit>(&message)) {
            job = *submit;
            auto accepted = about<protocol::Accepted>(*submit);
            accepted.credits = 2;
            accepted.needs = {0};
            self.say(accepted);
        } else if (const auto* chunk = std::get_if<protocol::Chunk>(&message)) {
            CHECK(chunk->offset == received);
            received += chunk->samples;
            ++chunks;
        } else if (std::holds_alternative<protocol::Status>(message)) {
            auto credit = about<protocol::Credit>(job);
            credit.chunks = 1024;
            self.say(credit);
        }
    });
    Job asked(renderer.file, samples);
    REQUIRE(until([&] { return chunks == 2; }, 20.0, [&] { asked.round(); }));
    CHECK_FALSE(until([&] { return chunks > 2; }, 0.3, [&] { asked.round(); }));
    asked.link.online()->send(protocol::Status{});
    REQUIRE(until([&] { return received == samples; }, 20.0, [&] { asked.round(); }));
    CHECK(chunks == 4);
}

TEST_CASE("fault 10: messages of an older generation, or of another job, are dropped") {
    const Folder folder;
    RendererDouble renderer(folder.path, [](RendererDouble& self, const protocol::Message& message) {
        const auto* submit = std::get_if<protocol::Submit>(&message);
        if (submit == nullptr) return;
        self.say(about<protocol::Accepted>(*submit));
        protocol::Submit late = *submit;
        late.generation = generation - 1;
        say_candidate(self, late, 0, gap_samples);
        auto chunk = about<protocol::Chunk>(late);
        chunk.samples = gap_samples;
        say_chunk(self, chunk, 0.5F);
        late = *submit;
        late.job = "another";
        auto failed = about<protocol::Failed>(late);
        failed.code = "INTERNAL";
        self.say(failed);
        say_candidate(self, *submit, 1, gap_samples);
        chunk = about<protocol::Chunk>(*submit);
        chunk.stream = 1;
        chunk.samples = gap_samples;
        say_chunk(self, chunk, 0.25F);
    });
    Job asked(renderer.file, 1000);
    REQUIRE(asked.hears<Delivered>());
    CHECK(asked.find<protocol::Failure>() == nullptr);
    CHECK(asked.find<Delivered>()->candidate == 1);
    CHECK(asked.find<Delivered>()->audio.left == std::vector<float>(gap_samples, 0.25F));
}

TEST_CASE("what a renderer must not send ends the job in words, before room is made for it") {
    const Folder folder;
    const std::int64_t huge = std::int64_t{1} << 40;
    std::atomic<const char*> next{""};
    RendererDouble renderer(folder.path, [&](RendererDouble& self, const protocol::Message& message) {
        const auto* submit = std::get_if<protocol::Submit>(&message);
        if (submit == nullptr) return;
        const std::string sent = next.load();
        self.say(about<protocol::Accepted>(*submit));
        auto chunk = about<protocol::Chunk>(*submit);
        chunk.samples = gap_samples;
        if (sent == "a candidate that is too long") {
            say_candidate(self, *submit, 0, huge);
        } else if (sent == "more candidates than there are") {
            for (std::int64_t each = 0; each <= protocol::max_candidates; ++each)
                say_candidate(self, *submit, each, gap_samples);
        } else if (sent == "a candidate that is on its way") {
            say_candidate(self, *submit, 0, gap_samples);
            say_candidate(self, *submit, 0, gap_samples, 1);
        } else if (sent == "a chunk of no candidate") {
            say_chunk(self, chunk, 0.0F);
        } else if (sent == "a chunk past the end") {
            say_candidate(self, *submit, 0, gap_samples);
            chunk.samples = gap_samples + 1;
            say_chunk(self, chunk, 0.0F);
        } else if (sent == "a chunk out of order") {
            say_candidate(self, *submit, 0, gap_samples);
            chunk.samples = 1;
            chunk.offset = 1;
            say_chunk(self, chunk, 0.0F);
        } else if (sent == "samples that are not finite") {
            say_candidate(self, *submit, 0, gap_samples);
            say_chunk(self, chunk, std::numeric_limits<float>::quiet_NaN());
        } else {  // a result without its candidates
            auto result = about<protocol::Result>(*submit);
            result.ranking = {3};
            result.bytes = 2;
            self.say(result, protocol::view("{}"));
        }
    });
    for (const char* what :
         {"a candidate that is too long", "more candidates than there are", "a candidate that is on its way",
          "a chunk of no candidate", "a chunk past the end", "a chunk out of order", "samples that are not finite",
          "a result without its candidates"}) {
        CAPTURE(what);
        next = what;
        Job asked(renderer.file, 1000);
        CHECK(asked.hears<protocol::Failure>());
        CHECK(asked.find<Delivered>() == nullptr);
    }
}

TEST_CASE("a renderer that says nothing to SUBMIT is lost after 3 s") {
    const Folder folder;
    RendererDouble renderer(folder.path);
    Job asked(renderer.file, 1000);
    REQUIRE(asked.hears<protocol::Failure>());
    CHECK(asked.find<protocol::Failure>()->code == protocol::Code::lost);
}

TEST_CASE("BUSY says when to come back, ERROR and FAILED why not") {
    const Folder folder;
    RendererDouble renderer(folder.path, [](RendererDouble& self, const protocol::Message& message) {
        const auto* submit = std::get_if<protocol::Submit>(&message);
        if (submit == nullptr) return;
        auto busy = about<protocol::Busy>(*submit);
        busy.retry_after = 2.5;
        busy.message = "8 jobs wait";
        self.say(busy);
        protocol::Error error;
        error.code = "RESOURCE";
        error.message = "too long";
        error.remedy = "give a shorter clip";
        error.job = submit->job;
        self.say(error);
    });
    Job asked(renderer.file, 1000);
    REQUIRE(asked.hears<protocol::Failure>());
    REQUIRE(asked.find<JobBusy>() != nullptr);
    CHECK(asked.find<JobBusy>()->retry_after == 2.5);
    CHECK(asked.find<protocol::Failure>()->code == protocol::Code::resource);
    CHECK(asked.find<protocol::Failure>()->remedy == "give a shorter clip");
}

TEST_CASE("NaN in what is to be sent is refused here") {
    const Folder folder;
    RendererDouble renderer(folder.path, [](RendererDouble& self, const protocol::Message& message) {
        const auto* submit = std::get_if<protocol::Submit>(&message);
        if (submit == nullptr) return;
        auto accepted = about<protocol::Accepted>(*submit);
        accepted.credits = 8;
        accepted.needs = {0};
        self.say(accepted);
    });
    auto broken = std::make_shared<Audio>(*ramp(1000));
    broken->right[999] = std::nanf("");
    Job asked(renderer.file, 1000);
    asked.exchange = JobExchange(infill(1000), {broken});
    REQUIRE(asked.hears<protocol::Failure>());
    CHECK(asked.find<protocol::Failure>()->code == protocol::Code::nonfinite);
}
