#include "wav.hpp"

#include <sndfile.h>

#include <memory>
#include <stdexcept>

namespace segue::plugin::driver {
namespace {

struct Close {
    void operator()(SNDFILE* file) const noexcept { sf_close(file); }
};
using File = std::unique_ptr<SNDFILE, Close>;

File open(const std::string& path, int mode, SF_INFO& info) {
    File file(sf_open(path.c_str(), mode, &info));
    if (!file) throw std::runtime_error(path + ": " + sf_strerror(nullptr));
    return file;
}

}  // namespace

Wav read_wav(const std::string& path) {
    SF_INFO info{};
    const File file = open(path, SFM_READ, info);
    if (info.channels != 2) throw std::runtime_error(path + ": expected two channels");
    std::vector<float> both(static_cast<std::size_t>(2 * info.frames));
    const sf_count_t read = sf_readf_float(file.get(), both.data(), info.frames);
    if (read != info.frames) throw std::runtime_error(path + ": is cut");
    Wav wav;
    wav.rate = info.samplerate;
    for (std::size_t i = 0; i < both.size(); i += 2) {
        wav.left.push_back(both[i]);
        wav.right.push_back(both[i + 1]);
    }
    return wav;
}

void write_wav(const std::string& path, const Wav& wav) {
    SF_INFO info{};
    info.samplerate = wav.rate;
    info.channels = 2;
    info.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
    const File file = open(path, SFM_WRITE, info);
    std::vector<float> both;
    both.reserve(2 * wav.left.size());
    for (std::size_t i = 0; i < wav.left.size(); ++i) {
        both.push_back(wav.left[i]);
        both.push_back(wav.right[i]);
    }
    const auto frames = static_cast<sf_count_t>(wav.left.size());
    if (sf_writef_float(file.get(), both.data(), frames) != frames) throw std::runtime_error(path + ": not written");
}

}  // namespace segue::plugin::driver
