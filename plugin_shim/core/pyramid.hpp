// Least and greatest samples of short bins, so that long stretches are looked over without reading their samples.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace segue::plugin {

// Least and greatest sample; low > high: there was none.
struct Extremes {
    float low = std::numeric_limits<float>::infinity();
    float high = -std::numeric_limits<float>::infinity();

    void take(const Extremes& other) noexcept {
        low = std::min(low, other.low);
        high = std::max(high, other.high);
    }
    [[nodiscard]] float level() const noexcept { return std::max(high, -low); }
};

// Of two channels together; the samples stay with their owner, who tells of each change.
class Pyramid {
public:
    static constexpr std::int64_t bin_frames = 64;

    Pyramid() = default;
    explicit Pyramid(std::int64_t frames) { resize(frames); }

    void resize(std::int64_t frames);  // forgets; all bins are those of zeros
    // Frames [from, to) of the `frames` ones at left and right were changed.
    void update(const float* left, const float* right, std::int64_t from, std::int64_t to);
    // Of frames [from, to); exact: bins that are cut are read sample by sample.
    [[nodiscard]] Extremes of(const float* left, const float* right, std::int64_t from, std::int64_t to) const;
    // Of the bin that holds `frame`.
    [[nodiscard]] const Extremes& bin(std::int64_t frame) const noexcept;
    [[nodiscard]] std::uint64_t bytes() const noexcept;

private:
    std::int64_t frames_ = 0;
    std::vector<Extremes> bins_;
    std::vector<Extremes> wide_;  // of 16 bins each
};

}  // namespace segue::plugin
