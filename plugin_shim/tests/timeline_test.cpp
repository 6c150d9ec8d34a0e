#include "core/timeline.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

using namespace segue::plugin;

namespace {

Transport rolling(std::int64_t frame) {
    Transport transport;
    transport.valid = true;
    transport.playing = true;
    transport.frame = frame;
    transport.tempo = 120.0;
    return transport;
}

// What a timeline says of host blocks, one after another.
struct Ride {
    Timeline timeline;
    Position position = Position::host;

    Stretch block(const Transport& transport, std::uint32_t frames = 64) {
        return timeline.advance(transport, position, frames);
    }
};

}  // namespace

TEST_CASE("blocks that follow each other don't jump, whatever their sizes") {
    Ride ride;
    std::int64_t frame = 1000;
    CHECK(ride.block(rolling(frame), 64).jumped);
    frame += 64;
    for (const std::uint32_t frames : {1U, 17U, 4096U, 64U}) {
        const Stretch stretch = ride.block(rolling(frame), frames);
        CHECK_FALSE(stretch.jumped);
        CHECK(stretch.from == 0);
        CHECK(stretch.to == frames);
        CHECK(stretch.frame == frame);
        frame += frames;
        CHECK(stretch.playhead == frame);
    }
}

TEST_CASE("fault 12: a start, a seek, a repeated block and a step of one sample are jumps") {
    Ride ride;
    CHECK(ride.block(rolling(0)).jumped);
    CHECK_FALSE(ride.block(rolling(64)).jumped);
    CHECK(ride.block(rolling(64)).jumped);
    CHECK(ride.block(rolling(127)).jumped);
    CHECK(ride.block(rolling(192)).jumped);
    CHECK(ride.block(rolling(100000)).jumped);
    CHECK_FALSE(ride.block(rolling(100064)).jumped);
    Transport stopped = rolling(100128);
    stopped.playing = false;
    const Stretch still = ride.block(stopped);
    CHECK_FALSE(still.rolling());
    CHECK(still.known);
    CHECK(still.playhead == 100128);
    CHECK(ride.block(rolling(100128)).jumped);  // time went by: it does not follow from what was heard before
}

TEST_CASE("fault 12: a change of tempo is seen, once, also over a stop; rounding is none") {
    Ride ride;
    Transport transport = rolling(0);
    CHECK_FALSE(ride.block(transport).tempo_changed);
    transport.frame = 64;
    transport.tempo = 120.0 * (1.0 + 1e-12);
    CHECK_FALSE(ride.block(transport).tempo_changed);
    transport.frame = 128;
    transport.tempo = 121.0;
    CHECK(ride.block(transport).tempo_changed);
    transport.frame = 192;
    CHECK_FALSE(ride.block(transport).tempo_changed);
    transport.frame = 256;
    transport.tempo = 0.0;  // the host says nothing for once
    CHECK_FALSE(ride.block(transport).tempo_changed);
    transport.playing = false;
    ride.block(transport);
    transport.playing = true;
    transport.tempo = 90.0;
    CHECK(ride.block(transport).tempo_changed);
}

TEST_CASE("fault 12: a loop is a jump, and what lies past a loop's end belongs nowhere") {
    Ride ride;
    Transport transport = rolling(896);
    transport.looping = true;
    transport.loop = {500, 1000};
    CHECK(ride.block(transport).to == 64);
    transport.frame = 960;
    const Stretch across = ride.block(transport);
    CHECK(across.from == 0);
    CHECK(across.to == 40);
    transport.frame = 524;
    CHECK(ride.block(transport).jumped);
    transport.frame = 588;
    CHECK_FALSE(ride.block(transport).jumped);
    transport.frame = 1500;  // behind the loop a host plays on
    CHECK(ride.block(transport).to == 64);
    transport.frame = 960;
    transport.looping = false;
    CHECK(ride.block(transport).to == 64);
}

TEST_CASE("the time before the song's start belongs nowhere") {
    Ride ride;
    CHECK_FALSE(ride.block(rolling(-100)).rolling());
    const Stretch across = ride.block(rolling(-36));
    CHECK(across.from == 36);
    CHECK(across.to == 64);
    CHECK(across.frame == 0);
    CHECK(across.jumped);
    CHECK_FALSE(ride.block(rolling(28)).jumped);
}

TEST_CASE("a free run counts what was processed since the reset, whatever the host says") {
    Ride ride;
    CHECK_FALSE(ride.block(Transport{}, 1000).known);
    ride.position = Position::free_run;
    Stretch stretch = ride.block(rolling(77), 100);
    CHECK(stretch.frame == 1000);
    CHECK(stretch.jumped);
    CHECK(stretch.loop.empty());
    stretch = ride.block(Transport{}, 17);
    CHECK(stretch.known);
    CHECK(stretch.frame == 1100);
    CHECK_FALSE(stretch.jumped);
    ride.position = Position::host;
    CHECK(ride.block(rolling(1117)).jumped);  // the same number of another count
    ride.timeline.reset();
    ride.position = Position::free_run;
    CHECK(ride.block(Transport{}).frame == 0);
}

TEST_CASE("a host without a transport has no position") {
    Ride ride;
    const Stretch stretch = ride.block(Transport{});
    CHECK_FALSE(stretch.known);
    CHECK_FALSE(stretch.rolling());
}

TEST_CASE("positions and loops that no song has are not believed") {
    Ride ride;
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    CHECK_FALSE(ride.block(rolling(least)).known);
    CHECK_FALSE(ride.block(rolling(most)).known);
    Transport transport = rolling(0);
    transport.looping = true;
    transport.loop = {least, most};
    const Stretch stretch = ride.block(transport);
    CHECK(stretch.loop.empty());
    CHECK(stretch.to == 64);
    transport.loop = {10, 5};
    CHECK(ride.block(transport).to == 64);
}
