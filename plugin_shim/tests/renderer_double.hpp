// The other end of the wire, for what no real renderer does: silence, other versions, answers that nobody asked for.
#pragma once

#include <sodium.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <zmq.hpp>

#include "segue/protocol.hpp"
#include "surroundings.hpp"

namespace segue::plugin::testing {

class RendererDouble {
public:
    // Hears each message of a session, on the double's own thread, and may say() something.
    using Ear = std::function<void(RendererDouble&, const protocol::Message&)>;

    std::atomic<bool> greets{true};  // answers HELLO
    std::atomic<bool> lives{true};   // answers PING
    std::atomic<bool> other_version{false};
    std::atomic<int> hellos{0};
    std::vector<std::string> presets;  // that it lists; to be set before anybody greets it

    explicit RendererDouble(const std::filesystem::path& folder, Ear ear = {})
        : file(folder / "connection.json"), ear_(std::move(ear)) {
        zmq_curve_keypair(server_public_.data(), server_secret_.data());
        zmq_curve_keypair(client_public_.data(), client_secret_.data());
        if (sodium_init() < 0) std::abort();
        randombytes_buf(secret_.data(), secret_.size());
        socket_.set(zmq::sockopt::curve_server, true);
        socket_.set(zmq::sockopt::curve_secretkey, std::string(server_secret_.data()));
        socket_.set(zmq::sockopt::linger, 0);
        socket_.bind("ipc://" + (folder / "socket").string());
        publish();
        thread_ = std::thread([this] { run(); });
    }
    ~RendererDouble() {
        stop_ = true;
        thread_.join();
    }
    RendererDouble(const RendererDouble&) = delete;
    RendererDouble& operator=(const RendererDouble&) = delete;

    // Writes the connection file, as of process `pid` and with a field replaced.
    void publish(std::optional<long> pid = {}, const std::string& protocol = "1.0", unsigned mode = 0600) {
        const long owner = pid.value_or(getpid());
        char host[256] = {};
        gethostname(host, sizeof host - 1);
        std::string hex(2 * secret_.size() + 1, '\0');
        sodium_bin2hex(hex.data(), hex.size(), secret_.data(), secret_.size());
        hex.pop_back();
        const auto text = [](const char* name, const std::string& value) {
            return "\"" + std::string(name) + "\": \"" + value + "\", ";
        };
        write_file(file,
                   "{" + text("protocol", protocol) + text("renderer", "9.9") +
                       text("endpoint", socket_.get(zmq::sockopt::last_endpoint)) +
                       text("server_public_key", server_public_.data()) +
                       text("client_public_key", client_public_.data()) +
                       text("client_secret_key", client_secret_.data()) + text("secret", hex) + text("host", host) +
                       text("started", protocol::detail::started_of(owner)) + "\"pid\": " + std::to_string(owner) +
                       ", \"created\": 1}",
                   mode);
    }

    // In the session; from the ear only.
    template <class Type>
    void say(const Type& message, std::optional<protocol::View> payload = {}) {
        const auto sealed = channel_->seal(message, payload);
        if (!sealed) throw std::logic_error(sealed.error().message);
        send(*sealed);
    }

    const std::filesystem::path file;

private:
    using Frames = std::vector<zmq::message_t>;

    void send(const protocol::Sealed& sealed) {
        const std::vector<protocol::View> frames = sealed.frames();
        socket_.send(zmq::message_t(peer_.data(), peer_.size()), zmq::send_flags::sndmore);
        for (std::size_t i = 0; i < frames.size(); ++i) {
            socket_.send(zmq::message_t(frames[i].data, frames[i].size),
                         i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
        }
    }

    void run() {
        while (!stop_) {
            zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
            zmq::poll(&item, 1, std::chrono::milliseconds(5));
            if ((item.revents & ZMQ_POLLIN) == 0) continue;
            Frames frames;
            do {
                frames.emplace_back();
                (void)socket_.recv(frames.back());
            } while (frames.back().more());
            hear(frames);
        }
    }

    void hear(const Frames& frames) {
        std::vector<protocol::View> views;
        for (std::size_t i = 1; i < frames.size(); ++i) {
            views.push_back({frames[i].data<std::uint8_t>(), frames[i].size()});
        }
        if (channel_) {
            const auto received = channel_->open(views);
            if (received) return answer(received->message);
        }
        const auto opened = protocol::parse(views.data() + 1, views.size() - 1, protocol::Sender::client);
        if (!opened) return;
        if (const auto* hello = std::get_if<protocol::Hello>(&opened->message)) greet(*hello, frames[0].to_string());
    }

    void greet(const protocol::Hello& hello, const std::string& peer) {
        ++hellos;
        if (!greets) return;
        peer_ = peer;
        const protocol::Key handshake = protocol::handshake_key(secret_);
        if (other_version) {
            protocol::Error error;
            error.code = "VERSION";
            error.message = "expected protocol 2.x, the other side speaks 1.0";
            error.remedy = "install the plug-in and the renderer from the same release";
            error.nonce = hello.nonce;
            return send(*protocol::detail::sealed(handshake, protocol::Sender::renderer, 0, protocol::pack(error)));
        }
        protocol::Welcome welcome;
        randombytes_buf(welcome.nonce.data(), welcome.nonce.size());
        welcome.client_nonce = hello.nonce;
        welcome.renderer = "9.9";
        welcome.tasks = {"infill", "regenerate"};
        welcome.presets = presets;
        welcome.limits = {std::int64_t{1} << 30, 1200.0, 8, std::int64_t{1} << 20, 100, 4, 8};
        send(*protocol::detail::sealed(handshake, protocol::Sender::renderer, 0, protocol::pack(welcome)));
        channel_.emplace(protocol::session_key(secret_, hello.nonce, welcome.nonce), protocol::Sender::renderer);
    }

    void answer(const protocol::Message& message) {
        if (const auto* ping = std::get_if<protocol::Ping>(&message)) {
            if (!lives) return;
            protocol::Pong pong;
            pong.token = ping->token;
            say(pong);
        } else if (ear_) {
            ear_(*this, message);
        }
    }

    using Text = std::array<char, 41>;  // a key in Z85

    Text server_public_{}, server_secret_{}, client_public_{}, client_secret_{};
    protocol::Secret secret_{};
    zmq::context_t context_{1};
    zmq::socket_t socket_{context_, zmq::socket_type::router};
    Ear ear_;
    std::string peer_;
    std::optional<protocol::Channel> channel_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

// Fills the common fields of a message about the job of a SUBMIT or CHUNK.
template <class Type, class About>
Type about(const About& job) {
    Type message;
    message.job = job.job;
    message.generation = job.generation;
    return message;
}

}  // namespace segue::plugin::testing
