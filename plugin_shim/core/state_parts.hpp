// The index of a saved state, as it is packed; the fields are named once, for both directions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/state_limits.hpp"
#include "segue/protocol/reader.hpp"

namespace segue::plugin::state_parts {

namespace rules = segue::protocol;

inline constexpr std::size_t most_regions = StateLimits().regions;
inline constexpr std::size_t most_takes = 16;
inline constexpr std::size_t most_extra = 64;

// Even NaN: a value that is not valid is replaced, and all the rest kept.
struct AnyNumber {
    [[nodiscard]] rules::Complaint operator()(double) const { return {}; }
};

inline constexpr rules::Words any_text{rules::max_payload_bytes};
// Not 0, which is none, and with room for the renders to come: a job's generation is the next number.
inline constexpr rules::Whole id_rule{1, rules::max_count / 2};
inline constexpr rules::Real rate_rule{8'000.0, 768'000.0};

struct Value {
    std::string symbol;
    double value = 0.0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("symbol", m.symbol, any_text);
        f.must("value", m.value, AnyNumber{});
    }
};

struct Marks {
    std::int64_t start = 0;
    std::int64_t stop = 0;
    double rate = 0.0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("start", m.start, rules::position_rule);
        f.must("stop", m.stop, rules::position_rule);
        f.must("rate", m.rate, rate_rule);
    }
};

struct Take {
    std::int64_t candidate = 0;
    std::string method;
    std::string how;
    std::optional<double> score;
    std::optional<std::int64_t> seed;
    std::string recipe;
    std::int64_t exponent = 0;
    std::int64_t bytes = 0;  // of its FLAC, which stand behind the index in order

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("candidate", m.candidate, rules::count_rule);
        f.must("method", m.method, any_text);
        f.must("how", m.how, any_text);
        f.optional("score", m.score, rules::number_rule);
        f.optional("seed", m.seed, rules::seed_rule);
        f.must("recipe", m.recipe, any_text);
        f.must("exponent", m.exponent, rules::Whole{0, 128});
        f.must("bytes", m.bytes, rules::rank_rule);
    }
};

struct Region {
    std::int64_t id = 0;
    std::int64_t start = 0;
    std::int64_t stop = 0;
    double rate = 0.0;
    std::string task;
    std::string report;
    bool undone = false;
    bool complete = false;
    std::vector<Take> takes;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("id", m.id, id_rule);
        f.must("start", m.start, rules::position_rule);
        f.must("stop", m.stop, rules::position_rule);
        f.must("rate", m.rate, rate_rule);
        f.must("task", m.task, any_text);
        f.must("report", m.report, any_text);
        f.must("undone", m.undone, rules::anything);
        f.must("complete", m.complete, rules::anything);
        f.must("takes", m.takes, rules::Many{1, most_takes, rules::anything});
    }
};

struct Text {
    std::string name;
    std::string text;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("name", m.name, any_text);
        f.must("text", m.text, any_text);
    }
};

struct Index {
    std::vector<Value> values;
    std::vector<Region> regions;
    std::optional<Marks> marks;
    std::vector<Text> extra;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("values", m.values, rules::Many{0, 256, rules::anything});
        f.must("regions", m.regions, rules::Many{0, most_regions, rules::anything});
        f.optional("marks", m.marks, rules::anything);
        f.must("extra", m.extra, rules::Many{0, most_extra, rules::anything});
    }
};

}  // namespace segue::plugin::state_parts
