#include "core/audio_file.hpp"

#include <doctest/doctest.h>
#include <sndfile.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "folder_double.hpp"
#include "host_double.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;
namespace fs = std::filesystem;

namespace {

// Interleaved frames of a tone, one a channel.
std::vector<float> tone(std::int64_t frames, int channels) {
    const Signal signal = sine(440.0, 0.5, 48'000.0);
    std::vector<float> samples;
    for (std::int64_t i = 0; i < frames; ++i) {
        for (int channel = 0; channel < channels; ++channel) samples.push_back(signal(channel, i));
    }
    return samples;
}

fs::path written(const Folder& folder, const std::string& name, int format, const std::vector<float>& samples,
                 int channels = 2, int rate = 48'000) {
    SF_INFO about{};
    about.samplerate = rate;
    about.channels = channels;
    about.format = format;
    SNDFILE* file = sf_open((folder.path / name).c_str(), SFM_WRITE, &about);
    REQUIRE(file != nullptr);
    const auto frames = static_cast<sf_count_t>(samples.size()) / channels;
    CHECK(sf_writef_float(file, samples.data(), frames) == frames);
    sf_close(file);
    return folder.path / name;
}

std::string refusal(const fs::path& path) {
    const Expected<Audio> audio = read_audio_file(path);
    if (audio) return {};
    CHECK(!audio.error().remedy.empty());
    return audio.error().message;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Kind {
    std::string name;
    int format;
    double tolerance;
};

const Kind kinds[] = {
    {"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1e-4},  {"b.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 0.0},
    {"c.wav", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, 1e-6}, {"d.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_24, 1e-6},
    {"e.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 1e-6}, {"f.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 0.05},
    {"g.w64", SF_FORMAT_W64 | SF_FORMAT_FLOAT, 0.0},     {"h.caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16, 1e-4},
    {"i.rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_24, 1e-6},
};

}  // namespace

TEST_CASE("files of every kind are read, in stereo and in mono on both channels") {
    const Folder folder;
    for (const Kind& kind : kinds) {
        for (const int channels : {1, 2}) {
            CAPTURE(kind.name);
            CAPTURE(channels);
            const std::vector<float> samples = tone(20'000, channels);
            const Expected<Audio> audio = read_audio_file(written(folder, kind.name, kind.format, samples, channels));
            if (!audio) FAIL(audio.error().message);
            CHECK(audio->rate == 48'000.0);
            REQUIRE(audio->frames() == 20'000);
            REQUIRE(audio->right.size() == 20'000);
            double off = 0.0;
            for (std::size_t i = 0; i < 20'000; ++i) {
                const std::size_t first = i * static_cast<std::size_t>(channels);
                const double left = samples[first], right = samples[first + static_cast<std::size_t>(channels - 1)];
                off = std::max({off, std::abs(audio->left[i] - left), std::abs(audio->right[i] - right)});
            }
            CHECK(off <= kind.tolerance);
        }
    }
}

TEST_CASE("fault 35: a file that was cut off anywhere is refused, never read as a shorter one") {
    const Folder folder;
    for (const Kind& kind : kinds) {
        const std::string bytes = Folder::read(written(folder, kind.name, kind.format, tone(20'000, 2)));
        for (int part = 0; part < 40; ++part) {
            const std::size_t size = part == 39 ? bytes.size() - 1 : bytes.size() * static_cast<std::size_t>(part) / 39;
            CAPTURE(kind.name);
            CAPTURE(size);
            const fs::path cut = folder.write("cut", bytes.substr(0, size));
            CHECK(!refusal(cut).empty());
        }
    }
}

TEST_CASE("fault 35: a header that declares more than there is, or was never filled in, is refused at once") {
    const Folder folder;
    std::string bytes = Folder::read(written(folder, "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, tone(1'000, 2)));
    const std::size_t data = bytes.find("data") + 4;
    for (const std::uint32_t declared : {4'001U, 2'000'000'000U, 0xFFFFFFFEU}) {
        std::memcpy(&bytes[data], &declared, sizeof declared);
        CHECK(contains(refusal(folder.write("lying.wav", bytes)), "declares " + std::to_string(declared)));
    }
    const std::uint32_t streamed = 0xFFFFFFFF;
    std::memcpy(&bytes[data], &streamed, sizeof streamed);
    CHECK(contains(refusal(folder.write("lying.wav", bytes)), "streamed"));
    const fs::path flac = written(folder, "a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, tone(10'000, 2));
    std::string longer = Folder::read(flac);
    longer[25] = static_cast<char>(longer[25] + 1);  // of the number of samples, the last byte
    CHECK(contains(refusal(folder.write("longer.flac", longer)), "damaged or cut off: expected 10001 samples"));
}

TEST_CASE("fault 35: what is no audio is refused: nothing, a folder, text, noise, a device") {
    const Folder folder;
    CHECK(contains(refusal(folder.path / "none.wav"), "is not there"));
    CHECK(contains(refusal(folder.path), "not a file"));
    CHECK(contains(refusal("/dev/zero"), "not a file"));
    CHECK(contains(refusal(folder.write("empty.wav", "")), "is empty"));
    CHECK(contains(refusal(folder.write("text.wav", "This is no sound at all.")), "cannot be read as audio"));
    CHECK(!refusal(folder.write("head.wav", "RIFF....WAVE")).empty());
    std::mt19937 random(35);
    for (const std::string head : {"RIFF....WAVEfmt ", "RF64....WAVEds64", "FORM....AIFFCOMM", "OggS", "fLaC", "caff",
                                   "riff", "ID3"}) {
        std::string noise = head + std::string(5'000, '\0');
        for (std::size_t i = head.size(); i < noise.size(); ++i) noise[i] = static_cast<char>(random());
        CAPTURE(head);
        CHECK(!refusal(folder.write("noise", noise)).empty());
    }
}

TEST_CASE("NaN, more than two channels, an impossible rate and too long a file are refused in words") {
    const Folder folder;
    std::vector<float> bad = tone(1'000, 2);
    bad[1'500] = std::numeric_limits<float>::quiet_NaN();
    CHECK(contains(refusal(written(folder, "nan.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, bad)), "NaN"));
    constexpr int wav = SF_FORMAT_WAV | SF_FORMAT_PCM_16, flac = SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
    CHECK(contains(refusal(written(folder, "many.wav", wav, tone(900, 3), 3)), "3 channels"));
    CHECK(contains(refusal(written(folder, "slow.wav", wav, tone(900, 2), 2, 4'000)), "4000 Hz"));
    const std::vector<float> quiet(8'000 * 1'201, 0.0F);
    CHECK(contains(refusal(written(folder, "long.flac", flac, quiet, 1, 8'000)), "20 minutes"));
    CHECK(contains(refusal(written(folder, "void.wav", wav, {})), "no audio"));
}

TEST_CASE("a long file is read no further than it is wanted") {
    const Folder folder;
    const fs::path path = written(folder, "long.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, tone(500'000, 1), 1);
    int asked = 0;
    const Expected<Audio> audio = read_audio_file(path, [&] { return ++asked < 3; });
    CHECK_FALSE(audio);
    CHECK(asked == 3);
    CHECK(read_audio_file(path, [&] { return ++asked > 0; }));
    CHECK(asked > 8);
}
