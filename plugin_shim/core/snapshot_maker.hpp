// Makes the picture that the UI shows.
#pragma once

#include "core/model.hpp"
#include "core/realtime.hpp"
#include "core/snapshot.hpp"

namespace segue::plugin {

// The model's mutex must be held.
[[nodiscard]] Snapshot make_snapshot(const Model& model, const Realtime::State& state, const LinkView& link,
                                     const JobView& job, const GapView& gap);

}  // namespace segue::plugin
