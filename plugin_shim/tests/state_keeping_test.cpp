// What a state leaves as it is, and what it replaces, in an instance that is in the middle of something.
#include "core/state_keeping.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "core/lossless.hpp"
#include "core/state.hpp"
#include "host_double.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

constexpr double rate = 48'000.0;

State with_regions() {
    State state;
    for (const std::int64_t id : {1, 2}) {
        Region region = region_of(static_cast<std::uint64_t>(id), {1000 * id, 1000 * id + 500}, rate,
                                  {numbered(static_cast<std::uint32_t>(id))});
        region.task = "infill";
        region.complete = true;
        for (Take& take : region.takes) take.audio = std::make_shared<const Audio>(*round_to_24(*take.audio));
        state.regions.push_back(std::move(region));
    }
    return state;
}

// A model that was activated.
struct Instance {
    Model model{SongLimits{}};
    Realtime realtime;

    Instance() {
        REQUIRE(realtime.activate(rate));
        (void)model.song.set_rate(rate);
    }
};

}  // namespace

TEST_CASE_FIXTURE(Instance, "a state that is loaded during a job has all its regions, whatever the job's number is") {
    model.open_region = 1;
    REQUIRE(load_blob(model, realtime, *save_state(with_regions())));
    CHECK(model.renders.all().size() == 2);
    CHECK(model.open_region == 0);
}
