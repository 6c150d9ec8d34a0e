#include "core/presets.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/parameters.hpp"

namespace segue::plugin {

void Presets::offer(std::vector<std::string> names) {
    offered_ = std::move(names);
    add_offered();
}

std::string Presets::text() const {
    std::string all;
    for (const std::string& name : names_) all += (all.empty() ? "" : "\n") + name;
    return all;
}

void Presets::restore(std::string_view text) {
    names_.clear();
    while (!text.empty() && names_.size() < max_presets) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        names_.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    add_offered();
}

void Presets::add_offered() {
    for (const std::string& name : offered_) {
        const bool known = std::find(names_.begin(), names_.end(), name) != names_.end();
        if (!known && names_.size() < max_presets) names_.push_back(name);
    }
}

}  // namespace segue::plugin
