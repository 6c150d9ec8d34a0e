#include "core/audio_file.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/audio_header.hpp"
#include "core/memory_file.hpp"
#include "segue/protocol/limits.hpp"

namespace segue::plugin {
namespace {

constexpr sf_count_t batch = 1 << 16;  // frames at once: all that a lying header can make us allocate
constexpr double most_bytes = 1 << 30;  // of decoded audio

Sound open(const std::filesystem::path& path, SF_INFO& about) {
#ifdef _WIN32
    return Sound(sf_wchar_open(path.c_str(), SFM_READ, &about));
#else
    return Sound(sf_open(path.c_str(), SFM_READ, &about));
#endif
}

Refusal refused(const std::filesystem::path& path, const std::string& what, const std::string& remedy) {
    return refuse(path.filename().string() + " " + what, remedy);
}

std::optional<Refusal> check_format(const std::filesystem::path& path, const SF_INFO& about) {
    if (about.channels < 1 || about.channels > 2) {
        return refused(path, "has " + std::to_string(about.channels) + " channels, expected one or two",
                       "export it in stereo");
    }
    if (about.samplerate < protocol::min_rate || about.samplerate > protocol::max_rate) {
        return refused(path, "has " + std::to_string(about.samplerate) + " Hz, expected 8000 to 768000",
                       "export it at a usual sample rate");
    }
    return {};
}

std::optional<Refusal> check_length(const std::filesystem::path& path, sf_count_t frames, int rate) {
    const double seconds = static_cast<double>(frames) / rate;
    if (seconds > longest_file)
        return refused(path, "lasts longer than 20 minutes", "give a shorter file, such as the song alone");
    if (static_cast<double>(frames) * 2.0 * sizeof(float) > most_bytes)
        return refused(path, "takes more than 1 GiB of memory", "export it at a lower sample rate");
    return {};
}

bool append(const std::vector<float>& samples, sf_count_t frames, int channels, Audio& audio) {
    bool finite = true;
    const auto step = static_cast<std::size_t>(channels);
    for (std::size_t i = 0; i < static_cast<std::size_t>(frames) * step; i += step) {
        audio.left.push_back(samples[i]);
        audio.right.push_back(samples[i + step - 1]);
        finite = finite && std::isfinite(audio.left.back()) && std::isfinite(audio.right.back());
    }
    return finite;
}

Expected<Audio> decoded(const std::filesystem::path& path, SNDFILE* sound, const SF_INFO& about, bool counted,
                        const std::function<bool()>& goes_on) {
    Audio audio{static_cast<double>(about.samplerate), {}, {}};
    std::vector<float> samples(static_cast<std::size_t>(batch * about.channels));
    for (;;) {
        if (!goes_on()) return refused(path, "was not read to its end", "give it again");
        const sf_count_t frames = sf_readf_float(sound, samples.data(), batch);
        if (frames <= 0) break;
        if (!append(samples, frames, about.channels, audio))
            return refused(path, "holds NaN or infinite samples", "repair or export it again");
        if (const auto wrong = check_length(path, audio.frames(), about.samplerate)) return *wrong;
    }
    if (sf_error(sound) != SF_ERR_NO_ERROR || (counted && audio.frames() != about.frames)) {
        return refused(path, "is damaged or cut off: expected " + std::to_string(about.frames) + " samples, got " +
                                 std::to_string(audio.frames()),
                       "copy or export it again");
    }
    if (audio.left.empty()) return refused(path, "holds no audio", "choose a file with music in it");
    return audio;
}

}  // namespace

Expected<Audio> read_audio_file(const std::filesystem::path& path, const std::function<bool()>& goes_on) {
    return protocol::guarded<Audio>([&]() -> Expected<Audio> {
        const Expected<bool> counted = check_header(path);
        if (!counted) return counted.error();
        SF_INFO about{};
        const Sound sound = open(path, about);
        if (sound == nullptr) {
            return refused(path, std::string("cannot be read as audio: ") + sf_strerror(nullptr),
                           "give a WAV, AIFF, FLAC or Ogg file, exported anew");
        }
        if (const auto wrong = check_format(path, about)) return *wrong;
        if (*counted) {
            if (const auto wrong = check_length(path, about.frames, about.samplerate)) return *wrong;
        }
        return decoded(path, sound.get(), about, *counted, goes_on);
    });
}

}  // namespace segue::plugin
