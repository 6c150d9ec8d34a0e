// Where renders are written as BWF files, unless the settings name another place.
#pragma once

#include <filesystem>

namespace segue::plugin {

[[nodiscard]] std::filesystem::path default_renders_folder();

}  // namespace segue::plugin
