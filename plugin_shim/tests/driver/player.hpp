// Plays a song through an Engine as a host would: block by block, with a transport and automation.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "core/engine.hpp"
#include "wav.hpp"

namespace segue::plugin::driver {

// Values by song position; each is set before the block that holds its frame.
using Automation = std::vector<std::pair<std::int64_t, std::pair<Parameter, float>>>;

struct Pass {
    Span span;
    std::uint32_t block = 512;
    bool offline = false;
    double pace = 0.0;  // times real time; 0: as fast as it goes
    Span loop;
    const Wav* side = nullptr;
};

struct Played {
    Wav out;
    double longest_block = 0.0;  // seconds in process(), the longest; see CallWatch
};

// What a call takes from here on: seconds on the wall if its thread has given up the processor by itself, since then it
// waits for something; else seconds of the processor, which others that want it too do not make longer.
class CallWatch {
public:
    CallWatch();
    [[nodiscard]] double seconds() const;

private:
    struct Moment {
        std::chrono::steady_clock::time_point wall;
        double processor = 0.0;  // seconds of this thread
        long waits = 0;          // of this thread
    };
    [[nodiscard]] static Moment now();

    Moment began_;
};

[[nodiscard]] Played play(Engine& engine, const Wav& song, const Pass& pass, Automation automation);

// Blocks of a stopped transport at `frame`, for `seconds` of wall time.
[[nodiscard]] double idle(Engine& engine, std::int64_t frame, std::uint32_t block, double rate, double seconds);

}  // namespace segue::plugin::driver
