// Renders as Broadcast Wave files, which a DAW places by their time reference.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/refusal.hpp"
#include "core/region.hpp"

namespace segue::plugin {

struct BwfAbout {
    std::int64_t position = 0;  // of the first sample in the song
    std::string task;
    std::string method;
    std::chrono::system_clock::time_point time;  // written into the file and its name, as UTC
};

struct BwfFile {
    std::filesystem::path path;
    std::string note;  // empty, or what a time reference cannot say
};

// Writes "segue 01m23.456s infill 2026-11-22 21-40-50Z.wav", or the same with a number where that exists, into `folder`
// (made where it is missing). 24 bits, or 32-bit float where the audio exceeds full scale: equal to what is heard, bit
// for bit, once rounded by round_to_24. Whole or not at all, and never over another file.
[[nodiscard]] Expected<BwfFile> write_bwf(const std::filesystem::path& folder, const Audio& audio,
                                          const BwfAbout& about);

}  // namespace segue::plugin
