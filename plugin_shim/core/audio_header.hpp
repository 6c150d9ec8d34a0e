// What a sound file declares, checked against the bytes that are there: libsndfile shortens cut files in silence.
#pragma once

#include <filesystem>

#include "core/refusal.hpp"

namespace segue::plugin {

// Refused: no regular file; cut off before or within its audio; declaring more than it holds. True: a whole decoding
// gives exactly the frames that libsndfile tells beforehand. False: it can but estimate them (MP3).
[[nodiscard]] Expected<bool> check_header(const std::filesystem::path& path);

}  // namespace segue::plugin
