#include "core/link/link.hpp"

#include <utility>

#include "core/refusal.hpp"

namespace segue::plugin {
namespace {

using protocol::Code;
using protocol::Failure;

constexpr Seconds look_interval{0.25};  // between looks at a file, or at a renderer that starts
constexpr int burst = 32;               // messages a round

std::optional<std::filesystem::file_time_type> written_at(const std::filesystem::path& file) {
    std::error_code none;
    const auto time = std::filesystem::last_write_time(file, none);
    return none ? std::nullopt : std::optional<std::filesystem::file_time_type>(time);
}

// One line without a path for the status; the remedy has the rest.
std::string in_short(const Failure& why) {
    switch (why.code) {
        case Code::version: return "offline: plug-in and renderer are of different releases";
        case Code::busy: return "offline: the renderer has no place for another client";
        case Code::connection: return "offline: the connection file is refused";
        default: return "offline: the renderer is gone";
    }
}

}  // namespace

Link::Link(LinkSettings settings)
    : settings_(std::move(settings)),
      file_(settings_.connection_file.empty() ? std::filesystem::path(protocol::default_path())
                                              : settings_.connection_file),
      launcher_(file_) {}

bool Link::step(std::chrono::milliseconds wait, LinkListener& listener) {
    const Clock::time_point now = Clock::now();
    launcher_.watch(now);
    if (connection_) {
        hear(wait, listener);
        return true;
    }
    if (file_changed(now)) {
        backoff_.reset();
    }
    if (insist_ || backoff_.due(now)) {
        attempt(now);
    }
    return false;
}

void Link::reconnect() {
    insist_ = true;
    backoff_.reset();
}

void Link::close(std::chrono::milliseconds goodbye) noexcept {
    if (connection_) {
        connection_->say_goodbye(goodbye);
        connection_.reset();
    }
}

bool Link::file_changed(Clock::time_point now) {
    if (now - looked_ < look_interval) {
        return false;
    }
    looked_ = now;
    const auto written = written_at(file_);
    return written && written != written_;
}

void Link::attempt(Clock::time_point now) {
    written_ = written_at(file_);
    const protocol::Expected<protocol::ConnectionFile> content = protocol::read_connection_file(file_.string(), true);
    if (!content) {
        std::error_code none;
        if (content.error().code == Code::connection && !std::filesystem::exists(file_, none)) {
            start_or_wait(now, protocol::failure(Code::connection, "offline: no renderer runs"));
        } else {
            go_offline(now, in_short(content.error()), words_of(content.error()));
        }
        return;
    }
    if (protocol::owner_of(*content) == protocol::Owner::gone) {
        start_or_wait(now, protocol::failure(Code::connection, "offline: the renderer has ended"));
        return;
    }
    auto opened = Connection::open(*content, settings_.client);
    if (!opened) {
        go_offline(now, "offline: no connection to the renderer", words_of(opened.error()));
        return;
    }
    connection_ = std::move(*opened);
    show(LinkState::connecting, "connecting to renderer " + content->renderer);
}

void Link::start_or_wait(Clock::time_point now, const Failure& absent) {
    const std::string by_hand = "start one: segue serve, or copy a renderer's connection file to " + file_.string();
    if (!settings_.start_renderer) {
        go_offline(now, absent.message, by_hand);
        return;
    }
    switch (launcher_.start(std::exchange(insist_, false))) {
        case Launcher::State::starting:
        case Launcher::State::elsewhere:
            backoff_.wait_at_least(now, look_interval);
            show(LinkState::starting, "starting the renderer");
            break;
        case Launcher::State::missing:
            go_offline(now, absent.message + ", and none is installed here",
                       "install it: pip install segue, or name its program in SEGUE_RENDERER, or copy a renderer's "
                       "connection file to " + file_.string());
            break;
        case Launcher::State::failed:
            go_offline(now, "offline: the renderer does not start", launcher_.why() + "; then press Reconnect");
            break;
        case Launcher::State::tried:
        case Launcher::State::idle:
            go_offline(now, absent.message + ", and starting one failed",
                       renderer_log().string() + " says why; then press Reconnect, or " + by_hand);
            break;
    }
}

void Link::hear(std::chrono::milliseconds wait, LinkListener& listener) {
    for (int count = 0; count < burst && connection_; ++count) {
        const auto received = connection_->receive(count == 0 ? wait : std::chrono::milliseconds(0));
        if (!received) {
            const Failure why = received.error();
            const bool was_online = view_.state == LinkState::online;
            connection_.reset();
            const bool unanswered = !was_online && why.code == Code::connection;
            go_offline(Clock::now(), unanswered ? "offline: no renderer answers" : in_short(why), words_of(why));
            if (was_online) {
                listener.on_lost(why);
            }
            return;
        }
        if (!*received) {
            return;
        }
        if (const auto* welcome = std::get_if<protocol::Welcome>(&(*received)->message)) {
            backoff_.reset();
            launcher_.ready();
            insist_ = false;
            show(LinkState::online, "online: renderer " + welcome->renderer);
            view_.renderer = welcome->renderer;
            view_.tasks = welcome->tasks;
            view_.presets = welcome->presets;
            listener.on_online(*welcome);
        } else {
            listener.on_message(**received);
        }
    }
}

void Link::go_offline(Clock::time_point now, const std::string& text, const std::string& remedy) {
    insist_ = false;
    backoff_.failed(now);
    show(LinkState::offline, text, remedy);
}

void Link::show(LinkState state, std::string text, std::string remedy) {
    view_.state = state;
    view_.text = std::move(text);
    view_.remedy = std::move(remedy);
    changed_ = true;
}

}  // namespace segue::plugin
