// A host for tests: plays a song through a Realtime, in blocks of any size.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "core/realtime.hpp"

namespace segue::plugin::testing {

using Signal = std::function<float(int channel, std::int64_t frame)>;

struct Sound {
    std::vector<float> channels[2];

    [[nodiscard]] std::size_t size() const { return channels[0].size(); }
    friend bool operator==(const Sound& a, const Sound& b) {
        return a.channels[0] == b.channels[0] && a.channels[1] == b.channels[1];
    }
};

inline Signal sine(double frequency, double peak, double rate) {
    constexpr double pi = 3.14159265358979323846;
    return [=](int channel, std::int64_t frame) {
        const double phase = 2.0 * pi * frequency * static_cast<double>(frame) / rate + channel;
        return static_cast<float>(peak * std::sin(phase));
    };
}

// Every sample and channel differs from every other near it, so that a sample in the wrong place is seen.
inline Signal numbered(std::uint32_t seed) {
    return [seed](int channel, std::int64_t frame) {
        std::uint64_t x = static_cast<std::uint64_t>(frame) * 2 + static_cast<std::uint64_t>(channel) + 1;
        x = (x + seed * 0x9E3779B9ULL) * 0xBF58476D1CE4E5B9ULL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
        return static_cast<float>(static_cast<double>(x >> 40) / static_cast<double>(1 << 24) - 0.5);
    };
}

inline std::shared_ptr<const Audio> audio_of(const Signal& signal, const Span& span, double rate) {
    auto audio = std::make_shared<Audio>();
    audio->rate = rate;
    for (std::int64_t frame = span.start; frame < span.stop; ++frame) {
        audio->left.push_back(signal(0, frame));
        audio->right.push_back(signal(1, frame));
    }
    return audio;
}

// A region whose takes are these signals, by song position.
inline Region region_of(std::uint64_t id, const Span& span, double rate, const std::vector<Signal>& takes) {
    Region region;
    region.id = id;
    region.span = span;
    region.rate = rate;
    for (const Signal& signal : takes) {
        region.takes.emplace_back();
        region.takes.back().audio = audio_of(signal, span, rate);
    }
    return region;
}

inline std::unique_ptr<Playlist> playlist(const std::vector<Region>& regions, double rate, bool urgent = true) {
    auto list = std::make_unique<Playlist>(playlist_of(regions, rate));
    list->urgent = urgent;
    return list;
}

inline Sound sound_of(const Signal& signal, const Span& span) {
    Sound sound;
    for (int channel = 0; channel < 2; ++channel) {
        for (std::int64_t frame = span.start; frame < span.stop; ++frame) {
            sound.channels[channel].push_back(signal(channel, frame));
        }
    }
    return sound;
}

inline Sound slice(const Sound& sound, std::size_t start, std::size_t stop) {
    Sound part;
    for (int channel = 0; channel < 2; ++channel) {
        const auto begin = sound.channels[channel].begin();
        part.channels[channel].assign(begin + static_cast<std::ptrdiff_t>(start),
                                      begin + static_cast<std::ptrdiff_t>(stop));
    }
    return part;
}

// The largest step from one sample to the next.
inline float steepest(const Sound& sound) {
    float step = 0.0F;
    for (const auto& samples : sound.channels) {
        for (std::size_t i = 1; i < samples.size(); ++i) step = std::max(step, std::abs(samples[i] - samples[i - 1]));
    }
    return step;
}

struct Host {
    Realtime& plugin;
    Signal song;
    Signal side;  // none: not connected
    Transport transport;
    std::uint32_t block = 64;
    bool in_place = true;

    Host(Realtime& realtime, Signal signal) : plugin(realtime), song(std::move(signal)) {
        transport.valid = true;
        transport.playing = true;
        transport.tempo = 120.0;
    }

    void seek(std::int64_t frame) {
        transport.frame = frame;
        heard_ = frame;
    }

    // `frames` samples in blocks of `block`; what comes out. The song's sound goes on while the transport stands.
    Sound play(std::int64_t frames) {
        return play(frames, [this] { return block; });
    }

    Sound play(std::int64_t frames, const std::function<std::uint32_t()>& next_block) {
        Sound out;
        while (frames > 0) {
            const auto count = static_cast<std::uint32_t>(std::min<std::int64_t>(frames, next_block()));
            play_block(count, out);
            frames -= count;
        }
        return out;
    }

    // What was captured since the last time.
    std::vector<CaptureBlock> captured() {
        std::vector<CaptureBlock> blocks;
        CaptureBlock one;
        while (plugin.take(one)) blocks.push_back(one);
        plugin.dealt();
        return blocks;
    }

private:
    void play_block(std::uint32_t frames, Sound& out) {
        const Span span{heard_, heard_ + frames};
        Sound in = sound_of(song, span);
        Sound result = in_place ? in : Sound{{std::vector<float>(frames), std::vector<float>(frames)}};
        const Sound other = side ? sound_of(side, span) : Sound{};
        const float* inputs[] = {in.channels[0].data(), in.channels[1].data()};
        const float* sides[] = {other.channels[0].data(), other.channels[1].data()};
        float* outputs[] = {result.channels[0].data(), result.channels[1].data()};
        if (in_place) inputs[0] = outputs[0], inputs[1] = outputs[1];
        plugin.process(inputs, outputs, side ? sides : nullptr, frames, transport);
        for (int channel = 0; channel < 2; ++channel) {
            auto& all = out.channels[channel];
            all.insert(all.end(), result.channels[channel].begin(), result.channels[channel].end());
        }
        heard_ += frames;
        if (transport.playing) transport.frame += frames;
    }

    std::int64_t heard_ = 0;
};

}  // namespace segue::plugin::testing
