// What a saved state may be, to be saved and to be loaded.
#pragma once

#include <cstddef>
#include <cstdint>

namespace segue::plugin {

struct StateLimits {
    std::size_t bytes = std::size_t{1} << 30U;     // of the blob
    std::int64_t frames = std::int64_t{1} << 29U;  // of all takes: 4 GiB once they are loaded
    std::size_t regions = 4096;
};

}  // namespace segue::plugin
