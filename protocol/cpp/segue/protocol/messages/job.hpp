// What passes while a job lasts: answers to SUBMIT, chunks, progress, candidates.
#pragma once

#include "message.hpp"

namespace segue::protocol {

struct Accepted {
    SEGUE_JOB_MESSAGE("ACCEPTED", renderer, none);
    std::int64_t credits = 0;
    std::vector<std::int64_t> needs;
    std::int64_t waiting = 0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        job_fields(f, m);
        f.must("credits", m.credits, credits_rule);
        f.must("needs", m.needs, Many{0, max_streams, stream_rule});
        f.must("waiting", m.waiting, count_rule);
    }
};

struct Busy {
    SEGUE_JOB_MESSAGE("BUSY", renderer, none);
    double retry_after = 0.0;
    std::string message;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        job_fields(f, m);
        f.must("retry_after", m.retry_after, seconds_rule);
        f.must("message", m.message, text_rule);
    }
};

struct Chunk {
    SEGUE_JOB_MESSAGE("CHUNK", both, audio);
    std::int64_t stream = 0;
    std::int64_t offset = 0;
    std::int64_t samples = 0;
    std::int64_t channels = 0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        job_fields(f, m);
        f.must("stream", m.stream, stream_rule);
        f.must("offset", m.offset, count_rule);
        f.must("samples", m.samples, Whole{1, static_cast<std::int64_t>(max_payload_bytes) / sample_bytes});
        f.must("channels", m.channels, channels_rule);
    }

    [[nodiscard]] std::size_t payload_bytes() const noexcept {
        return static_cast<std::size_t>(samples * channels * sample_bytes);
    }
};

struct Credit {
    SEGUE_JOB_MESSAGE("CREDIT", both, none);
    std::int64_t chunks = 0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        job_fields(f, m);
        f.must("chunks", m.chunks, Whole{1, max_credits});
    }
};

struct Cancel {
    SEGUE_JOB_MESSAGE("CANCEL", client, none);

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        job_fields(f, m);
    }
};

struct Progress {
    SEGUE_JOB_MESSAGE("PROGRESS", renderer, none);
    std::string stage;
    std::int64_t step = 0;
    std::int64_t steps = 0;
    double fraction = 0.0;
    std::optional<double> seconds_left;
    std::string message;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        job_fields(f, m);
        f.must("stage", m.stage, word_rule);
        f.must("step", m.step, count_rule);
        f.must("steps", m.steps, count_rule);
        f.must("fraction", m.fraction, fraction_rule);
        f.optional("seconds_left", m.seconds_left, duration_rule);
        f.may("message", m.message, text_rule);
    }
};

struct Patch {
    std::int64_t stream = 0;
    std::int64_t gap = 0;
    std::int64_t start = 0;  // samples from the track's first one; negative in a backward continuation
    std::int64_t samples = 0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("stream", m.stream, stream_rule);
        f.must("gap", m.gap, count_rule);
        f.must("start", m.start, position_rule);
        f.must("samples", m.samples, samples_rule);
    }
};

struct Candidate {
    SEGUE_JOB_MESSAGE("CANDIDATE", renderer, none);
    std::int64_t candidate = 0;
    std::int64_t rank = 1;
    std::string method;
    std::string how;
    std::optional<double> score;  // lower is better
    std::optional<std::int64_t> seed;
    std::int64_t rate = 0;
    std::int64_t channels = 0;
    std::vector<Patch> patches;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        job_fields(f, m);
        f.must("candidate", m.candidate, count_rule);
        f.must("rank", m.rank, rank_rule);
        f.must("method", m.method, word_rule);
        f.may("how", m.how, text_rule);
        f.optional("score", m.score, number_rule);
        f.optional("seed", m.seed, seed_rule);
        f.must("rate", m.rate, rate_rule);
        f.must("channels", m.channels, channels_rule);
        f.must("patches", m.patches, Many{1, max_gaps, anything});
    }
};

struct CandidateRecipe {
    SEGUE_JOB_MESSAGE("RECIPE", renderer, text);
    std::int64_t candidate = 0;
    std::int64_t bytes = 0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        job_fields(f, m);
        f.must("candidate", m.candidate, count_rule);
        f.must("bytes", m.bytes, payload_rule);
    }

    [[nodiscard]] std::size_t payload_bytes() const noexcept { return static_cast<std::size_t>(bytes); }
};

}  // namespace segue::protocol
