#include "core/renders.hpp"

#include <algorithm>

#include "core/refusal.hpp"
#include "core/resample.hpp"

namespace segue::plugin {
namespace {

std::vector<std::shared_ptr<const Audio>> audio_of(const Region& region) {
    std::vector<std::shared_ptr<const Audio>> audio;
    for (const Take& take : region.takes) audio.push_back(take.audio);
    return audio;
}

}  // namespace

void Renders::replace(std::vector<Region> regions) {
    regions_ = std::move(regions);
    converted_.clear();
    undone_.clear();
    for (auto region = regions_.rbegin(); region != regions_.rend(); ++region) {
        if (region->undone) undone_.push_back(region->id);
    }
    for (const Region& region : regions_) last_id_ = std::max(last_id_, region.id);
}

Region* Renders::find(std::uint64_t id) noexcept {
    const auto found = std::find_if(regions_.begin(), regions_.end(), [id](const Region& one) { return one.id == id; });
    return found == regions_.end() ? nullptr : &*found;
}

void Renders::drop(std::uint64_t id) {
    regions_.erase(std::remove_if(regions_.begin(), regions_.end(), [id](const Region& one) { return one.id == id; }),
                   regions_.end());
    undone_.erase(std::remove(undone_.begin(), undone_.end(), id), undone_.end());
    converted_.erase(id);
}

bool Renders::undo() {
    const auto last = std::find_if(regions_.rbegin(), regions_.rend(), [](const Region& one) { return !one.undone; });
    return last != regions_.rend() && undo(last->id);
}

bool Renders::undo(std::uint64_t id) {
    Region* region = find(id);
    if (region == nullptr || region->undone) return false;
    region->undone = true;
    undone_.push_back(id);
    return true;
}

bool Renders::redo() {
    if (undone_.empty()) return false;
    Region* region = find(undone_.back());
    undone_.pop_back();
    if (region == nullptr) return false;
    region->undone = false;
    return true;
}

bool Renders::can_undo() const noexcept {
    return std::any_of(regions_.begin(), regions_.end(), [](const Region& one) { return !one.undone; });
}

Playlist Renders::heard(double rate, std::string& note) {
    std::vector<Region> ready;
    for (const Region& region : regions_) {
        if (region.undone || region.takes.empty()) continue;
        if (const Region* one = at_rate(region, rate, note)) ready.push_back(*one);
    }
    return playlist_of(ready, rate);
}

const Region* Renders::at_rate(const Region& region, double rate, std::string& note) {
    if (region.rate == rate) return &region;
    std::vector<std::shared_ptr<const Audio>> from = audio_of(region);
    const auto known = converted_.find(region.id);
    if (known != converted_.end() && known->second.rate == rate && known->second.from == from) {
        return &known->second.region;
    }
    Expected<Region> made = convert(region, rate);
    if (!made) {
        note = words_of(made.error());
        return nullptr;
    }
    Converted& kept = converted_[region.id];
    kept = {rate, std::move(from), std::move(*made)};
    return &kept.region;
}

}  // namespace segue::plugin
