#include "core/pyramid.hpp"

namespace segue::plugin {
namespace {

constexpr std::int64_t wide_bins = 16;

Extremes scan(const float* left, const float* right, std::int64_t from, std::int64_t to) noexcept {
    // four of each, so that the compiler may compare several samples at a time
    float low[4] = {left[from], left[from], left[from], left[from]};
    float high[4] = {left[from], left[from], left[from], left[from]};
    for (const float* channel : {left, right}) {
        std::int64_t i = from;
        for (; i + 4 <= to; i += 4) {
            for (std::int64_t k = 0; k < 4; ++k) {
                const float sample = channel[i + k];
                low[k] = sample < low[k] ? sample : low[k];
                high[k] = sample > high[k] ? sample : high[k];
            }
        }
        for (; i < to; ++i) {
            low[0] = std::min(low[0], channel[i]);
            high[0] = std::max(high[0], channel[i]);
        }
    }
    return {std::min(std::min(low[0], low[1]), std::min(low[2], low[3])),
            std::max(std::max(high[0], high[1]), std::max(high[2], high[3]))};
}

constexpr std::size_t place(std::int64_t number) noexcept { return static_cast<std::size_t>(number); }

constexpr std::int64_t divide_up(std::int64_t number, std::int64_t by) noexcept { return (number + by - 1) / by; }

}  // namespace

void Pyramid::resize(std::int64_t frames) {
    frames_ = frames;
    const std::int64_t bins = divide_up(frames, bin_frames);
    bins_.assign(place(bins), Extremes{0.0F, 0.0F});
    wide_.assign(place(divide_up(bins, wide_bins)), Extremes{0.0F, 0.0F});
}

void Pyramid::update(const float* left, const float* right, std::int64_t from, std::int64_t to) {
    if (from >= to) return;
    const std::int64_t bins = static_cast<std::int64_t>(bins_.size());
    const std::int64_t first = from / bin_frames, last = divide_up(to, bin_frames);
    for (std::int64_t bin = first; bin < last; ++bin) {
        bins_[place(bin)] = scan(left, right, bin * bin_frames, std::min((bin + 1) * bin_frames, frames_));
    }
    for (std::int64_t wide = first / wide_bins; wide < divide_up(last, wide_bins); ++wide) {
        Extremes all;
        const std::int64_t end = std::min((wide + 1) * wide_bins, bins);
        for (std::int64_t bin = wide * wide_bins; bin < end; ++bin) all.take(bins_[place(bin)]);
        wide_[place(wide)] = all;
    }
}

Extremes Pyramid::of(const float* left, const float* right, std::int64_t from, std::int64_t to) const {
    Extremes found;
    for (std::int64_t at = from; at < to;) {
        const std::int64_t bin = at / bin_frames, bin_end = std::min((bin + 1) * bin_frames, frames_);
        const std::int64_t wide = bin / wide_bins, wide_end = std::min((wide + 1) * wide_bins * bin_frames, frames_);
        if (at == wide * wide_bins * bin_frames && wide_end <= to) {
            found.take(wide_[place(wide)]);
            at = wide_end;
        } else if (at == bin * bin_frames && bin_end <= to) {
            found.take(bins_[place(bin)]);
            at = bin_end;
        } else {
            const std::int64_t end = std::min(bin_end, to);
            found.take(scan(left, right, at, end));
            at = end;
        }
    }
    return found;
}

const Extremes& Pyramid::bin(std::int64_t frame) const noexcept { return bins_[place(frame / bin_frames)]; }

std::uint64_t Pyramid::bytes() const noexcept { return (bins_.capacity() + wide_.capacity()) * sizeof(Extremes); }

}  // namespace segue::plugin
