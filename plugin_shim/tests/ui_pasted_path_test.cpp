#include "ui/pasted_path.hpp"

#include <doctest/doctest.h>

using namespace segue::plugin::ui;

TEST_CASE("a file is found in what file managers copy") {
    CHECK(pasted_path("/music/song.wav") == "/music/song.wav");
    CHECK(pasted_path("file:///music/rough%20mix%203.wav\r\n") == "/music/rough mix 3.wav");
    CHECK(pasted_path("copy\nfile:///music/song.wav\nfile:///music/other.wav") == "/music/song.wav");
    CHECK(pasted_path("# comment\r\nfile://localhost/a.flac\r\n") == "/a.flac");
    CHECK(pasted_path("file:///m%C3%BCsik/a%25b.wav") == std::filesystem::u8path("/m\xC3\xBCsik/a%b.wav"));
}

TEST_CASE("what is no file of this machine is not taken for one") {
    for (const char* text : {"", "\n\n", "song.wav", "https://example.org/a.wav", "file://nas/music/a.wav",
                             "file:///a%2", "file:///a%zz.wav", "file:///a%00b.wav", "file://", "hello world"}) {
        CAPTURE(text);
        CHECK_FALSE(pasted_path(text).has_value());
    }
}
