// Hands each call to the half of the plug-in that it concerns.
#include "core/engine.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <mutex>
#include <utility>

#include "core/model.hpp"
#include "core/realtime.hpp"
#include "core/renders_folder.hpp"
#include "core/shown.hpp"
#include "core/snapshot_maker.hpp"
#include "core/state_keeping.hpp"
#include "core/worker.hpp"

namespace segue::plugin {

struct Engine::Impl {
    explicit Impl(EngineSettings given) : settings(std::move(given)), model(SongLimits{settings.max_seconds}) {
        model.renders_folder = settings.renders.empty() ? default_renders_folder() : settings.renders;
        model.notice = settings.complaint;
        realtime.set_bounce_wait(settings.bounce_wait);
    }

    // Changes the model; `body` is called with its mutex held.
    template <class Body>
    void change(Body&& body) {
        const std::lock_guard<std::mutex> lock(model.mutex);
        std::forward<Body>(body)();
        model.changed = true;
        if (!worker) refresh();
    }

    template <class Body>
    void change_heard(Body&& body) {
        change([&] {
            if (body(model.renders)) model.play(realtime, true);
        });
    }

    // A bounce that starts before the worker has seen the order must wait for it all the same.
    void await_gap() {
        const Realtime::State state = realtime.state();
        const GapView gap = model.gap_at(state.playhead, state);
        std::vector<Span>& awaited = model.awaited;
        if (!model.heard_all_of(gap) || std::find(awaited.begin(), awaited.end(), gap.span) != awaited.end()) return;
        awaited.push_back(gap.span);
        model.play(realtime, true);
    }

    // Begins to hear at `rate`. False: it is refused.
    bool start(double rate, std::uint32_t max_block) {
        const std::string refused = Realtime::refusal(rate);
        change([&] {
            for (CaptureBlock block; realtime.take(block);) model.song.add(block);
            if (realtime.activate(rate)) {
                set_rate(rate);
                model.max_block = max_block;
            } else {
                model.say(refused);
            }
        });
        return refused.empty();
    }

    void set_rate(double rate) {
        const bool another = model.song.rate() > 0.0 && model.song.rate() != rate;
        if (std::string note = model.song.set_rate(rate); !note.empty()) model.say(std::move(note));
        if (model.marks && model.marks_rate <= 0.0) model.marks_rate = rate;
        if (another) {
            model.orders.drop_jobs = true;
            model.orders.why = "the host's sample rate changed";
            model.forget_job();
        }
        model.play(realtime, true);
    }

    void employ() {
        const std::lock_guard<std::mutex> lock(model.mutex);
        if (!worker) worker = std::make_unique<Worker>(model, realtime, shown, settings);
    }

    // False: nobody is there to read it.
    bool order_song_file(const std::filesystem::path& path) {
        const std::lock_guard<std::mutex> lock(model.mutex);
        if (worker) model.orders.song_file = SongFileOrder{path, false};
        return worker != nullptr;
    }

    // Without a worker nobody else does.
    void refresh() {
        LinkView link;
        link.text = "idle: connects when the host activates the plug-in";
        GapView gap;
        gap.reason = "nothing was heard yet: play the track";
        shown.set(make_snapshot(model, realtime.state(), link, JobView{}, gap));
    }

    const EngineSettings settings;
    Realtime realtime;
    Model model;
    Shown shown;
    // From the first activation on, guarded as the model is; the last one, so that it is joined first.
    std::unique_ptr<Worker> worker;
};

Engine::Engine(EngineSettings settings) : impl_(std::make_unique<Impl>(std::move(settings))) {
    impl_->change([] {});
}

Engine::~Engine() = default;

bool Engine::activate(double rate, std::uint32_t max_block) noexcept {
    try {
        const bool accepted = impl_->start(rate, max_block);
        if (accepted) impl_->employ();
        return accepted;
    } catch (const std::exception&) {
        impl_->realtime.deactivate();
        return false;  // no memory, or no thread: audio passes through
    }
}

void Engine::deactivate() noexcept { impl_->realtime.deactivate(); }

void Engine::process(const float* const* in, float* const* out, const float* const* side, std::uint32_t frames,
                     const Transport& transport) noexcept {
    impl_->realtime.process(in, out, side, frames, transport);
}

void Engine::set_parameter(Parameter parameter, float value) noexcept {
    impl_->realtime.set_parameter(parameter, value);
}

float Engine::parameter(Parameter parameter) const noexcept { return impl_->realtime.parameter(parameter); }

std::string Engine::save() const { return save_blob(impl_->model, impl_->realtime); }

bool Engine::load(std::string_view blob) {
    const bool taken = load_blob(impl_->model, impl_->realtime, blob);
    impl_->change([] {});
    return taken;
}

std::shared_ptr<const Snapshot> Engine::snapshot() const { return impl_->shown.get(); }

Peaks Engine::peaks(const Span& span, std::uint32_t parts, bool original) const {
    const auto candidate = static_cast<std::uint32_t>(std::lround(parameter(Parameter::candidate)));
    const std::lock_guard<std::mutex> lock(impl_->model.mutex);
    Model& model = impl_->model;
    return model.peaks(model.song, original ? Playlist{} : model.heard, candidate, span, parts);
}

void Engine::render() {
    impl_->change([&] {
        ++impl_->model.orders.renders;
        impl_->await_gap();
    });
}

void Engine::cancel() {
    impl_->change([&] { impl_->model.orders.cancel = true; });
}

void Engine::undo() {
    impl_->change_heard([](Renders& renders) { return renders.undo(); });
}

void Engine::redo() {
    impl_->change_heard([](Renders& renders) { return renders.redo(); });
}

void Engine::remove(std::uint64_t region) {
    impl_->change_heard([region](Renders& renders) { return renders.undo(region); });
}

void Engine::set_marks(const Span& marks) {
    impl_->change([&] {
        impl_->model.marks = marks.empty() ? std::nullopt : std::optional<Span>(marks);
        impl_->model.marks_rate = impl_->model.song.rate();
    });
}

void Engine::set_song_file(const std::filesystem::path& path) {
    if (impl_->order_song_file(path)) return;
    take_song_file(impl_->model, {path, false});
    impl_->change([&] {
        // it takes the place of one that a session named
        if (impl_->model.file_path == path) impl_->model.orders.song_file.reset();
    });
}

void Engine::forget_capture() {
    impl_->change([&] {
        for (CaptureBlock block; impl_->realtime.take(block);) continue;  // heard too, if not yet by the worker
        impl_->model.song.clear();
    });
}

void Engine::reconnect() {
    impl_->change([&] { impl_->model.orders.reconnect = true; });
}

std::filesystem::path Engine::latest_render() const {
    const std::lock_guard<std::mutex> lock(impl_->model.mutex);
    return impl_->model.latest_render;
}

}  // namespace segue::plugin
