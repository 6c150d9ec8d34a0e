// A file's path out of what file managers and players put on the clipboard.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace segue::plugin::ui {

// The first line that is a file:// address (percent-encoded, of this machine) or an absolute path. Comment lines of
// text/uri-list and GNOME's "copy" line are passed over.
[[nodiscard]] std::optional<std::filesystem::path> pasted_path(std::string_view text);

}  // namespace segue::plugin::ui
