// One ZeroMQ context for all instances of a process, for as long as one of them has a connection.
#pragma once

#include <memory>

#include <zmq.hpp>

namespace segue::plugin {

[[nodiscard]] std::shared_ptr<zmq::context_t> shared_context();

}  // namespace segue::plugin
