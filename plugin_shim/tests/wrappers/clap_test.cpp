#include "dpf/host_clap.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "slices.hpp"

using namespace segue::plugin;

namespace {

constexpr std::uint32_t parameters = 11;
constexpr clap_id gap = 5;  // stepped
constexpr clap_id mix = 8;  // not

union Event {
    clap_event_header_t header;
    clap_event_param_value_t parameter;
    clap_event_transport_t transport;
};

Event change(std::uint32_t time, clap_id id, double value, std::uint16_t space = CLAP_CORE_EVENT_SPACE_ID) {
    Event event{};
    event.parameter = {};
    event.parameter.header = {sizeof event.parameter, time, space, CLAP_EVENT_PARAM_VALUE, 0};
    event.parameter.param_id = id;
    event.parameter.value = value;
    return event;
}

clap_sectime seconds(double value) {
    return static_cast<clap_sectime>(value * static_cast<double>(CLAP_SECTIME_FACTOR));
}

clap_event_transport_t rolling(double at) {
    clap_event_transport_t host{};
    host.header = {sizeof host, 0, CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_TRANSPORT, 0};
    host.flags = CLAP_TRANSPORT_HAS_SECONDS_TIMELINE | CLAP_TRANSPORT_HAS_TEMPO | CLAP_TRANSPORT_IS_PLAYING;
    host.tempo = 120.0;
    host.song_pos_seconds = seconds(at);
    return host;
}

Event moved(std::uint32_t time, double to) {
    Event event{};
    event.transport = rolling(to);
    event.transport.header.time = time;
    return event;
}

std::string processed(std::vector<Event> events, std::uint32_t frames = 256) {
    const clap_input_events_t list{
        &events,
        [](const clap_input_events_t* all) {
            return static_cast<std::uint32_t>(static_cast<std::vector<Event>*>(all->ctx)->size());
        },
        [](const clap_input_events_t* all, std::uint32_t each) -> const clap_event_header_t* {
            return &(*static_cast<std::vector<Event>*>(all->ctx))[each].header;
        }};
    Slices slices;
    run_clap_block(
        &list, frames, parameters, [](const clap_event_param_value_t& event) { return event.param_id == gap; },
        [&](const clap_event_param_value_t* event) { slices.set(event->param_id, event->value); },
        [&](const clap_event_transport_t* event) { slices.move(clap_frame(event->song_pos_seconds, 48000.0)); },
        [&](std::uint32_t from, std::uint32_t count) { slices.run(from, count); });
    return slices.text();
}

}  // namespace

TEST_CASE("CLAP: a block without events runs in one piece, and one without frames not at all") {
    CHECK(processed({}) == "run 0 256");
    CHECK(processed({change(0, gap, 1)}, 0) == "set 5 1");
}

TEST_CASE("CLAP: a stepped parameter changes at its sample, a continuous one with the slice it falls into") {
    CHECK(processed({change(0, gap, 1), change(30, mix, 0.5), change(100, gap, 0)}) ==
          "set 5 1, set 8 0.5, run 0 100, set 5 0, run 100 156");
    CHECK(processed({change(255, gap, 1), change(300, gap, 0)}) == "run 0 255, set 5 1, set 5 0, run 255 1");
}

TEST_CASE("CLAP: a transport that jumps within a block is followed at its sample") {
    CHECK(processed({moved(64, 2.0)}) == "run 0 64, move 96000, run 64 192");
}

TEST_CASE("CLAP: events of other namespaces, of unknown parameters, and without a value are none") {
    CHECK(processed({change(10, gap, 1, 0xB33F), change(20, parameters, 1),
                     change(30, gap, std::numeric_limits<double>::quiet_NaN())}) == "run 0 256");
}

TEST_CASE("CLAP: more changes than a block may be cut for still all arrive") {
    std::vector<Event> many;
    for (std::uint32_t each = 1; each < 200; ++each) {
        many.push_back(change(each, gap, each % 2));
    }
    const std::string text = processed(many);
    std::size_t runs = 0;
    std::size_t sets = 0;
    for (std::size_t at = 0; (at = text.find("run", at)) != std::string::npos; ++at) ++runs;
    for (std::size_t at = 0; (at = text.find("set", at)) != std::string::npos; ++at) ++sets;
    CHECK(runs == max_cuts + 1);
    CHECK(sets == 199);
    CHECK(text.rfind("run 32 224") == text.size() - 10);
}

TEST_CASE("CLAP: the transport's seconds name samples, before the song's start too") {
    clap_event_transport_t host = rolling(-0.5);
    host.flags |= CLAP_TRANSPORT_IS_LOOP_ACTIVE;
    host.loop_start_seconds = seconds(1.0);
    host.loop_end_seconds = seconds(3.5);
    const Transport transport = clap_transport(&host, 44100.0, true);
    CHECK(transport.valid);
    CHECK(transport.playing);
    CHECK(transport.offline);
    CHECK(transport.looping);
    CHECK(transport.frame == -22050);
    CHECK(transport.loop == Span{44100, 154350});
    CHECK(transport.tempo == 120.0);
}

TEST_CASE("CLAP: every sample of ten hours at 192 kHz is named as it is") {
    constexpr double rate = 192'000.0;
    for (std::int64_t frame = 0; frame < static_cast<std::int64_t>(36'000 * rate); frame += 9'999'991) {
        CHECK(clap_frame(seconds(static_cast<double>(frame) / rate), rate) == frame);
    }
}

TEST_CASE("CLAP: a host without transport, or with beats alone, gives no position") {
    CHECK_FALSE(clap_transport(nullptr, 48000.0, false).valid);
    clap_event_transport_t host = rolling(1.0);
    host.flags = CLAP_TRANSPORT_HAS_BEATS_TIMELINE | CLAP_TRANSPORT_HAS_TEMPO | CLAP_TRANSPORT_IS_PLAYING;
    CHECK_FALSE(clap_transport(&host, 48000.0, false).valid);
}
