#include "player.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace segue::plugin::driver {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

// `frames` samples of a song from `at` on; zeros outside of it.
void cut(const std::vector<float>& song, std::int64_t at, std::vector<float>& block) {
    for (std::size_t i = 0; i < block.size(); ++i) {
        const std::int64_t frame = at + static_cast<std::int64_t>(i);
        const bool inside = frame >= 0 && frame < static_cast<std::int64_t>(song.size());
        block[i] = inside ? song[static_cast<std::size_t>(frame)] : 0.0F;
    }
}

struct Block {
    explicit Block(std::uint32_t frames) : left(frames), right(frames), pointers{left.data(), right.data()} {}
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    void take(const Wav& wav, std::int64_t at) {
        cut(wav.left, at, left);
        cut(wav.right, at, right);
    }

    std::vector<float> left;
    std::vector<float> right;
    float* pointers[2];
};

}  // namespace

CallWatch::CallWatch() : began_(now()) {}

double CallWatch::seconds() const {
    const Moment ended = now();
    return ended.waits == began_.waits ? ended.processor - began_.processor : since(began_.wall);
}

CallWatch::Moment CallWatch::now() {
    rusage used{};
    getrusage(RUSAGE_THREAD, &used);
    return {Clock::now(), seconds_of(used.ru_utime) + seconds_of(used.ru_stime), used.ru_nvcsw};
}

Played play(Engine& engine, const Wav& song, const Pass& pass, Automation automation) {
    std::stable_sort(automation.begin(), automation.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    auto next = automation.begin();
    Played played;
    played.out.rate = song.rate;
    Transport transport{true, true, pass.span.start, 120.0, false, pass.loop, pass.offline};
    const Clock::time_point began = Clock::now();
    while (transport.frame < pass.span.stop) {
        const auto frames =
            static_cast<std::uint32_t>(std::min<std::int64_t>(pass.block, pass.span.stop - transport.frame));
        for (; next != automation.end() && next->first < transport.frame + frames; ++next) {
            engine.set_parameter(next->second.first, next->second.second);
        }
        Block main(frames), side(frames);
        main.take(song, transport.frame);
        if (pass.side != nullptr) side.take(*pass.side, transport.frame);
        const CallWatch watch;
        engine.process(main.pointers, main.pointers, pass.side == nullptr ? nullptr : side.pointers, frames, transport);
        played.longest_block = std::max(played.longest_block, watch.seconds());
        played.out.left.insert(played.out.left.end(), main.left.begin(), main.left.end());
        played.out.right.insert(played.out.right.end(), main.right.begin(), main.right.end());
        transport.frame += frames;
        if (pass.pace > 0.0) {
            const double due = static_cast<double>(transport.frame - pass.span.start) / song.rate / pass.pace;
            std::this_thread::sleep_until(began + std::chrono::duration_cast<Clock::duration>(
                                                      std::chrono::duration<double>(due)));
        }
    }
    return played;
}

double idle(Engine& engine, std::int64_t frame, std::uint32_t block, double rate, double seconds) {
    Block main(block);
    Transport transport{true, false, frame, 120.0, false, {}, false};
    double longest = 0.0;
    const Clock::time_point began = Clock::now();
    do {
        const CallWatch watch;
        engine.process(main.pointers, main.pointers, nullptr, block, transport);
        longest = std::max(longest, watch.seconds());
        std::this_thread::sleep_for(std::chrono::duration<double>(block / rate));
    } while (since(began) < seconds);
    return longest;
}

}  // namespace segue::plugin::driver
