// The latest snapshot, for any thread but the audio thread.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "core/snapshot.hpp"

namespace segue::plugin {

class Shown {
public:
    [[nodiscard]] std::shared_ptr<const Snapshot> get() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return snapshot_;
    }
    void set(Snapshot snapshot) {
        auto made = std::make_shared<const Snapshot>(std::move(snapshot));
        const std::lock_guard<std::mutex> lock(mutex_);
        snapshot_.swap(made);
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<const Snapshot>();
};

}  // namespace segue::plugin
