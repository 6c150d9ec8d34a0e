// Starts an installed renderer, once for all instances of all hosts of this user.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "core/link/backoff.hpp"

namespace segue::plugin {

// The program `segue`: what SEGUE_RENDERER names, else on PATH, else in ~/.local/bin, where hosts that were started
// from a desktop do not look. Nothing: not installed.
[[nodiscard]] std::optional<std::filesystem::path> find_renderer();

// Where a renderer that was started here writes what it has to say.
[[nodiscard]] std::filesystem::path renderer_log();

class Launcher {
public:
    static constexpr Seconds patience{60.0};  // for a renderer to become ready; and before another try

    enum class State {
        idle,
        starting,   // by this one
        elsewhere,  // by another instance, or another host
        tried,      // somebody tried less than `patience` ago
        failed,     // why() says how; one that is late may still be loading, and nobody starts another beside it
        missing,    // nothing to start
    };

    // `file`: the connection file that the renderer shall write; its folder gets the lock.
    explicit Launcher(std::filesystem::path file) : file_(std::move(file)) {}
    ~Launcher() { ready(); }  // the renderer goes on
    Launcher(const Launcher&) = delete;
    Launcher& operator=(const Launcher&) = delete;

    // Starts one, unless one is being started, or that failed before; `again`: even then, but never beside one that is
    // late and still loads: that gets its time again.
    State start(bool again);
    // Looks after one that is being started; never waits.
    State watch(Clock::time_point now);
    // A renderer answers: the next one may be started when this one is gone.
    void ready() noexcept;

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] const std::string& why() const noexcept { return why_; }

private:
    State spawn(const std::filesystem::path& program);
    State fail(std::string why);
    void unlock() noexcept;

    std::filesystem::path file_;
    State state_ = State::idle;
    std::string why_;
    int lock_ = -1;  // a file descriptor
    pid_t child_ = -1;
    Clock::time_point started_{};
};

}  // namespace segue::plugin
