// Automation as it was heard, made into the protocol's curves.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/step_lane.hpp"
#include "segue/protocol/messages/submit.hpp"

namespace segue::plugin {

inline constexpr double curve_tolerance = 1e-3;

// Runs that were sampled once a block, as points (seconds from the song position `start`, value) joined by straight
// lines: a ramp stays a ramp, a step takes one block.
[[nodiscard]] protocol::Curve curve_of(std::string name, const std::vector<LaneRun>& runs, std::int64_t start,
                                       double rate);

// Without points that lie within `tolerance` of the lines between those that are left.
[[nodiscard]] protocol::Curve reduced(const protocol::Curve& curve, double tolerance);

// All of them reduced within one tolerance: curve_tolerance, or twice that and so on until there are `most` points or
// less. Returns the tolerance that was needed.
double simplify(std::vector<protocol::Curve>& curves, std::size_t most);

}  // namespace segue::plugin
