// A set of samples of the song, as spans in order that neither touch nor overlap.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/transport.hpp"

namespace segue::plugin {

class SpanSet {
public:
    void add(const Span& span);
    void remove(const Span& span);
    void clear() noexcept;

    [[nodiscard]] const std::vector<Span>& spans() const noexcept { return spans_; }
    [[nodiscard]] bool empty() const noexcept { return spans_.empty(); }
    [[nodiscard]] std::int64_t frames() const noexcept { return frames_; }

    [[nodiscard]] bool contains(std::int64_t frame) const noexcept { return around(frame).has_value(); }
    [[nodiscard]] bool contains(const Span& span) const noexcept;  // all of it; an empty one is contained
    [[nodiscard]] std::optional<Span> around(std::int64_t frame) const noexcept;  // the whole span that holds `frame`
    [[nodiscard]] std::vector<Span> within(const Span& span) const;               // what lies inside of it

private:
    std::vector<Span> spans_;
    std::int64_t frames_ = 0;
};

}  // namespace segue::plugin
