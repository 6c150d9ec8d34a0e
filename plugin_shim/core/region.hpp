// Rendered music and where it belongs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/transport.hpp"

namespace segue::plugin {

// Samples of two channels and equal length.
struct Audio {
    double rate = 0.0;  // hertz
    std::vector<float> left;
    std::vector<float> right;

    [[nodiscard]] std::int64_t frames() const noexcept { return static_cast<std::int64_t>(left.size()); }
};

struct Packed;

// One way to fill a region.
struct Take {
    std::int64_t candidate = 0;  // the renderer's number
    std::string method;          // "splice", "generated", ...
    std::string how;
    std::optional<double> score;  // lower is better
    std::optional<std::int64_t> seed;
    std::string recipe;                  // JSON, byte for byte as it came; empty until the job's result
    std::shared_ptr<const Audio> audio;  // as long as the region, at the region's rate
    std::shared_ptr<const Packed> packed;  // the same for the state (lossless.hpp); empty: packed when it is saved
};

// A render: takes[0] is candidate 1 to the musician. Later renders lie over earlier ones; undone ones are kept and
// not heard.
struct Region {
    std::uint64_t id = 0;  // the job's generation
    Span span;
    double rate = 0.0;
    std::string task;    // the protocol's word
    std::string report;  // JSON; empty until the job's result
    std::vector<Take> takes;
    bool undone = false;
    bool complete = false;  // the job's result is here
};

}  // namespace segue::plugin
