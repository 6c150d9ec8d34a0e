#include "core/renders_folder.hpp"

#include "segue/protocol/environment.hpp"

namespace segue::plugin {

std::filesystem::path default_renders_folder() {
    const auto variable = [](const char* name) { return std::filesystem::path(protocol::variable(name)); };
#if defined(_WIN32)
    return variable("LOCALAPPDATA") / "segue" / "renders";
#elif defined(__APPLE__)
    return variable("HOME") / "Library" / "Application Support" / "segue" / "renders";
#else
    const std::filesystem::path data = variable("XDG_DATA_HOME");
    return (data.is_absolute() ? data : variable("HOME") / ".local" / "share") / "segue" / "renders";
#endif
}

}  // namespace segue::plugin
