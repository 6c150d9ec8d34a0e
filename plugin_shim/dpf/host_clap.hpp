// What DPF's CLAP wrapper does not read: song position, loop, whether it is a bounce, and when parameters change.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>

#include "clap/events.h"
#include "clap/fixedpoint.h"
#include "clap/plugin.h"
#include "core/transport.hpp"
#include "dpf/host_block.hpp"

namespace segue::plugin {

// clap/ext/render.h, which DPF 1.6 does not bring along
inline constexpr char clap_render_id[] = "clap.render";
inline constexpr std::int32_t clap_render_offline = 1;
struct ClapRender {
    bool(CLAP_ABI* has_hard_realtime_requirement)(const clap_plugin_t* plugin);
    bool(CLAP_ABI* set)(const clap_plugin_t* plugin, std::int32_t mode);
};

[[nodiscard]] inline std::int64_t clap_frame(clap_sectime position, double rate) noexcept {
    return std::llround(static_cast<double>(position) / static_cast<double>(CLAP_SECTIME_FACTOR) * rate);
}

// A host that gives beats alone gives no position: under changing tempo they name no sample.
[[nodiscard]] inline Transport clap_transport(const clap_event_transport_t* host, double rate, bool offline) noexcept {
    Transport transport;
    transport.offline = offline;
    if (host == nullptr || (host->flags & CLAP_TRANSPORT_HAS_SECONDS_TIMELINE) == 0) {
        return transport;
    }
    transport.valid = true;
    transport.playing = (host->flags & CLAP_TRANSPORT_IS_PLAYING) != 0;
    transport.frame = clap_frame(host->song_pos_seconds, rate);
    transport.tempo = (host->flags & CLAP_TRANSPORT_HAS_TEMPO) != 0 ? host->tempo : 0.0;
    transport.looping = (host->flags & CLAP_TRANSPORT_IS_LOOP_ACTIVE) != 0;
    transport.loop = {clap_frame(host->loop_start_seconds, rate), clap_frame(host->loop_end_seconds, rate)};
    return transport;
}

// The event as a change of one of `count` parameters, else nullptr. Other namespaces have other meanings of the types.
[[nodiscard]] inline const clap_event_param_value_t* clap_parameter(const clap_event_header_t* event,
                                                                    std::uint32_t count) noexcept {
    if (event == nullptr || event->space_id != CLAP_CORE_EVENT_SPACE_ID || event->type != CLAP_EVENT_PARAM_VALUE ||
        event->size < sizeof(clap_event_param_value_t)) {
        return nullptr;
    }
    const auto* change = reinterpret_cast<const clap_event_param_value_t*>(event);
    return change->param_id < count && std::isfinite(change->value) ? change : nullptr;
}

// The event as a new transport, else nullptr.
[[nodiscard]] inline const clap_event_transport_t* clap_new_transport(const clap_event_header_t* event) noexcept {
    const bool is_one = event != nullptr && event->space_id == CLAP_CORE_EVENT_SPACE_ID &&
                        event->type == CLAP_EVENT_TRANSPORT && event->size >= sizeof(clap_event_transport_t);
    return is_one ? reinterpret_cast<const clap_event_transport_t*>(event) : nullptr;
}

// Applies a block's events with `set(event)` and `move(event)`, and in between calls `run(from, frames)` for the parts
// of the block. `cuts(event)`: whether this change of a parameter wants its own sample.
template <class Cuts, class Set, class Move, class Run>
void run_clap_block(const clap_input_events_t* events, std::uint32_t frames, std::uint32_t parameters, const Cuts& cuts,
                    const Set& set, const Move& move, const Run& run) {
    std::uint32_t done = 0;
    std::uint32_t made = 0;
    const std::uint32_t count = events != nullptr ? events->size(events) : 0;
    for (std::uint32_t each = 0; each < count; ++each) {
        const clap_event_header_t* event = events->get(events, each);
        const auto* change = clap_parameter(event, parameters);
        const auto* transport = clap_new_transport(event);
        if (change == nullptr && transport == nullptr) {
            continue;
        }
        const std::uint32_t at = event->time;
        if (at > done && at < frames && made < max_cuts && (transport != nullptr || cuts(*change))) {
            run(done, at - done);
            done = at;
            ++made;
        }
        if (change != nullptr) {
            set(change);
        } else if (at == done) {
            move(transport);
        }
    }
    if (done < frames) {
        run(done, frames - done);
    }
}

}  // namespace segue::plugin
