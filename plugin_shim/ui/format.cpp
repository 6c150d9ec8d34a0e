#include "ui/format.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace segue::plugin::ui {
namespace {

// printf into a string; every format of this file is far shorter than the buffer.
template <typename... Values>
std::string print(const char* format, Values... values) {
    std::array<char, 64> buffer{};
    const int length = std::snprintf(buffer.data(), buffer.size(), format, values...);
    return length > 0 ? std::string(buffer.data()) : std::string{};
}

std::string clock(double seconds, int decimals) {
    const double scale = std::pow(10.0, decimals);
    const auto units = static_cast<long long>(std::floor(std::abs(seconds) * scale + (decimals > 0 ? 0.5 : 1e-9)));
    const auto per_second = static_cast<long long>(scale);
    const long long whole = units / per_second;
    const char* sign = seconds < 0.0 && units > 0 ? "-" : "";
    std::string text = whole >= 3600 ? print("%s%lld:%02lld:%02lld", sign, whole / 3600, whole / 60 % 60, whole % 60)
                                     : print("%s%lld:%02lld", sign, whole / 60, whole % 60);
    if (decimals > 0) text += print(".%0*lld", decimals, units % per_second);
    return text;
}

}  // namespace

std::string clock_text(double seconds) { return clock(seconds, 3); }

std::string clock_text_short(double seconds) { return clock(seconds, 0); }

std::string length_text(double seconds) { return print("%.3f s", seconds); }

std::string beats_text(double seconds, double tempo) {
    if (!(tempo > 0.0)) return {};
    const double beats = std::round(seconds * tempo / 60.0 * 100.0) / 100.0;
    return print("%.4g", beats) + (beats == 1.0 ? " beat" : " beats");
}

std::string left_text(double seconds) {
    if (seconds < 90.0) return print("%.0f s left", std::ceil(std::max(0.0, seconds)));
    return print("%.0f min left", std::ceil(seconds / 60.0));
}

std::string bytes_text(std::uint64_t bytes) { return print("%.0f MB", static_cast<double>(bytes) / 1e6); }

std::string value_text(Parameter parameter, float value) {
    if (parameter == Parameter::guidance) return print("\xC3\x97 %.2f", static_cast<double>(value));
    return print("%.0f %%", static_cast<double>(value) * 100.0);
}

double ruler_step(double seconds) noexcept {
    for (const double step : {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,   0.2,   0.5,   1.0,
                              2.0,   5.0,   10.0,  15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0}) {
        if (step >= seconds) return step;
    }
    return 3600.0 * std::ceil(seconds / 3600.0);
}

std::string tick_text(double seconds, double step) {
    int decimals = 0;
    for (double unit = 1.0; decimals < 3 && step < unit * 0.999; unit /= 10.0) ++decimals;
    return clock(decimals == 0 ? std::round(seconds) : seconds, decimals);
}

}  // namespace segue::plugin::ui
