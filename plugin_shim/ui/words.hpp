// The sentences of the UI: what is, and what to do about it.
#pragma once

#include <string>
#include <vector>

#include "ui/scene.hpp"

namespace segue::plugin::ui::words {

enum class Mood { quiet, good, warning, bad };

struct Sentence {
    std::string text;
    Mood mood = Mood::quiet;
};

// The choices of a list: the table's, or the presets' names.
[[nodiscard]] std::vector<std::string> choices(Widget widget, const Scene& scene);

// Why Render cannot be pressed; empty: it can.
[[nodiscard]] std::string refusal(const Scene& scene);

[[nodiscard]] std::string render_button(const Scene& scene);
// The task, and how long the gap is.
[[nodiscard]] std::string render_caption(const Scene& scene);
[[nodiscard]] Sentence job(const Scene& scene);
[[nodiscard]] Sentence gap(const Scene& scene);
[[nodiscard]] Sentence capture(const Scene& scene);
[[nodiscard]] std::string takes_caption(const Scene& scene);
[[nodiscard]] std::string no_takes(const Scene& scene);
[[nodiscard]] std::string take(const TakeView& take);
[[nodiscard]] std::string score(const TakeView& take);
[[nodiscard]] Sentence song(const Scene& scene);
[[nodiscard]] Sentence link(const Scene& scene);
[[nodiscard]] std::string remedy(const Scene& scene);
// The banner; empty: none is shown.
[[nodiscard]] std::string notice(const Scene& scene);
// What a widget is for, shown when the pointer rests on it.
[[nodiscard]] std::string tip(Widget widget, const Scene& scene);
[[nodiscard]] const char* label(Widget widget) noexcept;
// A task's name from the protocol's word.
[[nodiscard]] std::string task_name(const std::string& word);

}  // namespace segue::plugin::ui::words
