// A stretch of the song of fixed length: samples, automation, and how long ago it was heard.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/capture_block.hpp"
#include "core/pyramid.hpp"
#include "core/step_lane.hpp"

namespace segue::plugin {

inline constexpr std::int64_t page_frames = 1 << 15;

enum class Lane : std::uint32_t { freedom, guidance, style, gap, tempo, count };

// Two channels of a page; no memory as long as all samples are zero.
class Plane {
public:
    void write(std::int64_t at, const float* left, const float* right, std::int64_t frames);
    void read(std::int64_t at, float* left, float* right, std::int64_t frames) const;
    [[nodiscard]] Extremes extremes(std::int64_t from, std::int64_t to) const;
    [[nodiscard]] std::int64_t first_louder(std::int64_t from, std::int64_t to, float level) const;  // `to`: none
    [[nodiscard]] std::int64_t last_louder(std::int64_t from, std::int64_t to, float level) const;   // from - 1: none
    [[nodiscard]] std::uint64_t bytes() const noexcept;

private:
    [[nodiscard]] const float* left() const noexcept { return samples_.data(); }
    [[nodiscard]] const float* right() const noexcept { return samples_.data() + page_frames; }

    std::vector<float> samples_;  // all left, then all right; or empty
    Pyramid pyramid_;
};

struct SongPage {
    Plane main;
    Plane side;
    std::array<StepLane, static_cast<std::size_t>(Lane::count)> lanes;  // positions in the song
    std::uint64_t stamp = 0;                                            // of the latest block in it

    [[nodiscard]] std::uint64_t bytes() const noexcept;
};

}  // namespace segue::plugin
