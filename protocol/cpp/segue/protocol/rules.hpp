// The ranges of fields: a rule says what is wrong with a value, or nothing.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "limits.hpp"

namespace segue::protocol {

using Complaint = std::optional<std::string>;

struct Whole {
    std::int64_t least;
    std::int64_t most;

    [[nodiscard]] Complaint operator()(std::int64_t value) const {
        if (value >= least && value <= most) return {};
        return "expected a number from " + std::to_string(least) + " to " + std::to_string(most) + ", got " +
               std::to_string(value);
    }
};

struct Real {
    double least = -HUGE_VAL;
    double most = HUGE_VAL;

    [[nodiscard]] Complaint operator()(double value) const {
        if (std::isfinite(value) && value >= least && value <= most) return {};
        return "expected a finite number within its range, got " + std::to_string(value);
    }
};

// Text of at most so many bytes of UTF-8.
struct Words {
    std::size_t most;

    [[nodiscard]] Complaint operator()(std::string_view value) const {
        if (value.size() <= most) return {};
        return "expected at most " + std::to_string(most) + " bytes, got " + std::to_string(value.size());
    }
};

// A string of `least` to `most` of some characters, the first of which may be more restricted.
struct Name {
    using Is = bool (*)(char);
    Is first;
    Is rest;
    std::size_t least;
    std::size_t most;

    [[nodiscard]] Complaint operator()(std::string_view value) const {
        bool fits = value.size() >= least && value.size() <= most;
        for (std::size_t i = 0; fits && i < value.size(); ++i) fits = (i == 0 ? first : rest)(value[i]);
        if (fits) return {};
        return "expected " + std::to_string(least) + " to " + std::to_string(most) +
               " of the characters spec.md allows, got " + std::string(value.substr(0, 40));
    }
};

struct MajorMinor {
    [[nodiscard]] Complaint operator()(std::string_view value) const {
        const std::size_t dot = value.find('.');
        if (dot != std::string_view::npos && number(value.substr(0, dot)) && number(value.substr(dot + 1))) return {};
        return "expected a version such as 1.0, got " + std::string(value.substr(0, 40));
    }

    [[nodiscard]] static bool number(std::string_view value) {
        bool fits = !value.empty() && value.size() <= 4;
        for (const char c : value) fits = fits && c >= '0' && c <= '9';
        return fits;
    }
};

// A list of so many entries, each under a rule of its own (or, for parts, their own fields).
template <class Entry>
struct Many {
    std::size_t least;
    std::size_t most;
    Entry entry;

    [[nodiscard]] Complaint operator()(std::size_t size) const {
        if (size >= least && size <= most) return {};
        return "expected " + std::to_string(least) + " to " + std::to_string(most) + " entries, got " +
               std::to_string(size);
    }
};

template <class Entry>
Many(std::size_t, std::size_t, Entry) -> Many<Entry>;

struct Anything {};  // for booleans, nonces and parts, whose type says all

inline constexpr auto is_letter_or_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
};
inline constexpr auto is_job = [](char c) { return is_letter_or_digit(c) || c == '_' || c == '-'; };
inline constexpr auto is_word = [](char c) {
    return is_letter_or_digit(c) || c == ' ' || c == '.' || c == '_' || c == '+' || c == '-';
};
inline constexpr auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
inline constexpr auto is_capital_or_line = [](char c) { return is_capital(c) || c == '_'; };
inline constexpr auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };

inline constexpr Name job_rule{is_job, is_job, 1, 64};
inline constexpr Name word_rule{is_letter_or_digit, is_word, 1, 64};
inline constexpr Name code_rule{is_capital, is_capital_or_line, 1, 32};
inline constexpr Name hex_rule{is_hex, is_hex, 64, 64};
inline constexpr MajorMinor version_rule{};
inline constexpr Words line_rule{256};
inline constexpr Words text_rule{2048};
inline constexpr Anything anything{};
inline constexpr Whole count_rule{0, max_count};
inline constexpr Whole samples_rule{1, max_samples};
inline constexpr Whole position_rule{-max_samples, max_samples};
inline constexpr Whole rate_rule{min_rate, max_rate};
inline constexpr Whole channels_rule{1, max_channels};
inline constexpr Whole stream_rule{0, (std::int64_t{1} << 32) - 1};
inline constexpr Whole credits_rule{0, max_credits};
inline constexpr Whole seed_rule{0, max_seed};
inline constexpr Whole rank_rule{1, max_count};
inline constexpr Whole payload_rule{1, static_cast<std::int64_t>(max_payload_bytes)};
inline constexpr Real number_rule{};
inline constexpr Real seconds_rule{0.0, max_seconds};
inline constexpr Real duration_rule{0.0};
inline constexpr Real fraction_rule{0.0, 1.0};

}  // namespace segue::protocol
