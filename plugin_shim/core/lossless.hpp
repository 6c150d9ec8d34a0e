// Rendered audio as FLAC in memory, without the loss of a bit.
#pragma once

#include <cstdint>
#include <string>

#include "core/refusal.hpp"
#include "core/region.hpp"

namespace segue::plugin {

// Rounds to 24 bits of full scale 2^e, e the least from 0 in which the audio fits: from then on pack() and unpack()
// give the same samples again, bit for bit. Refused: samples that are not finite.
[[nodiscard]] Expected<Audio> round_to_24(Audio audio);

// FLAC of two channels, 24 bits. It declares 48 kHz whatever the rate, since FLAC cannot say every rate; rate and scale
// stand beside it.
struct Packed {
    double rate = 0.0;
    std::int64_t frames = 0;
    std::int64_t exponent = 0;  // full scale is 2^exponent
    std::string flac;
};

// Refused: empty audio, channels of unequal length, samples that are not those of round_to_24.
[[nodiscard]] Expected<Packed> pack(const Audio& audio);
[[nodiscard]] Expected<Audio> unpack(const Packed& packed);

}  // namespace segue::plugin
