#include "core/link/context.hpp"

#include <mutex>

namespace segue::plugin {

std::shared_ptr<zmq::context_t> shared_context() {
    static std::mutex mutex;
    static std::weak_ptr<zmq::context_t> kept;
    const std::lock_guard<std::mutex> lock(mutex);
    std::shared_ptr<zmq::context_t> context = kept.lock();
    if (!context) {
        context = std::make_shared<zmq::context_t>(1);
        kept = context;
    }
    return context;
}

}  // namespace segue::plugin
