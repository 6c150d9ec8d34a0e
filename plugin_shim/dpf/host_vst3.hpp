// What DPF's VST3 wrapper does not read: loop, whether it is a bounce, buses beyond the first, and when parameters
// change.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "core/transport.hpp"
#include "dpf/host_block.hpp"
#include "travesty/audio_processor.h"

namespace segue::plugin {

// Hosts without a transport (pedalboard) pass a context in which nothing is marked as known.
[[nodiscard]] inline Transport vst3_transport(const v3_process_data& block, double rate) noexcept {
    Transport transport;
    transport.offline = block.process_mode == V3_OFFLINE;
    const v3_process_context* host = block.ctx;
    if (host == nullptr || host->state == 0) {
        return transport;
    }
    transport.valid = true;
    transport.playing = (host->state & V3_PROCESS_CTX_PLAYING) != 0;
    transport.frame = host->project_time_in_samples;  // always valid, says the standard; DPF wants a musical time too
    transport.looping = (host->state & V3_PROCESS_CTX_CYCLE_ACTIVE) != 0;
    if ((host->state & V3_PROCESS_CTX_TEMPO_VALID) != 0 && host->bpm > 0.0) {
        transport.tempo = host->bpm;
        constexpr std::uint32_t needed = V3_PROCESS_CTX_CYCLE_VALID | V3_PROCESS_CTX_PROJECT_TIME_VALID;
        if ((host->state & needed) == needed) {
            // from here, not from the song's start: the tempo may have changed before
            const auto frame_at = [&](double quarters) {
                return transport.frame + std::llround((quarters - host->project_time_quarters) * 60.0 / host->bpm * rate);
            };
            transport.loop = {frame_at(host->cycle_start_quarters), frame_at(host->cycle_end_quarters)};
        }
    }
    return transport;
}

// The buffer of a channel of a bus; nullptr where the host left out bus, channel or buffer.
[[nodiscard]] inline float* vst3_channel(const v3_audio_bus_buffers* buses, std::int32_t bus_count, std::uint32_t bus,
                                         std::uint32_t channel) noexcept {
    if (buses == nullptr || bus >= static_cast<std::uint32_t>(std::max(bus_count, 0))) {
        return nullptr;
    }
    const v3_audio_bus_buffers& found = buses[bus];
    if (found.channel_buffers_32 == nullptr || channel >= static_cast<std::uint32_t>(std::max(found.num_channels, 0))) {
        return nullptr;
    }
    return found.channel_buffers_32[channel];
}

// Fills `channels` with the buffers of DPF's ports, by `port(i)` of a field busId; those of a bus are in order.
template <std::uint32_t count, class Sample, class Port>
void vst3_channels(const v3_audio_bus_buffers* buses, std::int32_t bus_count, Sample* (&channels)[count],
                   const Port& port) {
    for (std::uint32_t each = 0; each < count; ++each) {
        const std::uint32_t bus = port(each).busId;
        std::uint32_t channel = 0;
        for (std::uint32_t before = 0; before < each; ++before) {
            channel += port(before).busId == bus ? 1U : 0U;
        }
        channels[each] = vst3_channel(buses, bus_count, bus, channel);
    }
}

struct Vst3Point {
    std::uint32_t frame;
    std::uint32_t parameter;
    double value;  // normalised
};

// Calls `seen(point, last)` for each point of a block's changes, parameter by parameter; last: of its parameter.
template <class Seen>
void vst3_points(v3_param_changes** changes, std::uint32_t parameters, const Seen& seen) {
    const std::int32_t queues = changes != nullptr ? v3_cpp_obj(changes)->get_param_count(changes) : 0;
    for (std::int32_t each = 0; each < queues; ++each) {
        v3_param_value_queue** queue = v3_cpp_obj(changes)->get_param_data(changes, each);
        if (queue == nullptr || v3_cpp_obj(queue)->get_param_id(queue) >= parameters) {
            continue;
        }
        const std::int32_t points = v3_cpp_obj(queue)->get_point_count(queue);
        for (std::int32_t point = 0; point < points; ++point) {
            std::int32_t frame = 0;
            double value = 0.0;
            if (v3_cpp_obj(queue)->get_point(queue, point, &frame, &value) == V3_OK && value >= 0.0 && value <= 1.0) {
                seen(Vst3Point{static_cast<std::uint32_t>(std::max(frame, 0)), v3_cpp_obj(queue)->get_param_id(queue), value},
                     point + 1 == points);
            }
        }
    }
}

// Applies a block's changes with `set(parameter, value)`, and in between calls `run(from, frames)` for the parts of the
// block. `stepped(parameter)`: whether its changes want their own sample. A block without frames is how hosts change
// parameters while nothing plays.
template <class Stepped, class Set, class Run>
void run_vst3_block(v3_param_changes** changes, std::uint32_t frames, std::uint32_t parameters, const Stepped& stepped,
                    const Set& set, const Run& run) {
    std::array<Vst3Point, max_cuts> cuts;
    std::size_t count = 0;
    vst3_points(changes, parameters, [&](const Vst3Point& point, bool) {
        if (point.frame == 0) {
            set(point.parameter, point.value);
        } else if (point.frame < frames && count < cuts.size() && stepped(point.parameter)) {
            std::size_t place = count++;  // in order of time; those of one time stay as the host has them
            for (; place > 0 && cuts[place - 1].frame > point.frame; --place) {
                cuts[place] = cuts[place - 1];
            }
            cuts[place] = point;
        }
    });
    std::uint32_t done = 0;
    for (std::size_t each = 0; each < count; ++each) {
        if (cuts[each].frame > done) {
            run(done, cuts[each].frame - done);
            done = cuts[each].frame;
        }
        set(cuts[each].parameter, cuts[each].value);
    }
    if (done < frames) {
        run(done, frames - done);
    }
    vst3_points(changes, parameters, [&](const Vst3Point& point, bool last) {
        if (last) {
            set(point.parameter, point.value);
        }
    });
}

}  // namespace segue::plugin
