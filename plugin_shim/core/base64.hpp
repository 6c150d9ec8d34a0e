// Base64 as in RFC 4648, by tables: states have tens of megabytes, for which libsodium's constant-time one, made for
// secrets, takes ten times as long (and 1.0.18 takes 0xAF for '/').
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace segue::plugin {

[[nodiscard]] std::string to_base64(std::string_view bytes);

// Nothing where the text is not exactly what to_base64 gives for some bytes.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace segue::plugin
