// All rendered regions of an instance in the order in which they were made, what is undone, and how they sound at the
// host's rate. No locks inside: its owner guards it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/playlist.hpp"
#include "core/region.hpp"

namespace segue::plugin {

class Renders {
public:
    [[nodiscard]] const std::vector<Region>& all() const noexcept { return regions_; }
    void replace(std::vector<Region> regions);

    // Larger than that of any region there was.
    [[nodiscard]] std::uint64_t new_id() noexcept { return ++last_id_; }

    void add(Region region) { regions_.push_back(std::move(region)); }
    [[nodiscard]] Region* find(std::uint64_t id) noexcept;
    void drop(std::uint64_t id);  // as if it never was

    // What they return: whether anything changed.
    bool undo();  // the latest that is heard
    bool redo();  // the one undone last
    bool undo(std::uint64_t id);
    [[nodiscard]] bool can_undo() const noexcept;
    [[nodiscard]] bool can_redo() const noexcept { return !undone_.empty(); }

    // What is heard at `rate`. Regions of another rate are resampled once and kept; one that cannot be is left out, and
    // `note` says so.
    [[nodiscard]] Playlist heard(double rate, std::string& note);

private:
    struct Converted {
        double rate = 0.0;
        std::vector<std::shared_ptr<const Audio>> from;  // the takes it was made of
        Region region;
    };

    [[nodiscard]] const Region* at_rate(const Region& region, double rate, std::string& note);

    std::vector<Region> regions_;
    std::vector<std::uint64_t> undone_;  // the latest at the end
    std::uint64_t last_id_ = 0;
    std::map<std::uint64_t, Converted> converted_;
};

}  // namespace segue::plugin
