// What of a session there is room for in its state.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/laid_in.hpp"
#include "core/lossless.hpp"
#include "core/state.hpp"
#include "core/state_parts.hpp"

namespace segue::plugin {
namespace {

constexpr std::size_t beside = 1024;                  // bytes of a region or take in the index, without its texts
constexpr std::size_t spare = std::size_t{1} << 18U;  // for all that belongs to no region

struct Room {
    std::size_t bytes = 0;
    std::int64_t frames = 0;
    std::size_t regions = 0;
};

Room room_of(const Region& region) {
    Room room{beside + region.task.size() + region.report.size(), 0, 1};
    for (const Take& take : region.takes) {
        if (take.packed == nullptr) continue;  // still on its way, or refused when it is saved
        room.bytes += beside + take.packed->flac.size() + take.method.size() + take.how.size() + take.recipe.size();
        room.frames += region.span.size();
    }
    return room;
}

bool fits(const std::vector<Region>& regions, const StateLimits& limits) {
    Room all{spare, 0, 0};
    for (const Region& region : regions) {
        const Room one = room_of(region);
        all.bytes += one.bytes;
        all.frames += one.frames;
        all.regions += one.regions;
    }
    return all.bytes <= limits.bytes / 4 * 3 && all.frames <= limits.frames && all.regions <= limits.regions;
}

bool drop_undone(std::vector<Region>& regions) {
    const auto found = std::find_if(regions.begin(), regions.end(), [](const Region& one) { return one.undone; });
    if (found == regions.end()) return false;
    regions.erase(found);
    return true;
}

// Leaves the take that is heard when `chosen` (from 0) is.
bool drop_takes(std::vector<Region>& regions, std::size_t chosen) {
    const auto found =
        std::find_if(regions.begin(), regions.end(), [](const Region& one) { return one.takes.size() > 1; });
    if (found == regions.end()) return false;
    const auto has_audio = [](const Take& take) { return take.audio != nullptr; };
    auto heard = std::find_if(found->takes.begin(), found->takes.end(), has_audio);
    if (chosen < found->takes.size() && has_audio(found->takes[chosen])) {
        heard = found->takes.begin() + static_cast<std::ptrdiff_t>(chosen);
    }
    if (heard == found->takes.end()) heard = found->takes.begin();
    Take kept = std::move(*heard);
    found->takes.clear();
    found->takes.push_back(std::move(kept));
    return true;
}

bool reaches(const Span& span) {
    return !state_parts::rules::position_rule(span.start) && !state_parts::rules::position_rule(span.stop);
}

std::size_t drop_unreachable(State& state) {
    const std::size_t before = state.regions.size();
    const auto beyond = [](const Region& region) { return !reaches(region.span); };
    state.regions.erase(std::remove_if(state.regions.begin(), state.regions.end(), beyond), state.regions.end());
    const std::size_t regions = before - state.regions.size();
    if (!state.marks || reaches(*state.marks)) return regions;
    state.marks.reset();
    return regions + 1;
}

// Sizes are those of what is saved.
void pack_all(std::vector<Region>& regions) {
    for (Region& region : regions) {
        for (Take& take : region.takes) {
            if (take.packed != nullptr || take.audio == nullptr) continue;
            Expected<Packed> packed = pack(*take.audio);
            if (packed) take.packed = std::make_shared<const Packed>(std::move(*packed));
        }
    }
}

}  // namespace

std::string make_room(State& state, const StateLimits& limits) {
    pack_all(state.regions);
    const std::size_t unreachable = drop_unreachable(state);
    const std::size_t chosen = chosen_take(state.values);
    std::size_t undone = 0;
    std::size_t thinned = 0;
    while (!fits(state.regions, limits)) {
        if (drop_undone(state.regions)) {
            ++undone;
        } else if (drop_takes(state.regions, chosen)) {
            ++thinned;
        } else {
            break;  // save_state() refuses it
        }
    }
    if (unreachable + undone + thinned == 0) return {};
    return "the session has no room for all renders: not saved are " + std::to_string(undone) +
           " undone ones, other takes of " + std::to_string(thinned) + ", and " + std::to_string(unreachable) +
           " places beyond any song's end";
}

}  // namespace segue::plugin
