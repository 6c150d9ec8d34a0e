#include "core/song_page.hpp"

#include <algorithm>
#include <cmath>

namespace segue::plugin {
namespace {

bool all_zero(const float* samples, std::int64_t frames) noexcept {
    return std::all_of(samples, samples + frames, [](float sample) { return sample == 0.0F; });
}

}  // namespace

void Plane::write(std::int64_t at, const float* left_in, const float* right_in, std::int64_t frames) {
    if (samples_.empty()) {
        if (all_zero(left_in, frames) && all_zero(right_in, frames)) return;
        pyramid_.resize(page_frames);
        samples_.assign(2 * page_frames, 0.0F);
    }
    std::copy_n(left_in, frames, samples_.data() + at);
    std::copy_n(right_in, frames, samples_.data() + page_frames + at);
    pyramid_.update(left(), right(), at, at + frames);
}

void Plane::read(std::int64_t at, float* left_out, float* right_out, std::int64_t frames) const {
    if (samples_.empty()) {
        std::fill_n(left_out, frames, 0.0F);
        std::fill_n(right_out, frames, 0.0F);
    } else {
        std::copy_n(left() + at, frames, left_out);
        std::copy_n(right() + at, frames, right_out);
    }
}

Extremes Plane::extremes(std::int64_t from, std::int64_t to) const {
    if (from >= to) return {};
    return samples_.empty() ? Extremes{0.0F, 0.0F} : pyramid_.of(left(), right(), from, to);
}

std::int64_t Plane::first_louder(std::int64_t from, std::int64_t to, float level) const {
    if (samples_.empty()) return to;
    for (std::int64_t at = from; at < to;) {
        const std::int64_t end = std::min(to, (at / Pyramid::bin_frames + 1) * Pyramid::bin_frames);
        if (pyramid_.bin(at).level() > level) {
            for (std::int64_t i = at; i < end; ++i) {
                if (std::max(std::abs(left()[i]), std::abs(right()[i])) > level) return i;
            }
        }
        at = end;
    }
    return to;
}

std::int64_t Plane::last_louder(std::int64_t from, std::int64_t to, float level) const {
    if (samples_.empty()) return from - 1;
    for (std::int64_t end = to; end > from;) {
        const std::int64_t at = std::max(from, (end - 1) / Pyramid::bin_frames * Pyramid::bin_frames);
        if (pyramid_.bin(at).level() > level) {
            for (std::int64_t i = end - 1; i >= at; --i) {
                if (std::max(std::abs(left()[i]), std::abs(right()[i])) > level) return i;
            }
        }
        end = at;
    }
    return from - 1;
}

std::uint64_t Plane::bytes() const noexcept { return samples_.capacity() * sizeof(float) + pyramid_.bytes(); }

std::uint64_t SongPage::bytes() const noexcept {
    std::uint64_t sum = sizeof(SongPage) + main.bytes() + side.bytes();
    for (const StepLane& lane : lanes) sum += lane.bytes();
    return sum;
}

}  // namespace segue::plugin
