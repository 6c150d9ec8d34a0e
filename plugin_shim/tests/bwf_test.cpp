#include "core/bwf.hpp"

#include <doctest/doctest.h>
#include <sndfile.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/lossless.hpp"
#include "folder_double.hpp"
#include "host_double.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;
namespace fs = std::filesystem;

namespace {

const std::chrono::system_clock::time_point noted{std::chrono::seconds(1'795'383'650)};
const BwfAbout about{83'456 * 48, "infill", "generated", noted};

Audio music(float peak = 0.5F) {
    return *round_to_24(*audio_of(sine(440.0, peak, 48'000.0), {0, 10'000}, 48'000.0));
}

// Samples as a DAW reads them, and the chunk "bext".
struct Read {
    SF_INFO info{};
    std::vector<float> left, right;
    SF_BROADCAST_INFO bext{};

    explicit Read(const fs::path& path) {
        SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
        REQUIRE(file != nullptr);
        std::vector<float> all(static_cast<std::size_t>(info.frames * info.channels));
        CHECK(sf_readf_float(file, all.data(), info.frames) == info.frames);
        for (std::size_t i = 0; i < all.size(); i += 2) {
            left.push_back(all[i]);
            right.push_back(all[i + 1]);
        }
        CHECK(sf_command(file, SFC_GET_BROADCAST_INFO, &bext, sizeof bext) == SF_TRUE);
        sf_close(file);
    }
};

template <std::size_t Size>
std::string text(const char (&field)[Size]) {
    return {field, strnlen(field, Size)};
}

}  // namespace

TEST_CASE("a render is a Broadcast Wave file of 24 bits with the heard samples, and its place in the song") {
    const Folder folder;
    const Audio audio = music();
    const Expected<BwfFile> written = write_bwf(folder.path / "renders", audio, about);
    REQUIRE(written);
    CHECK(written->note.empty());
    CHECK(written->path.filename() == "segue 01m23.456s infill 2026-11-22 21-40-50Z.wav");
    const Read read(written->path);
    CHECK(read.info.samplerate == 48'000);
    CHECK(read.info.format == (SF_FORMAT_WAV | SF_FORMAT_PCM_24));
    CHECK(read.left == audio.left);
    CHECK(read.right == audio.right);
    CHECK(read.bext.time_reference_low == 83'456 * 48);
    CHECK(read.bext.time_reference_high == 0);
    CHECK(text(read.bext.originator) == "Segue");
    CHECK(text(read.bext.description) == "Segue infill, generated");
    CHECK(text(read.bext.origination_date) == "2026-11-22");
    CHECK(text(read.bext.origination_time) == "21:40:50");
    CHECK(text(read.bext.coding_history).find("A=PCM,F=48000,W=24,M=stereo,T=Segue; generated\r\n") == 0);
}

TEST_CASE("a position beyond 32 bits is whole in the time reference, as the bytes of the file say") {
    const Folder folder;
    BwfAbout far = about;
    far.position = (std::int64_t{3} << 32) + 17;
    const Expected<BwfFile> written = write_bwf(folder.path, music(), far);
    REQUIRE(written);
    std::ifstream file(written->path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const std::size_t bext = bytes.find("bext");
    REQUIRE(bext != std::string::npos);
    std::uint64_t reference = 0;  // EBU Tech 3285: behind 256 + 32 + 32 + 10 + 8 bytes of text, least byte first
    std::memcpy(&reference, &bytes[bext + 8 + 338], sizeof reference);
    CHECK(reference == (std::uint64_t{3} << 32) + 17);
}

TEST_CASE("audio beyond full scale is written as 32-bit float, sample for sample") {
    const Folder folder;
    const Audio audio = music(3.0F);
    const Expected<BwfFile> written = write_bwf(folder.path, audio, about);
    REQUIRE(written);
    const Read read(written->path);
    CHECK(read.info.format == (SF_FORMAT_WAV | SF_FORMAT_FLOAT));
    CHECK(read.left == audio.left);
}

TEST_CASE("the same render gives the same bytes, under another name: nothing is written over") {
    const Folder folder;
    const Expected<BwfFile> first = write_bwf(folder.path, music(), about);
    const Expected<BwfFile> second = write_bwf(folder.path, music(), about);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(second->path.filename() == "segue 01m23.456s infill 2026-11-22 21-40-50Z (2).wav");
    CHECK(folder.read(first->path) == folder.read(second->path));
    CHECK(folder.names().size() == 2);
}

TEST_CASE("a render before the song's start says that its place cannot be written") {
    const Folder folder;
    BwfAbout early = about;
    early.position = -4'800;
    const Expected<BwfFile> written = write_bwf(folder.path, music(), early);
    REQUIRE(written);
    CHECK(written->note.find("4800 samples before") != std::string::npos);
    CHECK(Read(written->path).bext.time_reference_low == 0);
    CHECK(written->path.filename().string().find("-00m00.100s") != std::string::npos);
}

TEST_CASE("fault 36: a folder that cannot be written to is refused in words, and nothing is left behind") {
    const Folder folder;
    std::ofstream(folder.path / "file") << "kept";
    const Expected<BwfFile> written = write_bwf(folder.path / "file" / "renders", music(), about);
    REQUIRE(!written);
    CHECK(written.error().message.find("was not written") != std::string::npos);
    CHECK(!written.error().remedy.empty());
    CHECK(folder.names() == std::vector<std::string>{"file"});
    CHECK(folder.read(folder.path / "file") == "kept");
    CHECK(!write_bwf("/dev/full/renders", music(), about));
    CHECK(!write_bwf(folder.path, {48'000.0, {}, {}}, about));
}
