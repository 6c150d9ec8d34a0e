// The engine's blob to and from a host's stream, whole: what cannot be read to its end, or is refused, changes nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "core/state_limits.hpp"
#include "dpf/plugin_access.hpp"

namespace segue::plugin {

inline constexpr std::size_t stream_part = std::size_t{1} << 20U;

// What a host gets that cannot be told of a failure: the latest state that was saved, or loaded, whole.
class KeptState {
public:
    void keep(std::string blob) {
        if (!blob.empty()) blob_ = std::move(blob);
    }
    [[nodiscard]] const std::string& blob() const noexcept { return blob_; }

private:
    std::string blob_;
};

// `write(data, size)` returns how many bytes the host took, at least one, or less on failure. Nothing to write is a
// failure too: the engine refused to save, and an empty state would replace the one that the session has.
template <class Write>
bool write_blob(const std::string& blob, const Write& write) {
    for (std::size_t done = 0; done < blob.size();) {
        const std::int64_t taken = write(blob.data() + done, std::min(stream_part, blob.size() - done));
        if (taken <= 0) {
            return false;
        }
        done += static_cast<std::size_t>(taken);
    }
    return !blob.empty();
}

template <class Write>
bool save_state(void* instance, const Write& write) noexcept {
    try {
        return write_blob(engine_of(instance).save(), write);
    } catch (const std::exception&) {
        return false;
    }
}

// `read(data, size)` returns how many bytes there were, 0 at the end, less on failure. Of what is larger than `most` no
// more is read than it takes for the engine to refuse it, in words.
template <class Read>
bool load_state(void* instance, const Read& read, std::size_t most = StateLimits().bytes) noexcept {
    try {
        std::string blob;
        std::vector<char> part(stream_part);
        for (;;) {
            const std::int64_t got = read(part.data(), part.size());
            if (got < 0) {
                return false;
            }
            if (got == 0 || blob.size() > most) {
                return engine_of(instance).load(blob);
            }
            blob.append(part.data(), static_cast<std::size_t>(got));
        }
    } catch (const std::exception&) {
        return false;
    }
}

}  // namespace segue::plugin
