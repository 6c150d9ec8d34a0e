#include "ui/reveal.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

using namespace segue::plugin::ui;

#if !defined(_WIN32) && !defined(__APPLE__)

namespace {

// A folder of its own, first and only in PATH, until the end of the test.
class OwnPath {
public:
    OwnPath() {
        std::string pattern = (std::filesystem::temp_directory_path() / "segue-reveal-XXXXXX").string();
        REQUIRE(mkdtemp(pattern.data()) != nullptr);
        folder = pattern;
        if (const char* before = std::getenv("PATH")) before_ = before;
        setenv("PATH", folder.c_str(), 1);
    }
    ~OwnPath() {
        setenv("PATH", before_.c_str(), 1);
        std::filesystem::remove_all(folder);
    }

    std::filesystem::path folder;

private:
    std::string before_;
};

}  // namespace

TEST_CASE("a file is revealed by its folder's path, whatever characters that has, and no shell reads it") {
    OwnPath path;
    const std::filesystem::path told = path.folder / "told";
    REQUIRE(mkfifo(told.c_str(), 0600) == 0);
    std::ofstream script(path.folder / "xdg-open");
    script << "#!/bin/sh\nprintf '%s' \"$1\" > '" << told.string() << "'\n";
    script.close();
    std::filesystem::permissions(path.folder / "xdg-open", std::filesystem::perms::owner_all);

    const std::filesystem::path odd = path.folder / "a'; touch hacked; \"$(touch hacked)\" b";
    FileManager manager;
    CHECK(manager.show(odd / "render.wav").empty());
    std::ostringstream heard;
    heard << std::ifstream(told).rdbuf();  // waits until the process writes
    CHECK(heard.str() == odd.string());
    CHECK_FALSE(std::filesystem::exists("hacked"));
}

TEST_CASE("where there is no file manager, the answer says so and where the file is") {
    OwnPath path;
    FileManager manager;
    const std::string answer = manager.show("/music/render.wav");
    CHECK(answer.find("xdg-open") != std::string::npos);
    CHECK(answer.find("/music/render.wav") != std::string::npos);
}

#endif
