// The engine's one thread of its own: hears what the audio thread wrote down, speaks with the renderer, and makes
// playlists, snapshots and files of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "core/desk.hpp"
#include "core/engine.hpp"
#include "core/hearing.hpp"
#include "core/link/link.hpp"
#include "core/model.hpp"
#include "core/realtime.hpp"
#include "core/shown.hpp"

namespace segue::plugin {

class Worker {
public:
    Worker(Model& model, Realtime& realtime, Shown& shown, const EngineSettings& settings);
    ~Worker();  // joins
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

private:
    void run() noexcept;
    void round();
    [[nodiscard]] bool drain(Clock::time_point now);
    [[nodiscard]] bool hear_on();
    void follow_orders(Orders& orders);
    void watch(const Realtime::State& state, Clock::time_point now);
    void watch_position(const Realtime::State& state);
    void show(const Realtime::State& state, Clock::time_point now);
    void write_file();

    Model& model_;
    Realtime& realtime_;
    Shown& shown_;
    const EngineSettings& settings_;
    Link link_;
    Desk desk_;
    Hearing hearing_;
    CaptureBlock block_;  // the one being taken
    std::uint64_t edges_;     // of Render, that were seen
    std::uint64_t refusals_;  // of a bounce, that were told
    bool dropped_ = false;    // it was told that the capture is full
    bool more_ = false;       // blocks were left in the queue
    bool unplaced_ = false;   // it was told that the host says nothing of a position
    GapView gap_;
    Clock::time_point gap_made_{};
    Clock::time_point shown_at_{};
    Realtime::State shown_state_;
    std::string shown_link_;
    std::atomic<bool> stop_{false};
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace segue::plugin
