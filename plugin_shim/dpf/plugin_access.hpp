// How the UI and the host wrappers reach the engine behind DPF's instance pointer.
#pragma once

#include "core/engine.hpp"

namespace segue::plugin {

// `instance`: what DPF's getPluginInstancePointer() returns; never nullptr.
[[nodiscard]] Engine& engine_of(void* instance) noexcept;

}  // namespace segue::plugin
