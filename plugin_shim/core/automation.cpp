#include "core/automation.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/capture_block.hpp"

namespace segue::plugin {
namespace {

using Point = std::pair<double, double>;

// The slopes of lines from an anchor that pass within a tolerance of all points seen so far.
struct Cone {
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();

    void narrow(const Point& anchor, const Point& point, double tolerance) noexcept {
        const double time = point.first - anchor.first;
        low = std::max(low, (point.second - tolerance - anchor.second) / time);
        high = std::min(high, (point.second + tolerance - anchor.second) / time);
    }
    [[nodiscard]] bool holds(const Point& anchor, const Point& point) const noexcept {
        const double slope = (point.second - anchor.second) / (point.first - anchor.first);
        return slope >= low && slope <= high;
    }
};

std::size_t points_of(const std::vector<protocol::Curve>& curves) noexcept {
    std::size_t sum = 0;
    for (const protocol::Curve& curve : curves) sum += curve.points.size();
    return sum;
}

}  // namespace

protocol::Curve curve_of(std::string name, const std::vector<LaneRun>& runs, std::int64_t start, double rate) {
    protocol::Curve curve{std::move(name), {}};
    const auto put = [&](std::int64_t frame, double value) {
        const double seconds = static_cast<double>(frame - start) / rate;
        if (curve.points.empty() || seconds > curve.points.back().first) curve.points.emplace_back(seconds, value);
    };
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const std::int64_t change = runs[i].span.start;
        if (i > 0) put(change - std::int64_t{block_frames}, runs[i - 1].value);
        put(change, runs[i].value);
    }
    return curve;
}

// One pass: a point is dropped as long as one line from the latest kept point comes near enough to all dropped since.
protocol::Curve reduced(const protocol::Curve& curve, double tolerance) {
    if (curve.points.size() < 3) return curve;
    protocol::Curve kept{curve.name, {curve.points.front()}};
    Cone cone;
    for (std::size_t i = 1; i < curve.points.size(); ++i) {
        const Point& point = curve.points[i];
        if (!cone.holds(kept.points.back(), point)) {
            kept.points.push_back(curve.points[i - 1]);
            cone = {};
        }
        cone.narrow(kept.points.back(), point, tolerance);
    }
    const bool flat = kept.points.size() == 1 && curve.points.back().second == kept.points.back().second;
    if (!flat) kept.points.push_back(curve.points.back());
    return kept;
}

double simplify(std::vector<protocol::Curve>& curves, std::size_t most) {
    const std::vector<protocol::Curve> whole = curves;
    double tolerance = curve_tolerance;
    for (;; tolerance *= 2.0) {
        std::transform(whole.begin(), whole.end(), curves.begin(),
                       [&](const protocol::Curve& curve) { return reduced(curve, tolerance); });
        if (points_of(curves) <= most) return tolerance;
    }
}

}  // namespace segue::plugin
