#include "core/bwf.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <vector>

#include "core/memory_file.hpp"
#include "core/new_file.hpp"
#include "segue/protocol/rules.hpp"

namespace segue::plugin {
namespace {

constexpr float full_scale = 8388607.0F / 8388608.0F;

std::tm utc(std::chrono::system_clock::time_point time) noexcept {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
#ifdef _WIN32
    gmtime_s(&parts, &seconds);
#else
    gmtime_r(&seconds, &parts);
#endif
    return parts;
}

std::string formatted(const std::tm& time, const char* format) {
    char text[64];
    return {text, std::strftime(text, sizeof text, format, &time)};
}

// Letters and digits, for names of files.
std::string plain(const std::string& text) {
    std::string kept;
    std::copy_if(text.begin(), text.end(), std::back_inserter(kept), protocol::is_letter_or_digit);
    return kept.substr(0, 32);
}

std::string stem_of(const Audio& audio, const BwfAbout& about, const std::tm& time) {
    const std::int64_t milliseconds = std::llround(static_cast<double>(about.position) * 1000.0 / audio.rate);
    const auto size = static_cast<long long>(std::abs(milliseconds));
    char place[64];
    std::snprintf(place, sizeof place, "%s%02lldm%02lld.%03llds", milliseconds < 0 ? "-" : "", size / 60'000,
                  size / 1000 % 60, size % 1000);
    const std::string task = plain(about.task);
    return "segue " + std::string(place) + (task.empty() ? "" : " " + task) +
           formatted(time, " %Y-%m-%d %H-%M-%SZ");
}

bool fits_24(const std::vector<float>& samples) noexcept {
    return std::all_of(samples.begin(), samples.end(), [](float sample) {
        const float scaled = sample * 8388608.0F;
        return sample >= -1.0F && sample <= full_scale && scaled == std::rint(scaled);
    });
}

template <std::size_t Size>
void fill(char (&field)[Size], const std::string& text) noexcept {
    std::memcpy(field, text.data(), std::min(Size, text.size()));  // no end mark where it is full, as EBU 3285 says
}

SF_BROADCAST_INFO broadcast_info(const Audio& audio, const BwfAbout& about, const std::tm& time, bool whole) {
    SF_BROADCAST_INFO info{};
    fill(info.description, "Segue " + about.task + ", " + about.method);
    fill(info.originator, "Segue");
    fill(info.originator_reference, formatted(time, "SEGUE%Y%m%d%H%M%S"));
    fill(info.origination_date, formatted(time, "%Y-%m-%d"));
    fill(info.origination_time, formatted(time, "%H:%M:%S"));
    const auto reference = static_cast<std::uint64_t>(std::max<std::int64_t>(0, about.position));
    info.time_reference_low = static_cast<std::uint32_t>(reference & 0xFFFFFFFFU);
    info.time_reference_high = static_cast<std::uint32_t>(reference >> 32);
    info.version = 1;
    const std::string history = "A=PCM,F=" + std::to_string(std::lround(audio.rate)) +
                                (whole ? ",W=24" : ",W=32") + ",M=stereo,T=Segue; " + plain(about.method) + "\r\n";
    fill(info.coding_history, history);
    info.coding_history_size = static_cast<std::uint32_t>(std::min(history.size(), sizeof info.coding_history));
    return info;
}

Refusal unwritten(const char* why) {
    return refuse(std::string("the render was not written as a file: ") + why, "see whether memory and disk have room",
                  protocol::Code::resource);
}

template <class Sample, class Convert>
std::vector<Sample> interleaved(const Audio& audio, Convert convert) {
    std::vector<Sample> samples;
    samples.reserve(2 * audio.left.size());
    for (std::size_t i = 0; i < audio.left.size(); ++i) {
        samples.push_back(convert(audio.left[i]));
        samples.push_back(convert(audio.right[i]));
    }
    return samples;
}

sf_count_t write_floats(SNDFILE* sound, const Audio& audio) {
    const auto samples = interleaved<float>(audio, [](float sample) { return sample; });
    return sf_writef_float(sound, samples.data(), audio.frames());
}

// Not as floats, which libsndfile scales by 2^23 - 1; of integers it keeps the upper 24 bits.
sf_count_t write_integers(SNDFILE* sound, const Audio& audio) {
    const auto samples = interleaved<int>(audio, [](float sample) { return static_cast<int>(sample * 2147483648.0); });
    return sf_writef_int(sound, samples.data(), audio.frames());
}

Expected<std::string> wave_bytes(const Audio& audio, const BwfAbout& about, const std::tm& time) {
    const bool whole = fits_24(audio.left) && fits_24(audio.right);
    SF_INFO format{};
    format.samplerate = static_cast<int>(std::lround(audio.rate));
    format.channels = 2;
    format.format = SF_FORMAT_WAV | (whole ? SF_FORMAT_PCM_24 : SF_FORMAT_FLOAT);
    MemoryFile file;
    Sound sound = file.open(SFM_WRITE, format);
    if (sound == nullptr) return unwritten(sf_strerror(nullptr));
    SF_BROADCAST_INFO info = broadcast_info(audio, about, time, whole);
    if (sf_command(sound.get(), SFC_SET_BROADCAST_INFO, &info, sizeof info) != SF_TRUE)
        return unwritten(sf_strerror(sound.get()));
    sf_command(sound.get(), SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);  // it holds the time of the day
    const sf_count_t written = whole ? write_integers(sound.get(), audio) : write_floats(sound.get(), audio);
    if (written != audio.frames()) return unwritten(sf_strerror(sound.get()));
    sound.reset();
    return file.take();
}

}  // namespace

Expected<BwfFile> write_bwf(const std::filesystem::path& folder, const Audio& audio, const BwfAbout& about) {
    return protocol::guarded<BwfFile>([&]() -> Expected<BwfFile> {
        if (audio.left.empty() || audio.left.size() != audio.right.size()) return unwritten("it holds no audio");
        const std::tm time = utc(about.time);
        const Expected<std::string> bytes = wave_bytes(audio, about, time);
        if (!bytes) return bytes.error();
        Expected<std::filesystem::path> path = write_new_file(folder, stem_of(audio, about, time), "wav", *bytes);
        if (!path) return path.error();
        BwfFile written{std::move(*path), {}};
        if (about.position < 0) {
            written.note = "the render begins " + std::to_string(-about.position) +
                           " samples before the song's start, which a time reference cannot say: move it there by hand";
        }
        return written;
    });
}

}  // namespace segue::plugin
