// What a wrapper did with a block, written down as text: "run 0 100, set 5 1, run 100 156".
#pragma once

#include <cstdint>
#include <sstream>
#include <string>

namespace segue::plugin {

class Slices {
public:
    void run(std::uint32_t from, std::uint32_t frames) { add() << "run " << from << ' ' << frames; }
    void set(std::uint32_t parameter, double value) { add() << "set " << parameter << ' ' << value; }
    void move(std::int64_t frame) { add() << "move " << frame; }

    [[nodiscard]] std::string text() const { return text_.str(); }

private:
    std::ostringstream& add() {
        if (text_.tellp() > 0) {
            text_ << ", ";
        }
        return text_;
    }

    std::ostringstream text_;
};

}  // namespace segue::plugin
