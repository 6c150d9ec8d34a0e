// SUBMIT, and what is in it.
#pragma once

#include "message.hpp"

namespace segue::protocol {

struct Mark {
    std::string kind;
    std::int64_t start = 0;
    std::int64_t stop = 0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("kind", m.kind, word_rule);
        f.must("start", m.start, count_rule);
        f.must("stop", m.stop, count_rule);
    }
};

struct Stream {
    std::string role;
    std::string name;
    std::int64_t rate = 0;
    std::int64_t channels = 0;
    std::int64_t samples = 0;
    std::optional<std::string> digest;
    std::vector<Mark> marks;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("role", m.role, word_rule);
        f.must("name", m.name, line_rule);
        f.must("rate", m.rate, rate_rule);
        f.must("channels", m.channels, channels_rule);
        f.must("samples", m.samples, samples_rule);
        f.optional("digest", m.digest, hex_rule);
        f.may("marks", m.marks, Many{0, max_marks, anything});
    }
};

struct Curve {
    std::string name;
    std::vector<std::pair<double, double>> points;  // (seconds from the track's first sample, value)

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("name", m.name, word_rule);
        f.must("points", m.points, Many{1, max_curve_points, number_rule});
    }

    [[nodiscard]] Complaint whole() const {
        for (std::size_t i = 1; i < points.size(); ++i)
            if (points[i].first < points[i - 1].first) return "expected the points of " + name + " in order of time";
        return {};
    }
};

struct Settings {
    std::int64_t seed = 0;
    std::int64_t candidates = 1;
    std::optional<std::int64_t> steps;
    std::optional<std::string> sampler;
    std::optional<std::string> method;
    std::optional<std::string> bundle;
    std::optional<std::string> preset;
    std::optional<std::string> prompt;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.may("seed", m.seed, seed_rule);
        f.may("candidates", m.candidates, Whole{1, max_candidates});
        f.optional("steps", m.steps, Whole{1, max_steps});
        f.optional("sampler", m.sampler, word_rule);
        f.optional("method", m.method, word_rule);
        f.optional("bundle", m.bundle, word_rule);
        f.optional("preset", m.preset, word_rule);
        f.optional("prompt", m.prompt, text_rule);
    }
};

struct Submit {
    SEGUE_JOB_MESSAGE("SUBMIT", client, none);
    std::string task;
    Settings settings;
    std::vector<Stream> streams;
    std::vector<std::pair<std::int64_t, std::int64_t>> gaps;  // samples of the track
    std::optional<std::int64_t> added;
    bool backward = false;
    std::optional<std::int64_t> overlap;
    std::vector<Curve> curves;
    std::optional<double> deadline;
    std::int64_t credits = 0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        job_fields(f, m);
        f.must("task", m.task, word_rule);
        f.must("settings", m.settings, anything);
        f.must("streams", m.streams, Many{1, max_streams, anything});
        f.may("gaps", m.gaps, Many{0, max_gaps, position_rule});
        f.optional("added", m.added, samples_rule);
        f.may("backward", m.backward, anything);
        f.optional("overlap", m.overlap, samples_rule);
        f.may("curves", m.curves, Many{0, max_curves, anything});
        f.optional("deadline", m.deadline, seconds_rule);
        f.must("credits", m.credits, credits_rule);
    }

    [[nodiscard]] Complaint whole() const {
        std::size_t tracks = 0;
        for (const Stream& stream : streams) tracks += stream.role == "track";
        if (tracks != 1) return "expected exactly one stream with the role 'track', got " + std::to_string(tracks);
        std::size_t points = 0;
        for (std::size_t i = 0; i < curves.size(); ++i) {
            points += curves[i].points.size();
            for (std::size_t k = 0; k < i; ++k)
                if (curves[i].name == curves[k].name) return "expected " + curves[i].name + " once, got it twice";
        }
        if (points > max_curve_points) return "expected at most 2048 curve points, got " + std::to_string(points);
        return {};
    }
};

}  // namespace segue::protocol
