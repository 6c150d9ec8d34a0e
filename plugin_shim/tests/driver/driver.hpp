// What the driver's command lines do; each answers with one line of JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "core/engine.hpp"
#include "player.hpp"

namespace segue::plugin::driver {

class Driver {
public:
    Driver();

    // The answer to a line. Throws std::exception for what cannot be done.
    [[nodiscard]] std::string run(const std::string& line);

private:
    using Words = std::istringstream;

    [[nodiscard]] std::string create(Words& words);
    [[nodiscard]] std::string destroy(Words& words);
    [[nodiscard]] std::string activate(Words& words);
    [[nodiscard]] std::string set(Words& words);
    [[nodiscard]] std::string play(Words& words);
    [[nodiscard]] std::string play_all(Words& words);
    [[nodiscard]] std::string wait(Words& words);
    [[nodiscard]] std::string state(const std::string& command, Words& words);
    [[nodiscard]] std::string peaks(Words& words);
    [[nodiscard]] bool simple(const std::string& command, Words& words);
    [[nodiscard]] Engine& engine() { return *engines_.at(current_); }
    [[nodiscard]] Pass read_pass(Words& words) const;

    EngineSettings settings_;
    std::vector<std::unique_ptr<Engine>> engines_;
    std::size_t current_ = 0;
    Wav song_;
    Wav side_;
    Span loop_;
    std::uint32_t block_ = 512;
    std::int64_t position_ = 0;  // where the transport stands
    Automation automation_;
};

}  // namespace segue::plugin::driver
