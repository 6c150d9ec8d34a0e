// Every state of the UI, as snapshots that an engine could have made.
#pragma once

#include <string>
#include <vector>

#include "core/parameters.hpp"
#include "core/snapshot.hpp"
#include "ui/scene.hpp"

namespace segue::plugin::screens {

struct Picture {
    std::string name;
    Snapshot snapshot;
    Values values = initial_values();
    ui::UiState state;
    Span hole;  // heard, and silent unless a region fills it
};

[[nodiscard]] std::vector<Picture> all_pictures();

}  // namespace segue::plugin::screens
