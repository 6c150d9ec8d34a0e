#include "core/parameters.hpp"

#include <cmath>

namespace segue::plugin {
namespace {

constexpr const char* tasks[] = {"Fill Gap", "Continue", "Regenerate", "Transition", "Restyle"};
constexpr const char* protocol_tasks[] = {"infill", "continuation", "regenerate", "transition", "restyle"};
constexpr const char* positions[] = {"Host", "Free run"};

constexpr ParameterInfo continuous(const char* name, const char* symbol, const char* tip, float maximum, float initial) {
    return {name, symbol, tip, 0.0F, maximum, initial, true, false, false, nullptr};
}

constexpr ParameterInfo toggle(const char* name, const char* symbol, const char* tip) {
    return {name, symbol, tip, 0.0F, 1.0F, 0.0F, true, true, true, nullptr};
}

constexpr ParameterInfo table[] = {
    {"Task", "task", "What to do with the gap", 0.0F, 4.0F, 0.0F, true, true, false, tasks},
    {"Preset", "preset", "Style preset, by its place in the session's list; 0 is none", 0.0F,
     static_cast<float>(max_presets), 0.0F, true, true, false, nullptr},
    continuous("Freedom", "freedom", "0 keeps what is there, 1 invents", 1.0F, 0.6F),
    continuous("Guidance", "guidance", "Strength of the guidance, as a factor on the preset's own", 2.0F, 1.0F),
    continuous("Style", "style", "How far towards the preset", 1.0F, 0.6F),
    toggle("Gap", "gap", "Draw it on where new music is wanted"),
    toggle("Render", "render", "Each switch from off to on asks for a render"),
    {"Candidate", "candidate", "Which take is heard; 1 is the best", 1.0F, static_cast<float>(max_takes), 1.0F, true,
     true, false, nullptr},
    continuous("Mix", "mix", "0 is the original, 1 the rendered music, inside rendered regions", 1.0F, 1.0F),
    toggle("Compare", "compare", "On: the original is heard"),
    {"Position", "position", "Where the song position comes from: the host, or a count of what was played", 0.0F, 1.0F,
     0.0F, false, true, false, positions},
};

static_assert(sizeof table / sizeof table[0] == parameter_count, "one row a parameter");

}  // namespace

const ParameterInfo& info(Parameter parameter) noexcept { return table[index(parameter)]; }

const char* protocol_name(Task task) noexcept { return protocol_tasks[static_cast<std::size_t>(task)]; }

Values initial_values() noexcept {
    Values values{};
    for (std::size_t i = 0; i < parameter_count; ++i) values[i] = table[i].initial;
    return values;
}

bool is_valid(Parameter parameter, float value) noexcept {
    const ParameterInfo& about = info(parameter);
    return std::isfinite(value) && value >= about.minimum && value <= about.maximum;
}

}  // namespace segue::plugin
