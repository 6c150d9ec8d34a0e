// Why something cannot be done, in words: the protocol's Failure and Expected, for the plug-in's own parts too.
#pragma once

#include <string>
#include <utility>

#include "segue/protocol/errors.hpp"

namespace segue::plugin {

using Refusal = protocol::Failure;  // `message` says what is and what was expected, `remedy` what to do
using protocol::Expected;

[[nodiscard]] inline Refusal refuse(std::string what, const std::string& remedy,
                                    protocol::Code code = protocol::Code::invalid) {
    return protocol::failure(code, std::move(what), remedy);
}

// A refusal in one line.
[[nodiscard]] inline std::string words_of(const Refusal& why) {
    return why.remedy.empty() ? why.message : why.message + ": " + why.remedy;
}

}  // namespace segue::plugin
