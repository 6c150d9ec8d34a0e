// Between what an instance holds and the blob that the host keeps.
#pragma once

#include <string>
#include <string_view>

#include "core/model.hpp"
#include "core/realtime.hpp"

namespace segue::plugin {

// Takes the mutex, but not while it packs.
[[nodiscard]] std::string save_blob(Model& model, const Realtime& realtime);

// Whole or not at all; the model's notice says what was wrong. Takes the mutex. False: all is as it was.
[[nodiscard]] bool load_blob(Model& model, Realtime& realtime, std::string_view blob);

}  // namespace segue::plugin
