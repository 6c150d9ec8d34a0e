// One socket and one session with a renderer, as protocol/spec.md says. For the worker thread alone; nothing here
// waits longer than it is told, and no exception gets out.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <zmq.hpp>

#include "core/link/backoff.hpp"
#include "segue/protocol/connection_file.hpp"
#include "segue/protocol/messages.hpp"

namespace segue::protocol {
class ClientSession;
}

namespace segue::plugin {

struct Incoming {
    protocol::Message message;
    protocol::View payload;  // until the next call of receive()
};

class Connection {
public:
    // From protocol/spec.md, section 5. ZeroMQ's heartbeats are quicker on an idle connection, but do not come through
    // one that is full.
    static constexpr Seconds ping_interval{0.5};
    static constexpr Seconds lost_after{3.0};

    // Begins to connect. `client`: name and version, for the renderer's log.
    [[nodiscard]] static protocol::Expected<std::unique_ptr<Connection>> open(const protocol::ConnectionFile& content,
                                                                              const std::string& client);
    ~Connection();  // at once: what was not sent is dropped
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // The next message, if one comes within `wait`; WELCOME is the first. Sends what waits and keeps the session alive.
    // A failure means that the connection is over: CONNECTION, VERSION or BUSY before WELCOME, LOST after it.
    [[nodiscard]] protocol::Expected<std::optional<Incoming>> receive(std::chrono::milliseconds wait);

    // Sends, or keeps it until the socket takes it. A failure: this is no message of the protocol, and nothing is sent.
    std::optional<protocol::Failure> send(const protocol::Message& message, zmq::message_t payload = {});

    // Sends what waits, as far as the socket takes it.
    void push() noexcept;

    // Whether all that was given to send() is on its way.
    [[nodiscard]] bool clear() const noexcept { return unsent_.empty(); }

    // What WELCOME said; nothing before it came.
    [[nodiscard]] const std::optional<protocol::Welcome>& welcome() const noexcept { return welcome_; }

    // Tells the renderer, as far as it can be told within `most`.
    void say_goodbye(std::chrono::milliseconds most) noexcept;

private:
    using Frames = std::vector<zmq::message_t>;

    Connection(const protocol::ConnectionFile& content, const std::string& client);
    void greet();
    void keep_alive(Clock::time_point now);
    void flush();
    [[nodiscard]] protocol::Expected<std::optional<Incoming>> take();
    [[nodiscard]] protocol::Expected<std::optional<Incoming>> opened(protocol::Message message,
                                                                     const protocol::View& payload);
    [[nodiscard]] std::optional<protocol::Failure> fallen();
    [[nodiscard]] std::optional<protocol::Failure> silent(Clock::time_point now) const;

    std::string endpoint_;
    std::shared_ptr<zmq::context_t> context_;  // outlives the sockets below
    zmq::socket_t socket_;
    zmq::socket_t monitor_;
    std::unique_ptr<protocol::ClientSession> session_;
    std::deque<Frames> unsent_;
    Frames received_;
    std::optional<protocol::Welcome> welcome_;
    Clock::time_point opened_;
    Clock::time_point pinged_;
    std::optional<Clock::time_point> awaited_;  // since when an answer to PING is awaited
    std::int64_t tokens_ = 0;
};

}  // namespace segue::plugin
