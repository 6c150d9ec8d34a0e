// A look over msgpack bytes before they are unpacked: nothing is made of them, so that what a header declares never
// costs more memory than it has bytes. The twin of segue_protocol/scan.py.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "limits.hpp"

namespace segue::protocol {

// Bytes that somebody else owns.
struct View {
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;

    [[nodiscard]] std::string_view text() const noexcept {
        return {reinterpret_cast<const char*>(data), size};
    }
};

inline View view(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Whether the bytes are UTF-8: shortest forms only, no surrogates, nothing beyond U+10FFFF.
inline bool is_utf8(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        const std::uint8_t first = byte(i++);
        if (first < 0x80) continue;
        const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
        if (first < 0xC2 || first > 0xF4 || more > text.size() - i) return false;
        std::uint8_t least = 0x80, most = 0xBF;
        if (first == 0xE0) least = 0xA0;
        if (first == 0xED) most = 0x9F;
        if (first == 0xF0) least = 0x90;
        if (first == 0xF4) most = 0x8F;
        for (std::size_t k = 0; k < more; ++k, ++i) {
            if (byte(i) < least || byte(i) > most) return false;
            least = 0x80;
            most = 0xBF;
        }
    }
    return true;
}

namespace detail {

enum class Kind { plain, string, binary, array, map, forbidden };

// What a first byte says: the kind of object; `size`: its bytes or entries, or in how many bytes that stands.
struct Head {
    Kind kind;
    std::size_t size;
    bool in_bytes;
};

inline Head head_of(std::uint8_t byte) noexcept {
    const auto low = [&](unsigned mask) { return static_cast<std::size_t>(byte & mask); };
    if (byte < 0x80 || byte >= 0xE0) return {Kind::plain, 0, false};
    if (byte < 0x90) return {Kind::map, low(0x0F), false};
    if (byte < 0xA0) return {Kind::array, low(0x0F), false};
    if (byte < 0xC0) return {Kind::string, low(0x1F), false};
    switch (byte) {
        case 0xC0: case 0xC2: case 0xC3: return {Kind::plain, 0, false};
        case 0xC4: case 0xC5: case 0xC6: return {Kind::binary, std::size_t{1} << (byte - 0xC4), true};
        case 0xCA: return {Kind::plain, 4, false};
        case 0xCB: return {Kind::plain, 8, false};
        case 0xCC: case 0xCD: case 0xCE: case 0xCF: return {Kind::plain, std::size_t{1} << (byte - 0xCC), false};
        case 0xD0: case 0xD1: case 0xD2: case 0xD3: return {Kind::plain, std::size_t{1} << (byte - 0xD0), false};
        case 0xD9: case 0xDA: case 0xDB: return {Kind::string, std::size_t{1} << (byte - 0xD9), true};
        case 0xDC: case 0xDD: return {Kind::array, std::size_t{2} << (byte - 0xDC), true};
        case 0xDE: case 0xDF: return {Kind::map, std::size_t{2} << (byte - 0xDE), true};
        default: return {Kind::forbidden, 0, false};  // extensions, and 0xC1
    }
}

}  // namespace detail

// What is wrong with a header, or nothing: exactly one object of nil, booleans, numbers, strings, binaries, arrays and
// maps of strings, no deeper than 8, no length beyond the bytes that follow.
inline std::optional<std::string> scan(View header) {
    using detail::Kind;
    struct Level {
        std::size_t left;  // objects still to come; in maps keys count too
        bool is_map;
    };
    std::array<Level, max_depth + 1> levels{};
    levels[0] = {1, false};
    std::size_t open = 1, at = 0;
    while (open > 0) {
        Level& level = levels[open - 1];
        if (level.left == 0) {
            --open;
            continue;
        }
        const bool is_key = level.is_map && level.left % 2 == 0;
        --level.left;
        if (at >= header.size) return "expected an object at byte " + std::to_string(at) + ", got the end";
        detail::Head head = detail::head_of(header.data[at++]);
        if (head.kind == Kind::forbidden) return "expected plain msgpack, got an extension or an unused byte";
        if (head.in_bytes) {
            if (head.size > header.size - at) return "expected a length, got the end";
            std::uint64_t size = 0;
            for (std::size_t i = 0; i < head.size; ++i) size = size << 8 | header.data[at + i];
            at += head.size;
            head.size = static_cast<std::size_t>(size);
        }
        if (is_key && head.kind != Kind::string) return "expected a string as key before byte " + std::to_string(at);
        const std::size_t items = head.kind == Kind::map ? 2 * head.size : head.size;
        if (items > header.size - at) {
            return "expected " + std::to_string(items) + " more bytes or objects at byte " + std::to_string(at) +
                   ", got " + std::to_string(header.size - at) + " bytes";
        }
        if (head.kind != Kind::map && head.kind != Kind::array) {
            at += head.size;
            continue;
        }
        if (open > max_depth) return "expected at most 8 maps and arrays inside one another, got more";
        levels[open++] = {items, head.kind == Kind::map};
    }
    if (at != header.size) return "expected one object, got more bytes after it";
    return {};
}

}  // namespace segue::protocol
