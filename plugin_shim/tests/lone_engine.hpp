#pragma once

#include "core/engine.hpp"
#include "folder_double.hpp"

namespace segue::plugin::testing {

// Of an engine that finds no renderer and leaves nothing behind.
inline EngineSettings settings_in(const Folder& folder) {
    EngineSettings settings;
    settings.connection_file = folder.path / "connection.json";
    settings.renders = folder.path / "renders";
    settings.start_renderer = false;
    return settings;
}

}  // namespace segue::plugin::testing
