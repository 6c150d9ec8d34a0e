// A session's presets by number. A renderer lists names, and one more of them moves all behind it: so a session keeps
// the numbers that it has met, and what is new comes behind. No locks inside: its owner guards it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace segue::plugin {

class Presets {
public:
    // What the renderer lists now.
    void offer(std::vector<std::string> names);

    // Preset 1 is the first; what a session knows and this renderer does not is there too. At most max_presets.
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

    // For the session's state, and from it; empty: none are known.
    [[nodiscard]] std::string text() const;
    void restore(std::string_view text);

private:
    void add_offered();

    std::vector<std::string> offered_;
    std::vector<std::string> names_;
};

}  // namespace segue::plugin
