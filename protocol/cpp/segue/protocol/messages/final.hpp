// Final messages: exactly one a job.
#pragma once

#include "message.hpp"

namespace segue::protocol {

struct Result {
    SEGUE_JOB_MESSAGE("RESULT", renderer, text);
    std::vector<std::int64_t> ranking;
    bool stored = false;
    std::int64_t bytes = 0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        job_fields(f, m);
        f.must("ranking", m.ranking, Many{1, static_cast<std::size_t>(max_candidates), count_rule});
        f.must("stored", m.stored, anything);
        f.must("bytes", m.bytes, payload_rule);
    }

    [[nodiscard]] std::size_t payload_bytes() const noexcept { return static_cast<std::size_t>(bytes); }
};

struct Failed {
    SEGUE_JOB_MESSAGE("FAILED", renderer, none);
    std::string code;
    std::string message;
    std::string remedy;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        job_fields(f, m);
        f.must("code", m.code, code_rule);
        f.must("message", m.message, text_rule);
        f.must("remedy", m.remedy, text_rule);
    }
};

struct Cancelled {
    SEGUE_JOB_MESSAGE("CANCELLED", renderer, none);
    std::string message;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        job_fields(f, m);
        f.must("message", m.message, text_rule);
    }
};

struct Timeout {
    SEGUE_JOB_MESSAGE("TIMEOUT", renderer, none);
    std::string message;
    std::string remedy;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        job_fields(f, m);
        f.must("message", m.message, text_rule);
        f.must("remedy", m.remedy, text_rule);
    }
};

}  // namespace segue::protocol
