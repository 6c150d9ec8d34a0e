// Shows a file in the desktop's file manager.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace segue::plugin::ui {

class FileManager {
public:
    FileManager() = default;
    ~FileManager();
    FileManager(const FileManager&) = delete;
    FileManager& operator=(const FileManager&) = delete;

    // Empty: it was started. Else what went wrong and where the file is. No shell sees the path.
    [[nodiscard]] std::string show(const std::filesystem::path& file);

    // Takes leave of those that have ended; to be called now and then.
    void poll() noexcept;

private:
    std::vector<int> running_;  // process ids
};

}  // namespace segue::plugin::ui
