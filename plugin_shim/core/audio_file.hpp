// A file that the musician gives for recall to look in.
#pragma once

#include <filesystem>
#include <functional>

#include "core/refusal.hpp"
#include "core/region.hpp"

namespace segue::plugin {

inline constexpr double longest_file = 1200.0;  // seconds

// WAV, AIFF, FLAC, Ogg and what else libsndfile reads, mono (on both channels then) or stereo, 8 to 768 kHz.
// Refused: missing, broken, cut off, or lying about its size; empty; over longest_file; not finite. Gives up, which is
// a refusal too, as soon as `goes_on` says no; asked every 65,536 frames.
[[nodiscard]] Expected<Audio> read_audio_file(
    const std::filesystem::path& path, const std::function<bool()>& goes_on = [] { return true; });

}  // namespace segue::plugin
