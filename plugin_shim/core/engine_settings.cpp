// What the environment says of the engine.
#include <cmath>
#include <cstdlib>
#include <string>

#include "core/engine.hpp"
#include "segue/protocol/environment.hpp"

namespace segue::plugin {
namespace {

using protocol::variable;

// Sets `value` where the variable is set and is a number from `least` to `most`.
void take_number(const char* name, double least, double most, double& value, std::string& complaint) {
    const std::string text = variable(name);
    if (text.empty()) return;
    char* end = nullptr;
    const double given = std::strtod(text.c_str(), &end);
    if (*end == '\0' && given >= least && given <= most) {
        value = given;
        return;
    }
    complaint = std::string("expected ") + name + " as a number from " + std::to_string(std::lround(least)) + " to " +
                std::to_string(std::lround(most)) + ", got " + text + ": correct it, or remove it";
}

}  // namespace

EngineSettings EngineSettings::from_environment() {
    EngineSettings settings;
    settings.connection_file = variable("SEGUE_CONNECTION");
    settings.renders = variable("SEGUE_RENDERS");
    settings.start_renderer = variable("SEGUE_START_RENDERER") != "0";
    take_number("SEGUE_BOUNCE_WAIT", 0.0, 86'400.0, settings.bounce_wait, settings.complaint);
    settings.method = variable("SEGUE_METHOD");
    double steps = 0.0;
    take_number("SEGUE_STEPS", 1.0, 1000.0, steps, settings.complaint);
    settings.steps = std::llround(steps);
    return settings;
}

}  // namespace segue::plugin
