// What a musician can set and automate. The one table that host, engine and UI read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace segue::plugin {

enum class Parameter : std::uint32_t {
    task,       // Task
    preset,     // 0: none, else a place in the session's list, from 1
    freedom,    // 0 keeps, 1 invents; a curve over the clip
    guidance,   // strength, as a factor on the preset's own; a curve over the clip
    style,      // how far towards the preset; a curve over the clip
    gap,        // the Gap lane: on where new music is wanted
    render,     // a rising edge asks for a render
    candidate,  // which take is heard, 1 is the best
    mix,        // 0 dry, 1 rendered, inside rendered regions
    compare,    // on: the original is heard, A/B
    position,   // Position
    count
};

enum class Task : std::uint32_t { fill_gap, continuation, regenerate, transition, restyle, count };

enum class Position : std::uint32_t { host, free_run, count };

inline constexpr std::size_t parameter_count = static_cast<std::size_t>(Parameter::count);
inline constexpr std::uint32_t max_presets = 63;
inline constexpr std::uint32_t max_takes = 4;

struct ParameterInfo {
    const char* name;
    const char* symbol;  // stays the same for ever: sessions and scripts refer to it
    const char* tip;
    float minimum;
    float maximum;
    float initial;
    bool automatable;
    bool integer;
    bool boolean;
    const char* const* choices;  // nullptr, or one text a whole value
};

[[nodiscard]] const ParameterInfo& info(Parameter parameter) noexcept;

// The word of the protocol for a task.
[[nodiscard]] const char* protocol_name(Task task) noexcept;

// The values of all parameters, by number.
using Values = std::array<float, parameter_count>;

[[nodiscard]] Values initial_values() noexcept;

// Whether `value` is finite and within the parameter's range.
[[nodiscard]] bool is_valid(Parameter parameter, float value) noexcept;

[[nodiscard]] constexpr std::size_t index(Parameter parameter) noexcept { return static_cast<std::size_t>(parameter); }

}  // namespace segue::plugin
