// Drives Realtime::process through everything on a thread that is watched. Prints what it counted for each scenario
// and fails if that is not nothing. With --self-test: commits every offence, and fails if one is not seen.
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/realtime.hpp"
#include "watch.hpp"

namespace segue::plugin::realtime_check {
namespace {

constexpr double rate = 48000.0;
constexpr std::uint32_t usual = 64;  // samples a block
constexpr std::uint32_t longest = 8192;
constexpr Span near{6400, 64000};
constexpr Span far{64000, 96000};

struct Row {
    const char* name;
    long blocks = 0;
    Counts counts;
};

bool print(const Row& row) {
    const Counts& counts = row.counts;
    std::printf("%-48s %6ld blocks: %ld allocations, %ld releases, %ld locks, %ld logs, %ld system calls", row.name,
                row.blocks, counts.of(Offence::allocation), counts.of(Offence::release), counts.of(Offence::lock),
                counts.of(Offence::log), counts.of(Offence::system_call));
    if (counts.first_function != nullptr) std::printf("; first %s", counts.first_function);
    if (counts.first_system_call >= 0) std::printf("; first system call %ld", counts.first_system_call);
    std::printf("\n");
    return counts.total() == 0;
}

std::shared_ptr<const Audio> tone(const Span& span, float value) {
    const std::vector<float> samples(static_cast<std::size_t>(span.size()), value);
    return std::make_shared<Audio>(Audio{rate, samples, samples});
}

Region region(std::uint64_t id, const Span& span) {
    Region made;
    made.id = id;
    made.span = span;
    made.rate = rate;
    for (std::uint32_t take = 0; take < max_takes; ++take) {
        made.takes.emplace_back();
        made.takes.back().audio = tone(span, 0.1F * static_cast<float>(take + 1));
    }
    return made;
}

// The worker's side: offers a playlist each time it is asked to, and empties the queue if it may.
struct Worker {
    Realtime& plugin;
    std::atomic<std::uint64_t> asked{0};
    std::atomic<std::uint64_t> offered{0};
    std::atomic<bool> urgent{true};
    std::atomic<bool> awake{true};
    std::atomic<bool> ended{false};
    std::atomic<std::uint64_t> rounds{0};

    // Returns once what was played so far has been dealt with: the round under way may have missed some of it.
    void settle() const {
        const std::uint64_t enough = rounds.load() + 2;
        while (rounds.load() < enough) std::this_thread::yield();
    }

    void run() {
        const Region regions[] = {region(1, near), region(2, far), region(3, near)};
        CaptureBlock block;
        while (!ended.load()) {
            while (awake.load() && plugin.take(block)) {
            }
            plugin.dealt();
            ++rounds;
            plugin.collect();
            const std::uint64_t wanted = asked.load();
            if (offered.load() < wanted) {
                // one, two or no regions, so that each offer is a change
                const std::vector<std::vector<Region>> lists = {{regions[0], regions[1]}, {regions[2]}, {}};
                auto list = std::make_unique<Playlist>(playlist_of(lists[wanted % lists.size()], rate));
                list->urgent = urgent.load();
                list->awaited = {{200000, 210000}};
                plugin.play(std::move(list));
                offered.store(wanted);
            }
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
    }
};

// The host's side: everything it needs is here before the watch begins.
struct Host {
    Realtime& plugin;
    Worker& worker;
    std::vector<float> buffers[6] = {std::vector<float>(longest, 0.25F), std::vector<float>(longest, 0.25F),
                                     std::vector<float>(longest),        std::vector<float>(longest),
                                     std::vector<float>(longest, 0.5F),  std::vector<float>(longest, 0.5F)};
    Transport transport;
    bool side = false;
    bool in_place = false;
    std::array<Row, 32> rows{};
    std::size_t count = 0;
    bool filtered = false;

    Host(Realtime& realtime, Worker& beside) : plugin(realtime), worker(beside) {
        transport.valid = true;
        transport.playing = true;
        transport.tempo = 120.0;
    }

    Row& row(const char* name) {
        rows[count] = Row{name, 0, {}};
        return rows[count++];
    }

    void process(Row& into, std::uint32_t frames) {
        const float* in[] = {buffers[0].data(), buffers[1].data()};
        float* out[] = {buffers[in_place ? 0 : 2].data(), buffers[in_place ? 1 : 3].data()};
        const float* sides[] = {buffers[4].data(), buffers[5].data()};
        begin();
        plugin.process(in, out, side ? sides : nullptr, frames, transport);
        add(into, end());
        ++into.blocks;
        if (transport.playing) transport.frame += frames;
    }

    void set(Row& into, Parameter parameter, float value) {
        begin();
        plugin.set_parameter(parameter, value);
        add(into, end());
    }

    void play(Row& into, long blocks, std::uint32_t frames = usual) {
        for (long i = 0; i < blocks; ++i) process(into, frames);
    }

    // Returns when the worker has offered another playlist; this thread may not wait in any other way.
    void ask() {
        const std::uint64_t wanted = worker.asked.fetch_add(1) + 1;
        while (worker.offered.load() < wanted) {
        }
    }

    static void add(Row& into, const Counts& counts) {
        for (std::size_t i = 0; i < offences; ++i) into.counts.number[i] += counts.number[i];
        if (into.counts.first_function == nullptr) into.counts.first_function = counts.first_function;
        if (into.counts.first_system_call < 0) into.counts.first_system_call = counts.first_system_call;
    }

    void run();
    void drive_blocks();
    void drive_transport();
    void drive_playlists();
    void drive_parameters();
    void drive_troubles();
};

void Host::drive_blocks() {
    Row& sizes = row("blocks of 0, 1, 17, 64, 128 and 8192");
    for (const std::uint32_t frames : {0U, 1U, 17U, usual, 2 * usual, longest}) play(sizes, 20, frames);
    in_place = true;
    play(row("in place"), 200);
    in_place = false;
    side = true;
    play(row("with a side-chain"), 200);
}

void Host::drive_transport() {
    Row& moves = row("stop, start, seek, repeat, before the start");
    for (const std::int64_t frame : {0L, 7000L, 7000L, 63990L, -200L, 6390L}) {
        transport.frame = frame;
        play(moves, 20);
        transport.playing = !transport.playing;
        play(moves, 20);
        transport.playing = true;
    }
    Row& loops = row("loop and tempo");
    transport.looping = true;
    transport.loop = {6000, 7000};
    for (int i = 0; i < 10; ++i) {
        transport.frame = 6000;
        transport.tempo = 100.0 + i;
        play(loops, 20);
    }
    transport.looping = false;
    Row& unknown = row("no transport; free run");
    transport.valid = false;
    play(unknown, 50);
    set(unknown, Parameter::position, 1.0F);
    play(unknown, 50);
    set(unknown, Parameter::position, 0.0F);
    transport.valid = true;
    worker.settle();
    Row& offline = row("offline, with nothing to wait for");
    transport.offline = true;
    transport.frame = 0;
    play(offline, 100, 256);
    transport.offline = false;
}

void Host::drive_playlists() {
    for (const bool urgent : {true, false}) {
        Row& swaps = row(urgent ? "urgent playlists" : "playlists that wait");
        worker.urgent.store(urgent);
        for (int i = 0; i < 12; ++i) {
            transport.frame = near.start - 100;
            play(swaps, 20);
            ask();
            play(swaps, 20);
        }
    }
    play(row("from region to region to dry"), 2000);
}

void Host::drive_parameters() {
    Row& all = row("every parameter, in and out of its range");
    transport.frame = near.start;
    for (std::size_t i = 0; i < parameter_count; ++i) {
        const auto parameter = static_cast<Parameter>(i);
        const float before = plugin.parameter(parameter);
        for (const float value : {info(parameter).minimum, info(parameter).maximum, -7.0F,
                                  std::numeric_limits<float>::quiet_NaN(), before}) {
            set(all, parameter, value);
            play(all, 10);
        }
    }
    Row& sweeps = row("mix, candidate and compare, block by block");
    transport.frame = near.start;
    for (int i = 0; i < 300; ++i) {
        set(sweeps, Parameter::mix, static_cast<float>(i % 10) / 9.0F);
        set(sweeps, Parameter::candidate, static_cast<float>(1 + i % 4));
        set(sweeps, Parameter::compare, static_cast<float>(i / 7 % 2));
        play(sweeps, 1);
    }
    set(sweeps, Parameter::compare, 0.0F);
}

void Host::drive_troubles() {
    Row& bad = row("samples that are not finite, denormals");
    using Limits = std::numeric_limits<float>;
    for (const float sample : {Limits::quiet_NaN(), Limits::infinity(), Limits::denorm_min()}) {
        for (auto& buffer : buffers) buffer[11] = sample;
        play(bad, 50);
    }
    Row& full = row("a worker that sleeps: the queue is full");
    worker.awake.store(false);
    play(full, 6000);
    worker.awake.store(true);
    play(full, 100);
}

void Host::run() {
    filtered = watch_system_calls();
    ask();
    drive_blocks();
    drive_transport();
    drive_playlists();
    drive_parameters();
    drive_troubles();
}

int drive() {
    Realtime plugin;
    if (!plugin.activate(rate)) return 2;
    Worker worker{plugin};
    std::thread workers([&] { worker.run(); });
    Host host{plugin, worker};
    std::thread audio([&] { host.run(); });
    audio.join();
    worker.ended.store(true);
    workers.join();
    bool clean = true;
    for (std::size_t i = 0; i < host.count; ++i) clean = print(host.rows[i]) && clean;
    const bool lost = plugin.state().blocks_lost > 0;
    if (!lost) std::printf("the queue was never full: that path was not driven\n");
    if (!host.filtered) std::printf("system calls were not watched: this kernel allows no seccomp filter\n");
    return clean && lost && host.filtered ? 0 : 1;
}

// What each offence does to the counts: expected against seen.
struct Crimes {
    int* volatile number = nullptr;  // so that the compiler does not leave out what nobody reads
    std::shared_ptr<int> shared_number;
    bool filtered = false;
    std::array<Row, 16> rows{};
    std::array<Offence, 16> expected{};
    std::size_t count = 0;

    template <typename Crime>
    void commit(const char* name, Offence offence, Crime crime) {
        begin();
        crime();
        rows[count] = Row{name, 1, end()};
        expected[count++] = offence;
    }

    void run() {
        std::mutex mutex;
        std::shared_mutex shared;
        std::condition_variable condition;
        std::string text;
        filtered = watch_system_calls();
        commit("new", Offence::allocation, [&] { number = new int(1); });
        commit("delete", Offence::release, [&] { delete number; });
        commit("a string that grows", Offence::allocation, [&] { text.resize(100); });
        commit("make_shared", Offence::allocation, [&] { shared_number = std::make_shared<int>(1); });
        commit("a mutex", Offence::lock, [&] { const std::lock_guard<std::mutex> lock(mutex); });
        commit("try_lock", Offence::lock, [&] { if (mutex.try_lock()) mutex.unlock(); });
        commit("a reader's lock", Offence::lock, [&] { const std::shared_lock<std::shared_mutex> lock(shared); });
        commit("a writer's lock", Offence::lock, [&] { const std::unique_lock<std::shared_mutex> lock(shared); });
        commit("waking a thread", Offence::lock, [&] { condition.notify_one(); });
        commit("printing", Offence::log, [&] { std::printf("%s", count > 99 ? "many" : ""); });
        commit("printing lines", Offence::log, [] { std::fputs("a line from an audio thread\n", stdout); });
        commit("opening a file", Offence::system_call, [] { static_cast<void>(::open("/dev/null", O_RDONLY)); });
        commit("writing", Offence::system_call, [] { static_cast<void>(!::write(1, "", 0)); });
        commit("yielding", Offence::system_call, [] { ::sched_yield(); });
        commit("sleeping", Offence::system_call, [] { ::usleep(1); });
    }
};

int self_test() {
    Crimes crimes;
    std::thread audio([&] { crimes.run(); });
    audio.join();
    bool all = crimes.filtered;
    for (std::size_t i = 0; i < crimes.count; ++i) {
        print(crimes.rows[i]);
        const bool seen = crimes.rows[i].counts.of(crimes.expected[i]) > 0;
        if (!seen) std::printf("not seen: %s\n", crimes.rows[i].name);
        all = all && seen;
    }
    return all ? 0 : 1;
}

}  // namespace
}  // namespace segue::plugin::realtime_check

int main(int argc, char** argv) {
    const bool testing = argc == 2 && std::strcmp(argv[1], "--self-test") == 0;
    if (argc > 1 && !testing) {
        std::fprintf(stderr, "usage: %s [--self-test]\n", argv[0]);
        return 2;
    }
    return testing ? segue::plugin::realtime_check::self_test() : segue::plugin::realtime_check::drive();
}
