#include "core/base64.hpp"

#include <array>
#include <cstdint>

namespace segue::plugin {
namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint32_t not_a_letter = 64;

constexpr std::array<std::uint32_t, 256> make_values() noexcept {
    std::array<std::uint32_t, 256> values{};
    for (std::uint32_t& value : values) value = not_a_letter;
    for (std::uint32_t i = 0; i < 64; ++i) values[static_cast<std::uint8_t>(letters[i])] = i;
    return values;
}

constexpr std::array<std::uint32_t, 256> values = make_values();

std::uint32_t value_of(char letter) noexcept { return values[static_cast<std::uint8_t>(letter)]; }

std::uint32_t byte_of(std::string_view bytes, std::size_t at) noexcept {
    return at < bytes.size() ? static_cast<std::uint8_t>(bytes[at]) : 0U;
}

}  // namespace

std::string to_base64(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4, '=');
    std::size_t to = 0;
    for (std::size_t at = 0; at < bytes.size(); at += 3, to += 4) {
        const std::uint32_t three = byte_of(bytes, at) << 16 | byte_of(bytes, at + 1) << 8 | byte_of(bytes, at + 2);
        text[to] = letters[three >> 18];
        text[to + 1] = letters[three >> 12 & 63U];
        if (at + 1 < bytes.size()) text[to + 2] = letters[three >> 6 & 63U];
        if (at + 2 < bytes.size()) text[to + 3] = letters[three & 63U];
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.empty()) return std::string();
    if (text.size() % 4 != 0) return {};
    const std::size_t padding = text.back() != '=' ? 0 : text[text.size() - 2] != '=' ? 1 : 2;
    std::string bytes(text.size() / 4 * 3, '\0');
    std::size_t to = 0;
    for (std::size_t at = 0; at < text.size(); at += 4, to += 3) {
        const bool last = at + 4 == text.size();
        std::uint32_t three = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            const bool padded = last && i >= 4 - padding;
            const std::uint32_t value = padded ? 0U : value_of(text[at + i]);
            if (value == not_a_letter) return {};
            three = three << 6 | value;
        }
        if (last && (three & ((1U << 8 * padding) - 1U)) != 0) return {};  // bits that stand for nothing
        bytes[to] = static_cast<char>(three >> 16);
        bytes[to + 1] = static_cast<char>(three >> 8 & 0xFFU);
        bytes[to + 2] = static_cast<char>(three & 0xFFU);
    }
    bytes.resize(bytes.size() - padding);
    return bytes;
}

}  // namespace segue::plugin
