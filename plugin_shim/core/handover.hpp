// Passes objects that never change from a worker to the audio thread, and back to the worker to be deleted.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "core/spsc_queue.hpp"

namespace segue::plugin {

template <typename T>
class Handover {
public:
    // The most objects that the audio thread may hold at a time.
    static constexpr std::size_t max_held = 4;

    // One more: an object may pass from incoming to retired between two offers.
    Handover() : retired_(max_held + 1) {}
    ~Handover() {
        collect();
        delete incoming_.load(std::memory_order_acquire);
    }
    Handover(const Handover&) = delete;
    Handover& operator=(const Handover&) = delete;

    // Worker: the newest wins; one that was never taken is deleted. Collecting first is what bounds `retired_`.
    void offer(std::unique_ptr<const T> object) noexcept {
        collect();
        delete incoming_.exchange(object.release(), std::memory_order_acq_rel);
    }

    // Worker: deletes what the audio thread has done with.
    void collect() noexcept {
        const T* object = nullptr;
        while (retired_.try_pop(object)) delete object;
    }

    // Audio thread: the newest object, to be given back by retire(); nullptr: nothing new.
    [[nodiscard]] const T* take() noexcept {
        // a plain load first: an exchange costs a locked bus cycle a block
        if (incoming_.load(std::memory_order_relaxed) == nullptr) return nullptr;
        return incoming_.exchange(nullptr, std::memory_order_acq_rel);
    }

    // Audio thread. nullptr is ignored.
    void retire(const T* object) noexcept {
        // there is room as long as no more than `max_held` are held: see offer()
        if (object != nullptr) static_cast<void>(retired_.try_push(object));
    }

private:
    std::atomic<const T*> incoming_{nullptr};
    SpscQueue<const T*> retired_;
};

}  // namespace segue::plugin
