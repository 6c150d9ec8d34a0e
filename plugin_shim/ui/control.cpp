#include "ui/control.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

namespace segue::plugin::ui {
namespace {

constexpr float pixels_of_range = 200.0F;
constexpr float fine_factor = 0.1F;

float within(Parameter parameter, float value) noexcept {
    const ParameterInfo& about = info(parameter);
    const float whole = about.integer ? std::round(value) : value;
    return std::clamp(whole, about.minimum, about.maximum);
}

}  // namespace

float dragged(Parameter parameter, float value, float pixels, bool fine) noexcept {
    const float range = info(parameter).maximum - info(parameter).minimum;
    return within(parameter, value + pixels / pixels_of_range * range * (fine ? fine_factor : 1.0F));
}

float stepped(Parameter parameter, float value, float steps, bool fine) noexcept {
    const ParameterInfo& about = info(parameter);
    if (about.integer) return within(parameter, value + steps);
    const float step = (about.maximum - about.minimum) / 100.0F * (fine ? fine_factor : 1.0F);
    // on the grid of steps, so that arrows undo each other
    return within(parameter, std::round(value / step + steps) * step);
}

std::optional<float> typed(Parameter parameter, std::string_view text) noexcept {
    const bool number = !text.empty() && text.size() < 16 && text.find_first_not_of("0123456789.") == text.npos;
    if (!number || std::count(text.begin(), text.end(), '.') > 1 || text == ".") return std::nullopt;
    char digits[16] = {};
    text.copy(digits, sizeof digits - 1);
    const float entered = std::strtof(digits, nullptr);
    const float value = parameter == Parameter::guidance ? entered : entered / 100.0F;
    return is_valid(parameter, value) ? std::optional<float>{value} : std::nullopt;
}

float fraction_of(Parameter parameter, float value) noexcept {
    const ParameterInfo& about = info(parameter);
    return std::clamp((value - about.minimum) / (about.maximum - about.minimum), 0.0F, 1.0F);
}

}  // namespace segue::plugin::ui
