#include "ui/reveal.hpp"

#ifdef _WIN32
// the order matters: shellapi.h needs windows.h
#include <windows.h>
#include <shellapi.h>
#else
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

extern char** environ;
#endif

namespace segue::plugin::ui {

#ifdef _WIN32

FileManager::~FileManager() = default;

void FileManager::poll() noexcept {}

std::string FileManager::show(const std::filesystem::path& file) {
    // quotes cannot be part of a Windows path
    const std::wstring what = L"/select,\"" + file.wstring() + L"\"";
    const auto told = reinterpret_cast<INT_PTR>(
        ShellExecuteW(nullptr, L"open", L"explorer.exe", what.c_str(), nullptr, SW_SHOWNORMAL));
    if (told > 32) return {};
    return "The file manager could not be started. The file is " + file.u8string();
}

#else

namespace {

#ifdef __APPLE__
std::vector<std::string> command_of(const std::filesystem::path& file) { return {"open", "-R", file.string()}; }
#else
// xdg-open knows folders, not how to point at a file in one.
std::vector<std::string> command_of(const std::filesystem::path& file) {
    std::error_code unused;
    return {"xdg-open", (std::filesystem::is_directory(file, unused) ? file : file.parent_path()).string()};
}
#endif

// What a child must not take over from a host: its blocked signals and its standard input.
class SpawnSettings {
public:
    SpawnSettings() {
        posix_spawnattr_init(&attributes_);
        posix_spawn_file_actions_init(&files_);
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
        posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }
    ~SpawnSettings() {
        posix_spawnattr_destroy(&attributes_);
        posix_spawn_file_actions_destroy(&files_);
    }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;

    [[nodiscard]] const posix_spawnattr_t* attributes() const noexcept { return &attributes_; }
    [[nodiscard]] const posix_spawn_file_actions_t* files() const noexcept { return &files_; }

private:
    posix_spawnattr_t attributes_{};
    posix_spawn_file_actions_t files_{};
};

}  // namespace

// One that still runs is the desktop's, not ours: it is left alone.
FileManager::~FileManager() { poll(); }

void FileManager::poll() noexcept {
    const auto ended = [](int process) { return waitpid(process, nullptr, WNOHANG) != 0; };
    running_.erase(std::remove_if(running_.begin(), running_.end(), ended), running_.end());
}

std::string FileManager::show(const std::filesystem::path& file) {
    std::vector<std::string> words = command_of(file);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const SpawnSettings settings;
    pid_t process = 0;
    const int error =
        posix_spawnp(&process, arguments[0], settings.files(), settings.attributes(), arguments.data(), environ);
    if (error == 0) {
        running_.push_back(process);
        return {};
    }
    return words[0] + " could not be started (" + std::strerror(error) + "). The file is " + file.string();
}

#endif

}  // namespace segue::plugin::ui
