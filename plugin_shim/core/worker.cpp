#include "core/worker.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <utility>

#include "core/bwf.hpp"
#include "core/clock.hpp"
#include "core/snapshot_maker.hpp"

#ifndef _WIN32
#include <csignal>
#include <pthread.h>
#endif

namespace segue::plugin {
namespace {

constexpr std::chrono::milliseconds round_wait{10};
constexpr std::chrono::milliseconds goodbye{100};
constexpr Seconds snapshot_interval{0.03};
constexpr Seconds gap_interval{0.1};
constexpr int most_blocks = 512;  // a round, so that nobody waits long for the model

// Signals of the host are no business of this thread.
class SignalsBlocked {
public:
    SignalsBlocked() noexcept {
#ifndef _WIN32
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
#endif
    }
    ~SignalsBlocked() {
#ifndef _WIN32
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
#endif
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
#ifndef _WIN32
    sigset_t before_{};
#endif
};

LinkSettings link_settings(const EngineSettings& settings) {
    return {settings.connection_file, settings.start_renderer, "segue plug-in " SEGUE_PLUGIN_VERSION};
}

}  // namespace

Worker::Worker(Model& model, Realtime& realtime, Shown& shown, const EngineSettings& settings)
    : model_(model),
      realtime_(realtime),
      shown_(shown),
      settings_(settings),
      link_(link_settings(settings)),
      desk_(model, realtime, settings, [this] { return !stop_.load(std::memory_order_relaxed); }),
      edges_(realtime.state().render_edges),
      refusals_(realtime.state().bounce_refusals) {
    const SignalsBlocked blocked;  // the thread inherits it
    thread_ = std::thread([this] { run(); });
}

Worker::~Worker() {
    stop_.store(true, std::memory_order_relaxed);
    thread_.join();
}

void Worker::run() noexcept {
    while (!stop_.load(std::memory_order_relaxed)) {
        try {
            round();
        } catch (const std::exception& error) {
            // memory, most likely: what was under way is given up, and the audio thread goes on as it was
            const std::lock_guard<std::mutex> lock(model_.mutex);
            model_.orders.drop_jobs = true;
            model_.orders.why = std::string("expected to go on, but: ") + error.what();
        }
    }
    link_.close(goodbye);
}

void Worker::round() {
    const bool connected = link_.step(more_ ? std::chrono::milliseconds(0) : round_wait, desk_);
    if (!connected && !more_) std::this_thread::sleep_for(round_wait);
    desk_.step(link_.online(), Clock::now());
    const Clock::time_point now = Clock::now();
    Orders orders;
    {
        const std::lock_guard<std::mutex> lock(model_.mutex);
        more_ = drain(now);
        orders = std::exchange(model_.orders, {});
    }
    follow_orders(orders);
    {
        const std::lock_guard<std::mutex> lock(model_.mutex);
        const Realtime::State state = realtime_.state();
        watch(state, now);
        desk_.look(state, hearing_, link_.view(), now);
        show(state, now);
        realtime_.collect();
    }
    if (!more_) realtime_.dealt();
    write_file();
}

// Whether there is more.
bool Worker::drain(Clock::time_point now) {
    for (int count = 0; count < most_blocks; ++count) {
        if (!realtime_.take(block_)) return false;
        hearing_.take(block_, now);
        model_.song.add(block_);
        if (block_.render_edges > edges_) {
            edges_ = block_.render_edges;
            desk_.arm({block_.frame, true, hearing_.pass_start, hearing_.passes, realtime_.values()});
        }
        model_.changed = true;
    }
    return true;
}

// In the middle of long work, or what is played meanwhile would find the queue full. False: the work is in vain.
bool Worker::hear_on() {
    const std::lock_guard<std::mutex> lock(model_.mutex);
    more_ = drain(Clock::now());
    return !stop_.load(std::memory_order_relaxed);
}

void Worker::follow_orders(Orders& orders) {
    if (orders.drop_jobs) desk_.cancel(orders.why);
    if (orders.cancel) desk_.cancel("cancelled");
    if (orders.reconnect) link_.reconnect();
    if (orders.song_file) take_song_file(model_, *orders.song_file, [this] { return hear_on(); });
    for (int count = 0; count < orders.renders; ++count) {
        desk_.arm({realtime_.state().playhead, false, hearing_.pass_start, hearing_.passes});
    }
}

// What the audio thread says.
void Worker::watch(const Realtime::State& state, Clock::time_point now) {
    // while the transport rolls, the switch comes with the block that saw it
    if (state.render_edges > edges_ && hearing_.stopped(state.active && state.playing, now)) {
        edges_ = state.render_edges;
        desk_.arm({state.edge_playhead, false, hearing_.pass_start, hearing_.passes});
    }
    watch_position(state);
    if (state.bounce_refusals > refusals_) {
        refusals_ = state.bounce_refusals;
        model_.say("the bounce did not get the render of " + clock_text(state.refused, state.rate) +
                   ", and has a marker tone there: bounce again once it is rendered, or cancel the job");
    }
    if (!dropped_ && model_.song.dropped_seconds() > 0.0) {
        dropped_ = true;
        model_.say("the capture is full: what was heard first is forgotten as more is heard");
    }
}

void Worker::watch_position(const Realtime::State& state) {
    constexpr const char* text = "this host says nothing of a song position: set Position to Free run";
    const bool unplaced = state.active && state.called && !state.position_known;
    if (unplaced && !unplaced_) model_.say(text);
    if (!unplaced && unplaced_ && model_.notice == text) model_.say({});
    unplaced_ = unplaced;
}

void Worker::show(const Realtime::State& state, Clock::time_point now) {
    if (now - shown_at_ < snapshot_interval) return;
    const bool moved = state.playhead != shown_state_.playhead || state.playing != shown_state_.playing ||
                       state.active != shown_state_.active || state.rate != shown_state_.rate;
    const bool spoke = desk_.take_changed() || link_.take_changed();
    if (!moved && !spoke && !model_.changed) return;
    if (now - gap_made_ >= gap_interval) {
        gap_made_ = now;
        gap_ = model_.gap_at(state.playhead, state);
        model_.changed = false;
    }
    shown_at_ = now;
    shown_state_ = state;
    shown_.set(make_snapshot(model_, state, link_.view(), desk_.view(), gap_));
}

void Worker::write_file() {
    const std::optional<Finished> finished = desk_.take_finished();
    if (!finished) return;
    const BwfAbout about{finished->span.start, finished->task, finished->method, std::chrono::system_clock::now()};
    const Expected<BwfFile> file = write_bwf(model_.renders_folder, *finished->audio, about);
    const std::lock_guard<std::mutex> lock(model_.mutex);
    if (file) {
        model_.latest_render = file->path;
        model_.say(file->note);
    } else {
        model_.say(words_of(file.error()));
    }
}

}  // namespace segue::plugin
