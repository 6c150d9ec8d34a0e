// The handshake: HELLO and WELCOME.
#pragma once

#include "message.hpp"

namespace segue::protocol {

struct Hello {
    SEGUE_MESSAGE("HELLO", client, none);
    std::string protocol{protocol_version};
    Nonce nonce{};
    std::string client;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.may("protocol", m.protocol, version_rule);
        f.must("nonce", m.nonce, anything);
        f.must("client", m.client, line_rule);
    }
};

struct Bundle {
    std::string name;
    std::string version;
    std::string kind;
    bool commercial = false;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("name", m.name, word_rule);
        f.must("version", m.version, line_rule);
        f.must("kind", m.kind, word_rule);
        f.must("commercial", m.commercial, anything);
    }
};

struct Limits {
    std::int64_t max_job_bytes = 0;
    double max_seconds = 0.0;
    std::int64_t max_jobs = 0;
    std::int64_t max_chunk_bytes = 0;
    std::int64_t max_steps = 0;
    std::int64_t max_candidates = 0;
    std::int64_t credits = 0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("max_job_bytes", m.max_job_bytes, rank_rule);
        f.must("max_seconds", m.max_seconds, seconds_rule);
        f.must("max_jobs", m.max_jobs, rank_rule);
        f.must("max_chunk_bytes", m.max_chunk_bytes, Whole{8, static_cast<std::int64_t>(max_payload_bytes)});
        f.must("max_steps", m.max_steps, Whole{1, protocol::max_steps});
        f.must("max_candidates", m.max_candidates, Whole{1, protocol::max_candidates});
        f.must("credits", m.credits, Whole{1, max_credits});
    }
};

struct Welcome {
    SEGUE_MESSAGE("WELCOME", renderer, none);
    std::string protocol{protocol_version};
    Nonce nonce{};
    Nonce client_nonce{};
    std::string renderer;
    std::vector<std::string> tasks;
    std::vector<std::string> samplers;
    std::vector<Bundle> bundles;
    std::vector<std::string> presets;
    Limits limits;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.may("protocol", m.protocol, version_rule);
        f.must("nonce", m.nonce, anything);
        f.must("client_nonce", m.client_nonce, anything);
        f.must("renderer", m.renderer, line_rule);
        f.must("tasks", m.tasks, Many{0, max_listed, word_rule});
        f.must("samplers", m.samplers, Many{0, max_listed, word_rule});
        f.must("bundles", m.bundles, Many{0, max_listed, anything});
        f.must("presets", m.presets, Many{0, max_presets, word_rule});
        f.must("limits", m.limits, anything);
    }
};

}  // namespace segue::protocol
