// Colours and sizes of the UI, and how well one colour reads upon another.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace segue::plugin::ui {

struct Colour {
    float red = 0.0F;  // 0 to 1, sRGB
    float green = 0.0F;
    float blue = 0.0F;
    float alpha = 1.0F;

    [[nodiscard]] constexpr Colour with_alpha(float value) const noexcept { return {red, green, blue, value}; }
};

[[nodiscard]] constexpr Colour rgb(std::uint32_t hex) noexcept {
    return {static_cast<float>(hex >> 16U & 0xFFU) / 255.0F, static_cast<float>(hex >> 8U & 0xFFU) / 255.0F,
            static_cast<float>(hex & 0xFFU) / 255.0F, 1.0F};
}

namespace theme {

inline constexpr Colour window = rgb(0x191D22);
inline constexpr Colour bar = rgb(0x20252B);  // header and status
inline constexpr Colour panel = rgb(0x242A31);
inline constexpr Colour well = rgb(0x12161A);  // where music is drawn, and fields
inline constexpr Colour button = rgb(0x343C46);
inline constexpr Colour hovered = rgb(0x3D4752);
inline constexpr Colour pressed = rgb(0x2A3139);
inline constexpr Colour outline = rgb(0x3A434D);
inline constexpr Colour text = rgb(0xE9ECEF);
inline constexpr Colour quiet = rgb(0xB0B9C3);  // captions and what is less urgent
inline constexpr Colour faint = rgb(0x707B87);  // what cannot be used now: exempt from the contrast rule
inline constexpr Colour wave = rgb(0x8CA3BA);
inline constexpr Colour rendered = rgb(0x5CCBB6);
inline constexpr Colour gap = rgb(0xF2B75C);
inline constexpr Colour playhead = rgb(0xFFFFFF);
inline constexpr Colour good = rgb(0x7FD08F);
inline constexpr Colour warning = rgb(0xF2B75C);
inline constexpr Colour bad = rgb(0xFF9A8F);
inline constexpr Colour accent = rgb(0x5CCBB6);
inline constexpr Colour accent_hovered = rgb(0x74D8C5);
inline constexpr Colour on_accent = rgb(0x0E1A18);
inline constexpr Colour focus = rgb(0x8FBCFF);
inline constexpr Colour notice = rgb(0x3A2F1E);

inline constexpr float margin = 16.0F;
inline constexpr float gutter = 8.0F;
inline constexpr float radius = 5.0F;
inline constexpr float body = 13.0F;  // text sizes
inline constexpr float small = 11.5F;
inline constexpr float title = 18.0F;
inline constexpr float line = 18.0F;  // from one baseline to the next, of body text

}  // namespace theme

// Relative luminance and contrast ratio as WCAG 2.1 defines them; colours without transparency.
[[nodiscard]] inline double luminance(const Colour& colour) noexcept {
    const auto linear = [](float value) {
        const auto v = static_cast<double>(value);
        return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue);
}

[[nodiscard]] inline double contrast(const Colour& one, const Colour& other) noexcept {
    const double a = luminance(one);
    const double b = luminance(other);
    return (std::max(a, b) + 0.05) / (std::min(a, b) + 0.05);
}

}  // namespace segue::plugin::ui
