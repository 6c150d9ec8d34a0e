// Keeps a connection to a renderer: finds it, starts it where it may, shakes hands, and tries again when it is lost.
// For the worker thread alone.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/link/backoff.hpp"
#include "core/link/connection.hpp"
#include "core/link/launcher.hpp"
#include "core/snapshot.hpp"

namespace segue::plugin {

struct LinkSettings {
    std::filesystem::path connection_file;  // empty: where the protocol says
    bool start_renderer = true;
    std::string client;  // name and version, for the renderer's log
};

// Who hears what comes.
class LinkListener {
public:
    virtual ~LinkListener() = default;
    virtual void on_online(const protocol::Welcome& welcome) = 0;
    virtual void on_message(const Incoming& incoming) = 0;
    virtual void on_lost(const protocol::Failure& why) = 0;  // a session that was
};

class Link {
public:
    explicit Link(LinkSettings settings);

    // One round: connects where that is due, and hears what came. Waits at most `wait`, and only while connected.
    // False: there was nothing to wait on, so the caller may.
    bool step(std::chrono::milliseconds wait, LinkListener& listener);

    void reconnect();  // at the next round, and start a renderer even if that failed before
    void close(std::chrono::milliseconds goodbye) noexcept;

    // nullptr: there is no session.
    [[nodiscard]] Connection* online() noexcept {
        return view_.state == LinkState::online ? connection_.get() : nullptr;
    }
    [[nodiscard]] bool take_changed() noexcept { return std::exchange(changed_, false); }
    [[nodiscard]] const LinkView& view() const noexcept { return view_; }

private:
    void attempt(Clock::time_point now);
    void start_or_wait(Clock::time_point now, const protocol::Failure& absent);
    void hear(std::chrono::milliseconds wait, LinkListener& listener);
    void go_offline(Clock::time_point now, const std::string& text, const std::string& remedy);
    void show(LinkState state, std::string text, std::string remedy = {});
    [[nodiscard]] bool file_changed(Clock::time_point now);

    LinkSettings settings_;
    std::filesystem::path file_;
    Launcher launcher_;
    Backoff backoff_;
    std::unique_ptr<Connection> connection_;
    LinkView view_;
    bool changed_ = true;  // view_, since the latest take_changed()
    bool insist_ = false;
    Clock::time_point looked_{};
    std::optional<std::filesystem::file_time_type> written_;  // of the connection file, when it was last tried
};

}  // namespace segue::plugin
