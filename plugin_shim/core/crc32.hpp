// CRC-32 as in zip and PNG (ISO 3309): tells damage, not malice.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace segue::plugin {

namespace detail {

constexpr std::array<std::uint32_t, 256> make_crc_table() noexcept {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        table[i] = i;
        for (int bit = 0; bit < 8; ++bit) table[i] = (table[i] & 1U) != 0 ? 0xEDB88320U ^ table[i] >> 1 : table[i] >> 1;
    }
    return table;
}

inline constexpr std::array<std::uint32_t, 256> crc_table = make_crc_table();

}  // namespace detail

// `before`: the CRC-32 of what precedes `bytes`.
[[nodiscard]] inline std::uint32_t crc32(std::string_view bytes, std::uint32_t before = 0) noexcept {
    std::uint32_t crc = ~before;
    for (const char byte : bytes) crc = detail::crc_table[(crc ^ static_cast<std::uint8_t>(byte)) & 0xFFU] ^ crc >> 8;
    return ~crc;
}

}  // namespace segue::plugin
