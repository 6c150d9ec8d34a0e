#include "core/new_file.hpp"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#ifdef _WIN32
#include <io.h>
#include <process.h>
#else
#include <unistd.h>
#endif

namespace segue::plugin {
namespace {

namespace fs = std::filesystem;

constexpr int most_names = 1000;

struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

#ifdef _WIN32
std::FILE* create(const fs::path& path) noexcept { return _wfopen(path.c_str(), L"wbx"); }
bool sync(std::FILE* file) noexcept { return std::fflush(file) == 0 && _commit(_fileno(file)) == 0; }
long process() noexcept { return _getpid(); }
#else
std::FILE* create(const fs::path& path) noexcept { return std::fopen(path.c_str(), "wbx"); }
bool sync(std::FILE* file) noexcept { return std::fflush(file) == 0 && fsync(fileno(file)) == 0; }
long process() noexcept { return getpid(); }
#endif

Refusal failed(const fs::path& path, const std::error_code& why) {
    return refuse("the file " + path.string() + " was not written: " + why.message(),
                  "make room on the disk, or choose a folder that can be written to", protocol::Code::resource);
}

std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

std::error_code write(const fs::path& path, std::string_view bytes) noexcept {
    const std::unique_ptr<std::FILE, CloseFile> file(create(path));
    if (file == nullptr) return last_error();
    const bool whole = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() && sync(file.get());
    return whole ? std::error_code() : last_error();
}

// Gives the file its name, unless that is taken.
std::error_code name_it(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::create_hard_link(from, to, error);  // fails where `to` exists, which rename does not
    if (!error || error == std::errc::file_exists) return error;
    if (fs::exists(to)) return std::make_error_code(std::errc::file_exists);
    fs::rename(from, to, error);  // on disks without hard links
    return error;
}

}  // namespace

Expected<fs::path> write_new_file(const fs::path& folder, const std::string& stem, const std::string& extension,
                                  std::string_view bytes) {
    static std::atomic<unsigned> count{0};
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return failed(folder, error);
    const fs::path part = folder / ("." + std::to_string(process()) + "-" + std::to_string(count++) + ".part");
    error = write(part, bytes);
    fs::path path = folder / (stem + "." + extension);
    for (int number = 1; !error && number <= most_names; ++number) {
        if (number > 1) path = folder / (stem + " (" + std::to_string(number) + ")." + extension);
        error = name_it(part, path);
        if (error != std::errc::file_exists) break;
        if (number < most_names) error.clear();
    }
    std::error_code ignored;
    fs::remove(part, ignored);
    if (error) return failed(path, error);
    return path;
}

}  // namespace segue::plugin
