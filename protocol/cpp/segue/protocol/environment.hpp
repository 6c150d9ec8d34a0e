// What the environment says.
#pragma once

#include <cstdlib>
#include <string>

namespace segue::protocol {

// An environment variable; empty: not set.
inline std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

}  // namespace segue::protocol
