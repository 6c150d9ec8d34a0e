// Around jobs: errors, status, the end.
#pragma once

#include "handshake.hpp"

namespace segue::protocol {

struct Error {
    SEGUE_MESSAGE("ERROR", renderer, none);
    std::string code;
    std::string message;
    std::string remedy;
    std::optional<std::string> job;
    std::optional<Nonce> nonce;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("code", m.code, code_rule);
        f.must("message", m.message, text_rule);
        f.must("remedy", m.remedy, text_rule);
        f.optional("job", m.job, job_rule);
        f.optional("nonce", m.nonce, anything);
    }
};

struct Ping {
    SEGUE_MESSAGE("PING", client, none);
    std::int64_t token = 0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("token", m.token, count_rule);
    }
};

struct Pong {
    SEGUE_MESSAGE("PONG", renderer, none);
    std::int64_t token = 0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("token", m.token, count_rule);
    }
};

struct Status {
    SEGUE_MESSAGE("STATUS", client, none);

    template <class Visitor, class Self>
    static void fields(Visitor&, Self&) {}
};

struct Device {
    std::string name;
    std::string kind;
    std::string state;
    std::optional<std::int64_t> memory_used;
    std::optional<std::int64_t> memory_total;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("name", m.name, line_rule);
        f.must("kind", m.kind, word_rule);
        f.must("state", m.state, word_rule);
        f.optional("memory_used", m.memory_used, count_rule);
        f.optional("memory_total", m.memory_total, count_rule);
    }
};

struct JobStatus {
    std::string job;
    std::string client;
    std::string task;
    std::string state;
    double fraction = 0.0;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("job", m.job, job_rule);
        f.must("client", m.client, line_rule);
        f.must("task", m.task, word_rule);
        f.must("state", m.state, word_rule);
        f.must("fraction", m.fraction, fraction_rule);
    }
};

struct StatusReply {
    SEGUE_MESSAGE("STATUS_REPLY", renderer, none);
    std::string renderer;
    double uptime = 0.0;
    std::int64_t waiting = 0;
    std::int64_t max_jobs = 0;
    std::int64_t clients = 0;
    std::vector<Device> devices;
    std::vector<JobStatus> jobs;
    std::vector<Bundle> bundles;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.must("renderer", m.renderer, line_rule);
        f.must("uptime", m.uptime, duration_rule);
        f.must("waiting", m.waiting, count_rule);
        f.must("max_jobs", m.max_jobs, count_rule);
        f.must("clients", m.clients, count_rule);
        f.must("devices", m.devices, Many{0, max_listed, anything});
        f.must("jobs", m.jobs, Many{0, max_listed, anything});
        f.must("bundles", m.bundles, Many{0, max_listed, anything});
    }
};

struct Goodbye {
    SEGUE_MESSAGE("GOODBYE", both, none);
    std::string reason;

    template <class Visitor, class Self>
    static void fields(Visitor& f, Self& m) {
        f.may("reason", m.reason, text_rule);
    }
};

}  // namespace segue::protocol
