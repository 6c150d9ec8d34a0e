#include "core/link/launcher.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

#include "segue/protocol/environment.hpp"

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace segue::plugin {
namespace {

namespace fs = std::filesystem;

using protocol::variable;

bool is_program(const fs::path& path) {
    std::error_code none;
    return fs::is_regular_file(path, none) && ::access(path.c_str(), X_OK) == 0;
}

// Of posix_spawn's two argument objects.
class SpawnPlan {
public:
    explicit SpawnPlan(const fs::path& log) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawnattr_init(&attributes_);
        posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions_, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        posix_spawn_file_actions_adddup2(&actions_, 1, 2);
        // the host's sound device, sockets and files are no business of a renderer that outlives it
        short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
        posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
#elif defined(POSIX_SPAWN_CLOEXEC_DEFAULT)
        flags = static_cast<short>(flags | POSIX_SPAWN_CLOEXEC_DEFAULT);
#endif
        flags = static_cast<short>(flags | POSIX_SPAWN_SETSID);
        sigset_t set;
        sigemptyset(&set);
        posix_spawnattr_setsigmask(&attributes_, &set);
        sigfillset(&set);
        posix_spawnattr_setsigdefault(&attributes_, &set);
        posix_spawnattr_setflags(&attributes_, flags);
    }
    ~SpawnPlan() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    [[nodiscard]] const posix_spawn_file_actions_t* actions() const noexcept { return &actions_; }
    [[nodiscard]] const posix_spawnattr_t* attributes() const noexcept { return &attributes_; }

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

}  // namespace

std::optional<fs::path> find_renderer() {
    if (const std::string named = variable("SEGUE_RENDERER"); !named.empty()) {
        return is_program(named) ? std::optional<fs::path>(named) : std::nullopt;
    }
    const std::string all = variable("PATH");
    for (std::string_view rest = all; !rest.empty();) {
        const std::size_t end = std::min(rest.find(':'), rest.size());
        const fs::path candidate = fs::path(rest.substr(0, end)) / "segue";
        if (candidate.is_absolute() && is_program(candidate)) {
            return candidate;
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    const fs::path own = fs::path(variable("HOME")) / ".local/bin/segue";
    return own.is_absolute() && is_program(own) ? std::optional<fs::path>(own) : std::nullopt;
}

fs::path renderer_log() {
    const std::string state = variable("XDG_STATE_HOME");
    return (state.empty() ? fs::path(variable("HOME")) / ".local/state" : fs::path(state)) / "segue/renderer.log";
}

Launcher::State Launcher::start(bool again) {
    if (state_ == State::starting || (!again && (state_ == State::failed || state_ == State::tried))) {
        return state_;
    }
    if (lock_ >= 0) {  // it is late, and has not ended
        started_ = Clock::now();
        return state_ = State::starting;
    }
    const std::optional<fs::path> program = find_renderer();
    if (!program) {
        return state_ = State::missing;
    }
    std::error_code failed;
    for (const fs::path& folder : {file_.parent_path(), renderer_log().parent_path()}) {
        if (!folder.empty() && fs::create_directories(folder, failed)) {
            ::chmod(folder.c_str(), 0700);
        }
    }
    const fs::path name = fs::path(file_).replace_extension(".starting");
    lock_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_ < 0) {
        return fail("cannot write " + name.string() + " (" + std::strerror(errno) + ")");
    }
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
        unlock();
        return state_ = State::elsewhere;
    }
    struct stat last {};
    if (!again && ::fstat(lock_, &last) == 0 && last.st_size > 0 &&
        std::time(nullptr) - last.st_mtime < static_cast<std::time_t>(patience.count())) {
        unlock();
        return state_ = State::tried;
    }
    return spawn(*program);
}

Launcher::State Launcher::spawn(const fs::path& program) {
    std::string path = program.string();
    std::string verb = "serve";
    std::string option = "--connection-file";
    std::string value = file_.string();
    const std::array<char*, 5> arguments{path.data(), verb.data(), option.data(), value.data(), nullptr};
    const SpawnPlan plan(renderer_log());
    const int refused =
        ::posix_spawn(&child_, path.c_str(), plan.actions(), plan.attributes(), arguments.data(), environ);
    if (refused != 0) {
        child_ = -1;
        return fail("cannot start " + path + " (" + std::strerror(refused) + ")");
    }
    // its age tells others of a try that came to nothing
    if (::ftruncate(lock_, 0) != 0 || ::pwrite(lock_, "1\n", 2, 0) != 2) {
        return fail(std::string("cannot write into the folder of the connection file (") + std::strerror(errno) + ")");
    }
    started_ = Clock::now();
    return state_ = State::starting;
}

Launcher::State Launcher::watch(Clock::time_point now) {
    int status = 0;
    if (child_ > 0 && ::waitpid(child_, &status, WNOHANG) == child_) {
        child_ = -1;
        if (lock_ >= 0) {
            return fail("the renderer ended before it was ready; " + renderer_log().string() + " says why");
        }
    }
    if (state_ == State::starting && now - started_ > patience) {
        why_ = "the renderer was started but is not ready; see " + renderer_log().string();
        state_ = State::failed;  // the lock stays: it may only be slow
    }
    return state_;
}

void Launcher::ready() noexcept {
    if (lock_ >= 0 && ::ftruncate(lock_, 0) != 0) {
        ::unlink(fs::path(file_).replace_extension(".starting").c_str());  // either way: not a try that failed
    }
    unlock();
    state_ = State::idle;
}

Launcher::State Launcher::fail(std::string why) {
    why_ = std::move(why);
    unlock();
    return state_ = State::failed;
}

void Launcher::unlock() noexcept {
    if (lock_ >= 0) {
        ::close(lock_);
        lock_ = -1;
    }
}

}  // namespace segue::plugin
