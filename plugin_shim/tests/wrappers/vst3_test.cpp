#include "dpf/host_vst3.hpp"

#include <doctest/doctest.h>

#include <tuple>
#include <utility>
#include <vector>

#include "slices.hpp"

using namespace segue::plugin;

namespace {

constexpr std::uint32_t parameters = 11;
constexpr std::uint32_t gap = 5;  // stepped
constexpr std::uint32_t mix = 8;  // not

// One parameter's changes in a block, as a host hands them over.
struct Queue {
    v3_funknown unknown{};
    v3_param_value_queue calls{};
    v3_param_id id = 0;
    std::vector<std::pair<std::int32_t, double>> points;
};

struct Changes {
    v3_funknown unknown{};
    v3_param_changes calls{};
    std::vector<Queue*> queues;  // which are objects by the address of a pointer to them
};

template <class Object>
Object& object(void* self) {
    return **static_cast<Object**>(self);
}

std::string processed(std::vector<Queue> queues, std::uint32_t frames = 256) {
    Changes changes;
    for (Queue& queue : queues) {
        queue.calls.get_param_id = [](void* self) { return object<Queue>(self).id; };
        queue.calls.get_point_count = [](void* self) {
            return static_cast<std::int32_t>(object<Queue>(self).points.size());
        };
        queue.calls.get_point = [](void* self, std::int32_t each, std::int32_t* frame, double* value) {
            std::tie(*frame, *value) = object<Queue>(self).points[static_cast<std::size_t>(each)];
            return v3_result{V3_OK};
        };
        changes.queues.push_back(&queue);
    }
    changes.calls.get_param_count = [](void* self) {
        return static_cast<std::int32_t>(object<Changes>(self).queues.size());
    };
    changes.calls.get_param_data = [](void* self, std::int32_t each) {
        return reinterpret_cast<v3_param_value_queue**>(&object<Changes>(self).queues[static_cast<std::size_t>(each)]);
    };
    Changes* pointer = &changes;
    Slices slices;
    run_vst3_block(
        reinterpret_cast<v3_param_changes**>(&pointer), frames, parameters,
        [](std::uint32_t parameter) { return parameter == gap; },
        [&](std::uint32_t parameter, double value) { slices.set(parameter, value); },
        [&](std::uint32_t from, std::uint32_t count) { slices.run(from, count); });
    return slices.text();
}

Queue lane(std::uint32_t id, std::vector<std::pair<std::int32_t, double>> points) {
    Queue queue;
    queue.id = id;
    queue.points = std::move(points);
    return queue;
}

v3_process_context rolling() {
    v3_process_context host{};
    host.state = V3_PROCESS_CTX_PLAYING | V3_PROCESS_CTX_TEMPO_VALID | V3_PROCESS_CTX_PROJECT_TIME_VALID |
                 V3_PROCESS_CTX_CYCLE_VALID;
    host.project_time_in_samples = 96'000;
    host.project_time_quarters = 4.0;
    host.cycle_start_quarters = 2.0;
    host.cycle_end_quarters = 10.0;
    host.bpm = 120.0;
    return host;
}

Transport read(v3_process_context host, std::int32_t mode = V3_REALTIME) {
    v3_process_data block{};
    block.process_mode = mode;
    block.ctx = &host;
    return vst3_transport(block, 48'000.0);
}

}  // namespace

TEST_CASE("VST3: a block without changes runs in one piece, and one without frames changes parameters") {
    CHECK(processed({}) == "run 0 256");
    CHECK(processed({lane(mix, {{0, 0.5}})}, 0) == "set 8 0.5, set 8 0.5");
}

TEST_CASE("VST3: a stepped parameter changes at its sample, a continuous one before and after the block") {
    CHECK(processed({lane(gap, {{0, 0.0}, {100, 1.0}})}) ==
          "set 5 0, run 0 100, set 5 1, run 100 156, set 5 1");
    CHECK(processed({lane(mix, {{0, 0.25}, {255, 0.5}})}) == "set 8 0.25, run 0 256, set 8 0.5");
}

TEST_CASE("VST3: points of one sample keep their order, and those of several parameters are taken in time") {
    CHECK(processed({lane(gap, {{200, 0.0}, {200, 1.0}})}) == "run 0 200, set 5 0, set 5 1, run 200 56, set 5 1");
}

TEST_CASE("VST3: unknown parameters and values out of range change nothing") {
    CHECK(processed({lane(parameters, {{0, 1.0}}), lane(gap, {{0, 1.5}, {9, -0.1}})}) == "run 0 256");
}

TEST_CASE("VST3: the cycle's quarters become samples, counted from where the song is") {
    const Transport transport = read(rolling());
    CHECK(transport.valid);
    CHECK(transport.playing);
    CHECK_FALSE(transport.looping);
    CHECK_FALSE(transport.offline);
    CHECK(transport.frame == 96'000);
    CHECK(transport.loop == Span{48'000, 240'000});
    CHECK(read(rolling(), V3_OFFLINE).offline);
}

TEST_CASE("VST3: without a tempo there is no loop range, without anything known no transport") {
    v3_process_context host = rolling();
    host.state &= ~static_cast<std::uint32_t>(V3_PROCESS_CTX_TEMPO_VALID);
    CHECK(read(host).loop.empty());
    host.state = 0;
    CHECK_FALSE(read(host).valid);
    CHECK_FALSE(vst3_transport(v3_process_data{}, 48'000.0).valid);
}

TEST_CASE("VST3: a bus that the host left out, or left without buffers, has no channels") {
    struct Port {
        std::uint32_t busId;
    };
    const Port ports[] = {{0}, {0}, {1}, {1}};
    const auto port = [&](std::uint32_t each) { return ports[each]; };
    float left = 0.0F;
    float right = 0.0F;
    float* main[] = {&left, &right};
    v3_audio_bus_buffers buses[2] = {};
    buses[0].num_channels = 2;
    buses[0].channel_buffers_32 = main;
    const float* channels[4] = {};
    vst3_channels(buses, 1, channels, port);
    CHECK(channels[0] == &left);
    CHECK(channels[1] == &right);
    CHECK(channels[2] == nullptr);
    buses[1].num_channels = 2;  // off: there, and without buffers
    vst3_channels(buses, 2, channels, port);
    CHECK(channels[3] == nullptr);
    buses[1].num_channels = 1;
    buses[1].channel_buffers_32 = main;
    vst3_channels(buses, 2, channels, port);
    CHECK(channels[2] == &left);
    CHECK(channels[3] == nullptr);
    vst3_channels(nullptr, 0, channels, port);
    CHECK(channels[0] == nullptr);
}
