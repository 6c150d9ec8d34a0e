// A host's block, cut where a stepped parameter changes, so that a drawn Gap begins and ends at its sample.
//
// DPF applies automation once a block: before it what stands at its start, after it (VST3) or before it (CLAP) all the
// rest. That is how the continuous lanes stay: they are sampled once a slice.
#pragma once

#include <array>
#include <cstdint>

#include "core/transport.hpp"

namespace segue::plugin {

inline constexpr std::uint32_t max_cuts = 32;  // of one block; what changes more often moves to the next cut

// The two channels of a bus. One that the host left out is the other: of a mono bus both are the one. Both nullptr: the
// bus is off.
[[nodiscard]] inline std::array<const float*, 2> stereo(const float* left, const float* right) noexcept {
    return {left != nullptr ? left : right, right != nullptr ? right : left};
}

// Runs frames [from, from + frames) of a block through DPF's exporter; a channel that is nullptr stays so. `position` is
// that of the block's frame `position_from`.
template <std::uint32_t inputs, std::uint32_t outputs, class Exporter, class TimePosition>
void run_slice(Exporter& plugin, TimePosition position, std::uint32_t position_from, const float* const* in,
               float* const* out, std::uint32_t from, std::uint32_t frames) {
    const float* sliced_in[inputs];
    float* sliced_out[outputs];
    for (std::uint32_t port = 0; port < inputs; ++port) {
        sliced_in[port] = in[port] != nullptr ? in[port] + from : nullptr;
    }
    for (std::uint32_t port = 0; port < outputs; ++port) {
        sliced_out[port] = out[port] != nullptr ? out[port] + from : nullptr;
    }
    if (position.transport.playing) {
        position.transport.frame += from - position_from;
    }
    plugin.setTimePosition(position);
    plugin.run(sliced_in, sliced_out, frames);
}

}  // namespace segue::plugin
