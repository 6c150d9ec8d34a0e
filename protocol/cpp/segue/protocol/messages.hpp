// The messages, one struct each, as spec.md lists them.
#pragma once

#include <variant>

#include "messages/around.hpp"
#include "messages/final.hpp"
#include "messages/handshake.hpp"
#include "messages/job.hpp"
#include "messages/submit.hpp"

namespace segue::protocol {

using Message =
    std::variant<Hello, Welcome, Submit, Accepted, Busy, Chunk, Credit, Cancel, Progress, Candidate, CandidateRecipe,
                 Result, Failed, Cancelled, Timeout, Error, Ping, Pong, Status, StatusReply, Goodbye>;

}  // namespace segue::protocol

#undef SEGUE_MESSAGE
#undef SEGUE_JOB_MESSAGE
