#include "core/resample.hpp"

#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "segue/protocol/limits.hpp"

namespace segue::plugin {
namespace {

constexpr double longest_ring = 0.05;  // seconds; libsoxr's filters of very high quality ring less

bool is_rate(double rate) noexcept {
    return rate == std::floor(rate) && rate >= static_cast<double>(protocol::min_rate) &&
           rate <= static_cast<double>(protocol::max_rate);
}

// `frames` on both sides, as if the sound were turned about its first and its last sample: level and slope go on.
std::vector<float> continued(const std::vector<float>& samples, std::int64_t frames) {
    const auto count = static_cast<std::int64_t>(samples.size());
    const auto at = [&](std::int64_t i) { return samples[static_cast<std::size_t>(i)]; };
    std::vector<float> all;
    all.reserve(static_cast<std::size_t>(count + 2 * frames));
    for (std::int64_t i = frames; i > 0; --i) all.push_back(2.0F * at(0) - at(std::min(i, count - 1)));
    all.insert(all.end(), samples.begin(), samples.end());
    for (std::int64_t i = count - 2; i >= count - 1 - frames; --i) {
        all.push_back(2.0F * at(count - 1) - at(std::max<std::int64_t>(0, i)));
    }
    return all;
}

Expected<std::vector<float>> resampled(const std::vector<float>& samples, double from, double to) {
    const auto whole_from = static_cast<std::int64_t>(from), whole_to = static_cast<std::int64_t>(to);
    const std::int64_t unit = whole_from / std::gcd(whole_from, whole_to);
    const auto units = static_cast<std::int64_t>(std::ceil(longest_ring * from / static_cast<double>(unit)));
    const std::int64_t before = units * unit;  // a whole number of frames at both rates
    const std::int64_t skipped = convert_frame(before, from, to);
    const std::int64_t wanted = convert_frame(static_cast<std::int64_t>(samples.size()), from, to);
    const std::vector<float> all = continued(samples, before);
    std::vector<float> out(static_cast<std::size_t>(wanted + 2 * skipped));
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, 0);
    std::size_t made = 0;
    const soxr_error_t error = soxr_oneshot(from, to, 1, all.data(), all.size(), nullptr, out.data(), out.size(), &made,
                                            nullptr, &quality, nullptr);
    if (error != nullptr || made < static_cast<std::size_t>(wanted + skipped)) {
        const char* why = error != nullptr ? error : "too little came out";
        return refuse(std::string("audio could not be resampled: ") + why,
                      "set the host to the rate it was rendered at", protocol::Code::internal);
    }
    return std::vector<float>(out.begin() + skipped, out.begin() + skipped + wanted);
}

}  // namespace

std::int64_t convert_frame(std::int64_t frame, double from, double to) noexcept {
    return std::llround(static_cast<long double>(frame) * to / from);
}

Span convert_span(const Span& span, double from, double to) noexcept {
    const std::int64_t start = convert_frame(span.start, from, to);
    return {start, start + convert_frame(span.size(), from, to)};
}

Expected<Audio> convert(const Audio& audio, double rate) {
    if (!is_rate(audio.rate) || !is_rate(rate) || audio.left.empty() || audio.left.size() != audio.right.size()) {
        return refuse("expected audio and whole rates from 8000 to 768000 Hz, got " + std::to_string(audio.rate) +
                          " and " + std::to_string(rate),
                      "set the host to one of the usual sample rates");
    }
    if (rate == audio.rate) return audio;
    Expected<std::vector<float>> left = resampled(audio.left, audio.rate, rate);
    if (!left) return left.error();
    Expected<std::vector<float>> right = resampled(audio.right, audio.rate, rate);
    if (!right) return right.error();
    return Audio{rate, std::move(*left), std::move(*right)};
}

Expected<Region> convert(const Region& region, double rate) {
    Region converted = region;
    converted.rate = rate;
    converted.span = convert_span(region.span, region.rate, rate);
    for (Take& take : converted.takes) {
        if (take.audio == nullptr) continue;
        Expected<Audio> audio = convert(*take.audio, rate);
        if (!audio) return audio.error();
        take.audio = std::make_shared<const Audio>(std::move(*audio));
        take.packed.reset();
    }
    return converted;
}

}  // namespace segue::plugin
