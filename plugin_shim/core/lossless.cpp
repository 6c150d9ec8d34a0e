#include "core/lossless.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/memory_file.hpp"

namespace segue::plugin {
namespace {

constexpr std::int32_t most = (1 << 23) - 1;
constexpr std::int32_t least = -(1 << 23);
constexpr std::int64_t batch = 1 << 14;  // frames on their way to or from libsndfile
constexpr std::int64_t largest_exponent = 128;  // of any float
constexpr int declared_rate = 48'000;
constexpr double compression = 0.4;  // FLAC's level 3: no larger than the higher ones by 1 %, and twice as fast

Refusal damaged(const std::string& what) {
    return refuse("rendered audio is damaged: " + what, "render it again", protocol::Code::malformed);
}

bool has_shape(const Audio& audio) noexcept { return !audio.left.empty() && audio.left.size() == audio.right.size(); }

bool is_finite(const std::vector<float>& samples) noexcept {
    return std::all_of(samples.begin(), samples.end(), [](float sample) { return std::isfinite(sample); });
}

// A factor that makes full scale 2^exponent that of 24-bit integers.
double to_integer(std::int64_t exponent) noexcept { return std::ldexp(1.0, static_cast<int>(23 - exponent)); }

bool fits(const Audio& audio, std::int64_t exponent) noexcept {
    const double factor = to_integer(exponent);
    return std::all_of(audio.left.begin(), audio.left.end(), [&](float s) { return std::rint(s * factor) <= most; }) &&
           std::all_of(audio.right.begin(), audio.right.end(), [&](float s) { return std::rint(s * factor) <= most; });
}

std::int64_t exponent_of(const Audio& audio) noexcept {
    float peak = 0.0F;
    for (const std::vector<float>* channel : {&audio.left, &audio.right}) {
        for (const float sample : *channel) peak = std::max(peak, std::abs(sample));
    }
    int exponent = 0;
    (void)std::frexp(peak, &exponent);  // peak < 2^exponent
    const std::int64_t enough = std::max(0, exponent);
    return fits(audio, enough) ? enough : enough + 1;  // where rounding carries the peak to full scale
}

std::vector<std::int32_t> interleaved(const Audio& audio, std::int64_t from, std::int64_t to, double factor,
                                      bool& exact) {
    std::vector<std::int32_t> samples;
    samples.reserve(static_cast<std::size_t>(2 * (to - from)));
    for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i) {
        for (const float sample : {audio.left[i], audio.right[i]}) {
            const double scaled = sample * factor;
            exact = exact && scaled == std::rint(scaled) && scaled <= most && scaled >= least;
            samples.push_back(exact ? static_cast<std::int32_t>(scaled) * 256 : 0);  // libsndfile keeps the upper bits
        }
    }
    return samples;
}

SF_INFO flac_about() noexcept {
    SF_INFO about{};
    about.samplerate = declared_rate;
    about.channels = 2;
    about.format = SF_FORMAT_FLAC | SF_FORMAT_PCM_24;
    return about;
}

}  // namespace

Expected<Audio> round_to_24(Audio audio) {
    if (!has_shape(audio)) return damaged("it is empty, or its channels differ in length");
    if (!is_finite(audio.left) || !is_finite(audio.right)) return damaged("it holds NaN or infinite samples");
    const std::int64_t exponent = exponent_of(audio);
    if (exponent > largest_exponent) return damaged("it is louder than any sample can say");
    const double factor = to_integer(exponent);
    for (std::vector<float>* channel : {&audio.left, &audio.right}) {
        for (float& sample : *channel) sample = static_cast<float>(std::rint(sample * factor) / factor) + 0.0F;
    }
    return audio;
}

Expected<Packed> pack(const Audio& audio) {
    if (!has_shape(audio)) return damaged("it is empty, or its channels differ in length");
    if (!is_finite(audio.left) || !is_finite(audio.right)) return damaged("it holds NaN or infinite samples");
    Packed packed{audio.rate, audio.frames(), exponent_of(audio), {}};
    MemoryFile file;
    SF_INFO about = flac_about();
    Sound sound = file.open(SFM_WRITE, about);
    if (sound == nullptr) return damaged(sf_strerror(nullptr));
    double level = compression;
    sf_command(sound.get(), SFC_SET_COMPRESSION_LEVEL, &level, sizeof level);
    bool exact = true;
    for (std::int64_t at = 0; at < packed.frames; at += batch) {
        const std::int64_t end = std::min(packed.frames, at + batch);
        const auto samples = interleaved(audio, at, end, to_integer(packed.exponent), exact);
        if (!exact) return damaged("it has more than 24 bits");
        if (sf_writef_int(sound.get(), samples.data(), end - at) != end - at) return damaged(sf_strerror(sound.get()));
    }
    sound.reset();
    packed.flac = file.take();
    return packed;
}

Expected<Audio> unpack(const Packed& packed) {
    if (packed.exponent < 0 || packed.exponent > largest_exponent) return damaged("its scale is out of range");
    MemoryFile file(packed.flac);
    SF_INFO about{};
    const Sound sound = file.open(SFM_READ, about);
    if (sound == nullptr) return damaged(sf_strerror(nullptr));
    const SF_INFO wanted = flac_about();
    if (about.format != wanted.format || about.channels != 2 || about.frames != packed.frames || packed.frames < 1)
        return damaged("expected FLAC of " + std::to_string(packed.frames) + " frames, 2 channels and 24 bits");
    const double factor = 1.0 / to_integer(packed.exponent);
    Audio audio{packed.rate, {}, {}};
    std::vector<std::int32_t> samples(2 * batch);
    while (audio.frames() < packed.frames) {  // what was decoded decides how much room is made
        const sf_count_t frames = sf_readf_int(sound.get(), samples.data(), batch);
        if (frames <= 0 || audio.frames() + frames > packed.frames) return damaged("its FLAC ends early, or late");
        for (std::size_t i = 0; i < static_cast<std::size_t>(frames); ++i) {
            audio.left.push_back(static_cast<float>(samples[2 * i] / 256 * factor));
            audio.right.push_back(static_cast<float>(samples[2 * i + 1] / 256 * factor));
        }
    }
    return audio;
}

}  // namespace segue::plugin
