// Times process(), block by block, beside a plug-in that only copies. Fails beyond 5 us in the median, or 50 us at the
// 99.99th percentile, with a rendered region playing and the capture running.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "core/realtime.hpp"

namespace segue::plugin {
namespace {

constexpr double rate = 48000.0;
constexpr std::uint32_t frames = 64;
constexpr double most_median = 5.0;  // microseconds
constexpr double most_high = 50.0;   // microseconds, at the 99.99th percentile
constexpr std::size_t burst = 256;   // blocks between two rests, in which the worker empties the queue
constexpr std::size_t rounds = 5;    // of which the middle one counts: a machine does other things now and then

using Clock = std::chrono::steady_clock;

struct Block {
    std::vector<float> in[2] = {std::vector<float>(frames, 0.25F), std::vector<float>(frames, -0.25F)};
    std::vector<float> out[2] = {std::vector<float>(frames), std::vector<float>(frames)};
    std::vector<float> side[2] = {std::vector<float>(frames, 0.5F), std::vector<float>(frames, 0.5F)};
};

struct Summary {
    double median = 0.0;  // all in microseconds
    double high = 0.0;
    double worst = 0.0;
};

// Times `count` calls; `rest` is called now and then, untimed.
template <typename Call, typename Rest>
Summary time_round(std::size_t count, Call call, Rest rest) {
    std::vector<double> took;
    took.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto began = Clock::now();
        call(i);
        took.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count());
        if (i % burst == burst - 1) rest();
    }
    std::sort(took.begin(), took.end());
    return {took[count / 2], took[count - 1 - count / 10000], took.back()};
}

// Of each figure the middle one over all rounds.
template <typename Call, typename Rest>
Summary time(std::size_t count, Call call, Rest rest) {
    std::vector<double> figures[3];
    for (std::size_t i = 0; i < rounds; ++i) {
        const Summary round = time_round(count, call, rest);
        figures[0].push_back(round.median);
        figures[1].push_back(round.high);
        figures[2].push_back(round.worst);
    }
    for (auto& figure : figures) std::sort(figure.begin(), figure.end());
    return {figures[0][rounds / 2], figures[1][rounds / 2], figures[2][rounds / 2]};
}

void print(const char* name, const Summary& summary) {
    std::printf("%-52s median %6.2f us, 99.99 %% %7.2f us, worst %8.2f us\n", name, summary.median, summary.high,
                summary.worst);
}

std::unique_ptr<const Playlist> region(const Span& span) {
    const std::vector<float> samples(static_cast<std::size_t>(span.size()), 0.1F);
    Region made;
    made.id = 1;
    made.span = span;
    made.rate = rate;
    for (std::uint32_t take = 0; take < max_takes; ++take) {
        made.takes.emplace_back();
        made.takes.back().audio = std::make_shared<Audio>(Audio{rate, samples, samples});
    }
    return std::make_unique<Playlist>(playlist_of({made}, rate));
}

// A plug-in in a song, with a worker that empties its queue.
class Bench {
public:
    Bench() : worker_([this] { work(); }) {
        if (!plugin_.activate(rate)) std::abort();
        plugin_.play(region(song_));
        transport_.valid = true;
        transport_.playing = true;
        transport_.tempo = 120.0;
    }
    ~Bench() {
        ended_.store(true);
        worker_.join();
    }

    template <typename Before>
    Summary run(std::size_t count, Before before) {
        return time(
            count,
            [&](std::size_t i) {
                before(plugin_, i);
                process();
            },
            [this] { rest(); });
    }

    [[nodiscard]] std::uint64_t lost() const { return plugin_.state().blocks_lost; }

private:
    void process() {
        const float* in[] = {block_.in[0].data(), block_.in[1].data()};
        float* out[] = {block_.out[0].data(), block_.out[1].data()};
        const float* side[] = {block_.side[0].data(), block_.side[1].data()};
        plugin_.process(in, out, side, frames, transport_);
        transport_.frame += frames;
        if (transport_.frame + frames > song_.stop) transport_.frame = song_.start;
        ++processed_;
    }

    void rest() const {
        while (taken_.load() < processed_ - lost()) std::this_thread::yield();
    }

    void work() {
        CaptureBlock block;
        while (!ended_.load()) {
            while (plugin_.take(block)) ++taken_;
            plugin_.dealt();
            std::this_thread::sleep_for(std::chrono::microseconds(500));
        }
    }

    const Span song_{0, 60 * 48000};
    Realtime plugin_;
    Block block_;
    Transport transport_;
    std::uint64_t processed_ = 0;
    std::atomic<std::uint64_t> taken_{0};
    std::atomic<bool> ended_{false};
    std::thread worker_;
};

// As hosts do with their audio threads, where the system allows it.
bool become_urgent() {
    sched_param parameters{};
    parameters.sched_priority = sched_get_priority_min(SCHED_FIFO);
    return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == 0;
}

int run(std::size_t count) {
    Bench bench;
    Block block;
    const bool urgent = become_urgent();
    std::printf("%zu rounds of %zu blocks of %u samples at %.0f Hz, %s priority\n", rounds, count, frames, rate,
                urgent ? "real-time" : "ordinary");
    const Summary clock = time(count, [](std::size_t) {}, [] {});
    print("nothing: the clock itself", clock);
    const auto copy = [&block](std::size_t) {
        for (std::size_t channel = 0; channel < 2; ++channel) {
            std::copy_n(block.in[channel].data(), frames, block.out[channel].data());
            asm volatile("" : : "r"(block.out[channel].data()) : "memory");  // so that the copy is made
        }
    };
    print("an empty plug-in: two channels copied", time(count, copy, [] {}));
    const Summary playing = bench.run(count, [](Realtime&, std::size_t) {});
    print("a region plays, main and side-chain are captured", playing);
    const Summary busy = bench.run(count, [](Realtime& plugin, std::size_t i) {
        plugin.set_parameter(Parameter::mix, static_cast<float>(i % 100) / 99.0F);
        plugin.set_parameter(Parameter::candidate, static_cast<float>(1 + i / 16 % max_takes));
    });
    print("the same, with mix and candidate always fading", busy);
    if (bench.lost() > 0) std::printf("%llu blocks were not captured\n", static_cast<unsigned long long>(bench.lost()));
    const bool kept = playing.median <= most_median && playing.high <= most_high && bench.lost() == 0;
    std::printf("at most %.0f us in the median and %.0f us at 99.99 %%: %s\n", most_median, most_high,
                kept ? "kept" : "exceeded");
    return kept ? 0 : 1;
}

}  // namespace
}  // namespace segue::plugin

int main(int argc, char** argv) {
    const long count = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 100000;
    if (argc > 2 || count < 1) {
        std::fprintf(stderr, "usage: %s [blocks a round]\n", argv[0]);
        return 2;
    }
    return segue::plugin::run(static_cast<std::size_t>(count));
}
