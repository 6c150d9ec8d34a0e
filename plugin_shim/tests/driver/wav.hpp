// Whole WAV files of two channels, in 32-bit float.
#pragma once

#include <string>
#include <vector>

namespace segue::plugin::driver {

struct Wav {
    int rate = 0;
    std::vector<float> left;
    std::vector<float> right;
};

// Throw std::runtime_error.
[[nodiscard]] Wav read_wav(const std::string& path);
void write_wav(const std::string& path, const Wav& wav);

}  // namespace segue::plugin::driver
