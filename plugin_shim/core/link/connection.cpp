#include "core/link/connection.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <exception>
#include <type_traits>
#include <utility>

#include "core/link/context.hpp"
#include "segue/protocol.hpp"

namespace segue::plugin {
namespace {

using protocol::Code;
using protocol::Expected;
using protocol::failure;
using protocol::Failure;
using protocol::View;

constexpr int high_water_mark = 16;  // messages, both ways
constexpr Seconds look{0.2};         // how late the worker may look at the clock
constexpr int events = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;

View view_of(const zmq::message_t& frame) noexcept { return {frame.data<std::uint8_t>(), frame.size()}; }

Failure lost(const std::string& message) { return failure(Code::lost, message); }

void set_up(zmq::socket_t& socket, const protocol::ConnectionFile& content) {
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::immediate, true);
    socket.set(zmq::sockopt::ipv6, true);
    socket.set(zmq::sockopt::maxmsgsize, protocol::socket_max_frame_bytes);
    socket.set(zmq::sockopt::sndhwm, high_water_mark);
    socket.set(zmq::sockopt::rcvhwm, high_water_mark);
    socket.set(zmq::sockopt::heartbeat_ivl, protocol::heartbeat_interval_ms);
    socket.set(zmq::sockopt::heartbeat_timeout, protocol::heartbeat_timeout_ms);
    socket.set(zmq::sockopt::curve_serverkey, content.server_public_key);
    socket.set(zmq::sockopt::curve_publickey, content.client_public_key);
    socket.set(zmq::sockopt::curve_secretkey, content.client_secret_key);
}

zmq::socket_t monitor_of(zmq::context_t& context, zmq::socket_t& socket) {
    static std::atomic<std::uint64_t> made{0};  // the name must be new in this process
    const std::string name = "inproc://segue-monitor-" + std::to_string(made.fetch_add(1));
    if (zmq_socket_monitor(socket.handle(), name.c_str(), events) != 0) {
        throw zmq::error_t();
    }
    zmq::socket_t monitor(context, zmq::socket_type::pair);
    monitor.set(zmq::sockopt::linger, 0);
    monitor.connect(name);
    return monitor;
}

std::vector<zmq::message_t> frames_of(const protocol::Sealed& sealed, zmq::message_t payload) {
    std::vector<zmq::message_t> frames;
    frames.reserve(3);
    frames.emplace_back(sealed.seal.data(), sealed.seal.size());
    frames.emplace_back(sealed.header.data(), sealed.header.size());
    if (sealed.payload) {
        frames.push_back(std::move(payload));
    }
    return frames;
}

}  // namespace

Expected<std::unique_ptr<Connection>> Connection::open(const protocol::ConnectionFile& content,
                                                       const std::string& client) {
    try {
        std::unique_ptr<Connection> made(new Connection(content, client));
        made->greet();
        return made;
    } catch (const std::exception& error) {
        return failure(Code::connection, "cannot connect to " + content.endpoint + " (" + error.what() + ")");
    }
}

Connection::Connection(const protocol::ConnectionFile& content, const std::string& client)
    : endpoint_(content.endpoint),
      context_(shared_context()),
      socket_(*context_, zmq::socket_type::dealer),
      session_(std::make_unique<protocol::ClientSession>(content.secret, client)),
      opened_(Clock::now()),
      pinged_(opened_) {
    set_up(socket_, content);
    monitor_ = monitor_of(*context_, socket_);
    socket_.connect(content.endpoint);
}

Connection::~Connection() { zmq_socket_monitor(socket_.handle(), nullptr, 0); }

void Connection::greet() {
    const Expected<protocol::Sealed> hello = session_->hello();
    if (!hello) {
        throw std::runtime_error(hello.error().message);
    }
    unsent_.push_back(frames_of(*hello, {}));
}

std::optional<Failure> Connection::send(const protocol::Message& message, zmq::message_t payload) {
    const std::optional<View> body = payload.size() > 0 ? std::optional<View>(view_of(payload)) : std::nullopt;
    const Expected<protocol::Sealed> sealed = session_->seal(message, body);
    if (!sealed) {
        return sealed.error();
    }
    unsent_.push_back(frames_of(*sealed, std::move(payload)));
    return {};
}

void Connection::flush() {
    while (!unsent_.empty()) {
        Frames& frames = unsent_.front();
        for (std::size_t i = 0; i < frames.size(); ++i) {
            const bool last = i + 1 == frames.size();
            const auto flags = zmq::send_flags::dontwait | (last ? zmq::send_flags::none : zmq::send_flags::sndmore);
            if (!socket_.send(frames[i], flags)) {
                return;  // only the first frame can be refused: the rest of a message goes with it
            }
        }
        unsent_.pop_front();
    }
}

void Connection::push() noexcept {
    try {
        flush();
    } catch (const std::exception&) {
        return;  // receive() meets it again, and says so
    }
}

void Connection::keep_alive(Clock::time_point now) {
    if (welcome_ && !awaited_ && now - pinged_ >= ping_interval) {
        protocol::Ping ping;
        ping.token = ++tokens_;
        send(ping);
        pinged_ = now;
        awaited_ = now;
    }
}

Expected<std::optional<Incoming>> Connection::receive(std::chrono::milliseconds wait) {
    try {
        keep_alive(Clock::now());
        flush();
        const auto wanted = static_cast<short>(ZMQ_POLLIN | (unsent_.empty() ? 0 : ZMQ_POLLOUT));
        std::array<zmq::pollitem_t, 2> items{{{socket_.handle(), 0, wanted, 0}, {monitor_.handle(), 0, ZMQ_POLLIN, 0}}};
        zmq::poll(items.data(), items.size(), wait);
        if ((items[0].revents & ZMQ_POLLOUT) != 0) {
            flush();
        }
        if ((items[0].revents & ZMQ_POLLIN) != 0) {
            return take();
        }
        if ((items[1].revents & ZMQ_POLLIN) != 0) {
            if (auto why = fallen()) {
                return *why;
            }
        }
        if (auto why = silent(Clock::now())) {
            return *why;
        }
        return std::optional<Incoming>();
    } catch (const std::exception& error) {
        return lost(std::string("the connection to the renderer broke (") + error.what() + ")");
    }
}

Expected<std::optional<Incoming>> Connection::take() {
    received_.clear();
    do {
        received_.emplace_back();
        if (!socket_.recv(received_.back(), zmq::recv_flags::dontwait)) {
            return std::optional<Incoming>();
        }
    } while (received_.back().more());
    std::vector<View> views(received_.size());
    std::transform(received_.begin(), received_.end(), views.begin(), view_of);
    Expected<protocol::Received> got = session_->open(views);
    if (!got) {
        if (got.error().code == Code::out_of_order) {
            return lost(got.error().message);
        }
        if (got.error().code == Code::version) {
            return got.error();
        }
        return std::optional<Incoming>();  // not sealed for this session, or a message this version does not know
    }
    awaited_.reset();
    return opened(std::move(got->message), got->payload);
}

Expected<std::optional<Incoming>> Connection::opened(protocol::Message message, const View& payload) {
    if (const auto* welcome = std::get_if<protocol::Welcome>(&message)) {
        welcome_ = *welcome;
    } else if (const auto* error = std::get_if<protocol::Error>(&message); error != nullptr && !welcome_) {
        return failure(protocol::code_named(error->code), error->message, error->remedy);
    } else if (const auto* goodbye = std::get_if<protocol::Goodbye>(&message)) {
        return lost("the renderer said goodbye: " + goodbye->reason);
    } else if (std::holds_alternative<protocol::Pong>(message)) {
        return std::optional<Incoming>();
    }
    return std::optional<Incoming>(Incoming{std::move(message), payload});
}

std::optional<Failure> Connection::fallen() {
    zmq::message_t about;
    zmq::message_t address;
    if (!monitor_.recv(about, zmq::recv_flags::dontwait) || about.size() < sizeof(std::uint16_t)) {
        return {};
    }
    if (about.more()) {
        (void)monitor_.recv(address, zmq::recv_flags::dontwait);
    }
    std::uint16_t event = 0;
    std::memcpy(&event, about.data(), sizeof event);
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
        return failure(Code::connection, "expected a key the renderer knows, this connection file's was refused",
                       "have a new one made: segue keys add NAME, on the renderer's machine");
    }
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL) {
        return failure(Code::connection, "expected the renderer this connection file was made by, another one answers");
    }
    if (welcome_) {
        return lost("the connection to the renderer was lost");
    }
    return {};
}

std::optional<Failure> Connection::silent(Clock::time_point now) const {
    if (!welcome_ && now - opened_ > lost_after) {
        return failure(Code::connection, "expected an answer from " + endpoint_ + " within 3 s, got none",
                       "see that the renderer runs (segue status on its machine), that its port can be reached from "
                       "here, and that this connection file is its present one");
    }
    // so that it is known in time, whether it was being asked when it fell silent or not
    if (awaited_ && now - *awaited_ > lost_after - ping_interval - look) {
        return lost("expected an answer within 3 s, the renderer is silent");
    }
    return {};
}

void Connection::say_goodbye(std::chrono::milliseconds most) noexcept {
    try {
        if (welcome_) {
            send(protocol::Goodbye{});
            flush();
            socket_.set(zmq::sockopt::linger, static_cast<int>(most.count()));
        }
    } catch (const std::exception&) {
        return;  // it finds out by itself that this connection ends
    }
}

}  // namespace segue::plugin
