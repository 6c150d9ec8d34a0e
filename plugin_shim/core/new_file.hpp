// Writes files that were not there before.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/refusal.hpp"

namespace segue::plugin {

// `bytes` as STEM.EXTENSION in `folder` (made where it is missing), or STEM (2).EXTENSION and so on where that exists.
// The file appears whole or not at all: it is written under another name, synced and renamed. Never over another one.
[[nodiscard]] Expected<std::filesystem::path> write_new_file(const std::filesystem::path& folder,
                                                             const std::string& stem, const std::string& extension,
                                                             std::string_view bytes);

}  // namespace segue::plugin
