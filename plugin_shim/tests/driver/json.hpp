// Snapshots as one line of JSON.
#pragma once

#include <string>

#include "core/snapshot.hpp"

namespace segue::plugin::driver {

[[nodiscard]] std::string quoted(const std::string& text);
[[nodiscard]] std::string number(double value);
[[nodiscard]] std::string to_json(const Snapshot& snapshot);

[[nodiscard]] const char* name_of(JobState state) noexcept;
[[nodiscard]] const char* name_of(LinkState state) noexcept;
[[nodiscard]] const char* name_of(GapSource source) noexcept;

}  // namespace segue::plugin::driver
