// What a test sets around a process: files with their permissions, environment variables that come back; and waiting
// for what another thread or process does.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

namespace segue::plugin::testing {

inline std::filesystem::path write_file(const std::filesystem::path& file, const std::string& text, unsigned mode) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    std::filesystem::permissions(file, static_cast<std::filesystem::perms>(mode));
    return file;
}

// An environment variable; empty: not set.
class Variable {
public:
    Variable(const char* name, const std::string& value) : name_(name) {
        if (const char* before = std::getenv(name)) before_ = before;
        set(value.empty() ? std::nullopt : std::optional<std::string>(value));
    }
    ~Variable() { set(before_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    void set(const std::optional<std::string>& value) const {
        if (value) {
            ::setenv(name_, value->c_str(), 1);
        } else {
            ::unsetenv(name_);
        }
    }

    const char* name_;
    std::optional<std::string> before_;
};

// Whether `condition` becomes true within `seconds`; `step` is done in between.
template <class Condition, class Step>
bool until(Condition&& condition, double seconds, Step&& step) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        step();
    }
    return true;
}

template <class Condition>
bool until(Condition&& condition, double seconds) {
    return until(condition, seconds, [] { std::this_thread::sleep_for(std::chrono::milliseconds(2)); });
}

class Stopwatch {
public:
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    }

private:
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// The least of the seconds that three tries of `take` give: what it takes where nothing else wants the processor.
template <class Take>
double quickest(Take&& take) {
    double least = take();
    for (int i = 0; i < 2; ++i) least = std::min(least, take());
    return least;
}

}  // namespace segue::plugin::testing
