// The client's side of one job: the request out, audio by credit, candidates and the result back. Of one gap: as the
// plug-in asks for it. For the worker thread alone; no sockets but the Connection it is given.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/link/connection.hpp"
#include "core/region.hpp"

namespace segue::plugin {

// A way to fill the gap, with all its audio.
struct Delivered {
    std::int64_t candidate = 0;
    std::int64_t rank = 1;
    std::string method;
    std::string how;
    std::optional<double> score;
    std::optional<std::int64_t> seed;
    Audio audio;
};

struct JobAccepted {
    std::int64_t waiting = 0;  // jobs before this one
};
struct JobBusy {
    double retry_after = 0.0;  // seconds
    std::string message;
};
struct JobProgress {
    std::string stage;
    double fraction = 0.0;
    std::optional<double> seconds_left;
    std::string message;
};
struct JobResult {
    std::vector<std::int64_t> ranking;             // candidates, best first; all were delivered
    std::map<std::int64_t, std::string> recipes;  // by candidate
    std::string report;
};
struct JobCancelled {
    std::string message;
};

// After busy, result, cancelled and failure the job is over.
using JobEvent =
    std::variant<JobAccepted, JobBusy, JobProgress, Delivered, JobResult, JobCancelled, protocol::Failure>;

// Random: new for each job of all clients.
[[nodiscard]] std::string new_job_id();

class JobExchange {
public:
    // `streams` are the audio of `submit.streams`, by number.
    JobExchange(protocol::Submit submit, std::vector<std::shared_ptr<const Audio>> streams);

    // Sends SUBMIT. A failure: nothing was sent.
    [[nodiscard]] std::optional<protocol::Failure> start(Connection& connection);

    // Sends what credit and socket allow; for each round. A failure: the job is over.
    [[nodiscard]] std::optional<protocol::Failure> pump(Connection& connection, Clock::time_point now);

    // What a message means for this job; nothing, if it is about another one, or another generation.
    [[nodiscard]] std::optional<JobEvent> hear(const Incoming& incoming, Connection& connection);

    // Asks the renderer to stop. What still comes is to be dropped, with this.
    void cancel(Connection& connection);

    [[nodiscard]] std::int64_t generation() const noexcept { return submit_.generation; }
    [[nodiscard]] bool sending() const noexcept { return accepted_ && next_ < cuts_.size(); }
    [[nodiscard]] double sent_fraction() const noexcept;

private:
    struct Cut {
        std::int64_t stream;
        std::int64_t offset;
        std::int64_t samples;
    };
    struct Coming {
        protocol::Candidate about;
        Audio audio;
        std::int64_t received = 0;
    };
    struct Patch {
        std::int64_t start;
        std::int64_t samples;
    };

    [[nodiscard]] bool mine(const protocol::Message& message) const;
    [[nodiscard]] JobEvent accept(const protocol::Accepted& accepted, const Connection& connection);
    [[nodiscard]] bool is_next(std::int64_t number) const;
    [[nodiscard]] std::optional<JobEvent> begin_candidate(const protocol::Candidate& candidate, Connection& connection);
    [[nodiscard]] std::optional<JobEvent> take_chunk(const protocol::Chunk& chunk, const protocol::View& payload,
                                                     Connection& connection);
    [[nodiscard]] JobEvent finish(const protocol::Result& result, const protocol::View& payload);
    [[nodiscard]] JobEvent refuse(const std::string& message, Connection& connection);
    [[nodiscard]] std::optional<protocol::Failure> send_cut(const Cut& cut, Connection& connection);
    void grant(Connection& connection);

    protocol::Submit submit_;
    std::vector<std::shared_ptr<const Audio>> streams_;
    Patch expected_{};  // of every candidate
    std::vector<Cut> cuts_;
    std::size_t next_ = 0;       // of cuts_
    std::int64_t credits_ = 0;   // to send
    std::int64_t allowed_ = 0;   // to receive
    std::int64_t unreturned_ = 0;
    bool accepted_ = false;
    Clock::time_point submitted_{};
    std::map<std::int64_t, Coming> coming_;  // by stream
    std::vector<std::int64_t> delivered_;
    std::map<std::int64_t, std::string> recipes_;
};

}  // namespace segue::plugin
