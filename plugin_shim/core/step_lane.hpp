// A value over song positions that holds until the next change: automation as it was heard.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/transport.hpp"

namespace segue::plugin {

// One value over a stretch.
struct LaneRun {
    Span span;
    double value = 0.0;
};

class StepLane {
public:
    void write(const Span& span, double value);  // over what was there
    void erase(const Span& span);                // not known any more
    void clear() noexcept { points_.clear(); }

    [[nodiscard]] std::optional<double> at(std::int64_t frame) const noexcept;
    // Inside `span`, in order; runs of one value are joined, stretches not written are left out.
    [[nodiscard]] std::vector<LaneRun> runs(const Span& span) const;
    void append_runs(const Span& span, std::vector<LaneRun>& to) const;  // the same, joined to what `to` ends with
    [[nodiscard]] std::uint64_t bytes() const noexcept;

private:
    struct Point {
        std::int64_t frame = 0;
        std::optional<double> value;  // until the next point; none: not written
    };

    void put(const Span& span, std::optional<double> value);

    std::vector<Point> points_;
};

}  // namespace segue::plugin
