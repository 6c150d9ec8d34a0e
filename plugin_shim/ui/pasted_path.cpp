#include "ui/pasted_path.hpp"

#include <string>

namespace segue::plugin::ui {
namespace {

constexpr std::string_view scheme = "file://";

std::optional<unsigned> hexadecimal(char digit) {
    if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
    if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a') + 10U;
    if (digit >= 'A' && digit <= 'F') return static_cast<unsigned>(digit - 'A') + 10U;
    return std::nullopt;
}

// Nothing where a percent sign is not followed by two digits, or hides a zero.
std::optional<std::string> decoded(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const auto high = hexadecimal(text[i + 1]);
        const auto low = hexadecimal(text[i + 2]);
        if (!high || !low || (*high == 0 && *low == 0)) return std::nullopt;
        plain += static_cast<char>(*high << 4U | *low);
        i += 2;
    }
    return plain;
}

std::optional<std::string> path_of_address(std::string_view address) {
    address.remove_prefix(scheme.size());
    constexpr std::string_view here = "localhost";
    if (address.substr(0, here.size()) == here) address.remove_prefix(here.size());
    if (address.empty() || address.front() != '/') return std::nullopt;  // another machine's
#ifdef _WIN32
    address.remove_prefix(1);  // file:///C:/...
#endif
    return decoded(address);
}

}  // namespace

std::optional<std::filesystem::path> pasted_path(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const bool address = line.substr(0, scheme.size()) == scheme;
        const auto path = address ? path_of_address(line) : std::optional<std::string>{line};
        if (!path || path->empty()) continue;
        const std::filesystem::path found = std::filesystem::u8path(*path);
        if (found.is_absolute()) return found;
    }
    return std::nullopt;
}

}  // namespace segue::plugin::ui
