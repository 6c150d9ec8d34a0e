#include "ui/words.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "ui/format.hpp"

namespace segue::plugin::ui::words {
namespace {

constexpr const char* dot = "  \xC2\xB7  ";  // between parts of a line

double seconds(std::int64_t frames, const Snapshot& snapshot) {
    return snapshot.rate > 0.0 ? static_cast<double>(frames) / snapshot.rate : 0.0;
}

std::string length_of(const Span& span, const Snapshot& snapshot) {
    const double length = seconds(span.size(), snapshot);
    const std::string beats = beats_text(length, snapshot.tempo);
    return length_text(length) + (beats.empty() ? "" : " (" + beats + ")");
}

std::string place_of(const Span& span, const Snapshot& snapshot) {
    return clock_text(seconds(span.start, snapshot)) + " to " + clock_text(seconds(span.stop, snapshot));
}

const char* source_text(GapSource source) {
    switch (source) {
        case GapSource::none: return "";
        case GapSource::lane: return "from the Gap lane";
        case GapSource::marks: return "as marked here";
        case GapSource::loop: return "the host's loop range";
        case GapSource::silence: return "the silence between two clips";
    }
    return "";
}

const char* stage_text(JobState state) {
    switch (state) {
        case JobState::armed: return "Armed: waits for the music after the gap";
        case JobState::waiting: return "Waiting for the renderer";
        case JobState::sending: return "Sending the music";
        case JobState::queued: return "In the renderer's queue";
        case JobState::running: return "Rendering";
        case JobState::receiving: return "Receiving the result";
        default: return "";
    }
}

// What the engine says begins with a small letter, as its sentences also stand within others.
std::string capital(std::string text) {
    if (!text.empty() && text.front() >= 'a' && text.front() <= 'z')
        text.front() = static_cast<char>(text.front() - 'a' + 'A');
    return text;
}

std::string running_text(const JobView& job) {
    const bool waits = job.state == JobState::armed || job.state == JobState::waiting;
    if (waits && !job.message.empty())
        return job.state == JobState::armed ? "Armed: " + job.message : capital(job.message);
    std::string text = stage_text(job.state);
    if (waits) return text;
    const bool working = job.state == JobState::running || job.state == JobState::receiving;
    if (working && !job.stage.empty()) text += ": " + job.stage;
    if (working || job.fraction > 0.0) {
        std::array<char, 16> percent{};
        std::snprintf(percent.data(), percent.size(), "%.0f %%", std::clamp(job.fraction, 0.0, 1.0) * 100.0);
        text += dot + std::string{percent.data()};
    }
    if (job.seconds_left) text += dot + left_text(*job.seconds_left);
    return job.message.empty() ? text : text + dot + job.message;
}

Sentence ended(const JobView& job, const char* otherwise, Mood mood) {
    return {job.message.empty() ? otherwise : capital(job.message), mood};
}

bool offers(const LinkView& link, Task task) {
    // a renderer that has not said what it offers yet is not refused for it
    return link.tasks.empty() || std::count(link.tasks.begin(), link.tasks.end(), protocol_name(task)) > 0;
}

const char* task_label(Task task) { return info(Parameter::task).choices[static_cast<std::size_t>(task)]; }

Task task_of(const Scene& scene) { return static_cast<Task>(std::lround(scene.value(Parameter::task))); }

}  // namespace

std::vector<std::string> choices(Widget widget, const Scene& scene) {
    if (widget == Widget::preset) {
        std::vector<std::string> names{"None"};
        for (const std::string& preset : scene.snapshot.link.presets) {
            if (names.size() <= max_presets) names.push_back(preset);
        }
        // a session may name a preset that this renderer does not have, or that is not known yet
        const auto chosen = static_cast<std::size_t>(std::lround(scene.value(Parameter::preset)));
        while (names.size() <= chosen) names.push_back("Preset " + std::to_string(names.size()));
        return names;
    }
    const auto parameter = parameter_of(widget);
    if (!parameter || info(*parameter).choices == nullptr) return {};
    const auto count = static_cast<std::ptrdiff_t>(std::lround(info(*parameter).maximum)) + 1;
    return {info(*parameter).choices, info(*parameter).choices + count};
}

std::string refusal(const Scene& scene) {
    if (!scene.state.engine) return {};
    const Task task = task_of(scene);
    const LinkView& link = scene.snapshot.link;
    if (link.state != LinkState::online || offers(link, task)) return {};
    return std::string{"This renderer does not offer "} + task_label(task) + ". Choose another task.";
}

std::string render_button(const Scene& scene) {
    return busy(scene.snapshot.job) ? "Cancel" : info(Parameter::render).name;
}

std::string render_caption(const Scene& scene) {
    const GapView& gap = scene.snapshot.gap;
    const std::string task = task_label(task_of(scene));
    return gap.source == GapSource::none ? task : task + dot + length_text(seconds(gap.span.size(), scene.snapshot));
}

Sentence job(const Scene& scene) {
    const Snapshot& snapshot = scene.snapshot;
    const JobView& job = snapshot.job;
    if (busy(job)) return {running_text(job), job.state == JobState::armed ? Mood::warning : Mood::quiet};
    const std::string why = refusal(scene);
    if (!why.empty()) return {why, Mood::warning};
    switch (job.state) {
        case JobState::done: return ended(job, "Done. Play across the gap to hear it.", Mood::good);
        case JobState::failed: return ended(job, "Failed. The log of segue serve says why.", Mood::bad);
        case JobState::cancelled: return ended(job, "Cancelled.", Mood::quiet);
        default: break;
    }
    if (!scene.state.engine) return {"Progress cannot be shown in this host.", Mood::quiet};
    if (snapshot.gap.source == GapSource::none) {
        return {"No gap yet. Play across the hole, or drag over the waveform to mark one.", Mood::quiet};
    }
    return {"Ready. The first take is heard as soon as it is here.", Mood::quiet};
}

Sentence gap(const Scene& scene) {
    const Snapshot& snapshot = scene.snapshot;
    if (!scene.state.engine) return {"The gap is drawn with the Gap lane in this host.", Mood::quiet};
    if (scene.state.draft) {
        return {"Mark " + place_of(*scene.state.draft, snapshot) + dot + length_of(*scene.state.draft, snapshot),
                Mood::warning};
    }
    const GapView& gap = snapshot.gap;
    if (gap.source == GapSource::none) {
        if (!gap.reason.empty()) return {capital(gap.reason), Mood::quiet};
        return {"No gap yet. Play across the hole, or drag over the waveform to mark one.", Mood::quiet};
    }
    return {"Gap " + place_of(gap.span, snapshot) + dot + length_of(gap.span, snapshot) + dot + source_text(gap.source),
            Mood::warning};
}

Sentence capture(const Scene& scene) {
    const CaptureView& capture = scene.snapshot.capture;
    if (!scene.state.engine) return {};
    if (capture.heard.empty())
        return {"Nothing heard yet. Start the transport: what plays is listened to.", Mood::quiet};
    std::string text = "Heard " + clock_text_short(capture.seconds) + " of " + clock_text_short(capture.max_seconds) +
                       dot + bytes_text(capture.bytes);
    if (capture.side_seconds > 0.0) text += dot + ("side-chain " + clock_text_short(capture.side_seconds));
    Mood mood = Mood::quiet;
    const auto flag = [&](bool set, const char* words, Mood how) {
        if (!set) return;
        text += dot + std::string{words};
        mood = std::max(mood, how);
    };
    flag(capture.lost, "blocks were lost, play it again", Mood::bad);
    flag(capture.nonfinite, "NaN or Inf in the input, heard as silence", Mood::bad);
    flag(capture.discontinuous, "the transport jumped or the tempo changed", Mood::warning);
    return {text, mood};
}

std::string takes_caption(const Scene& scene) {
    const RegionView* region = shown_region(scene);
    if (region == nullptr) return "Takes";
    const std::string what = task_name(region->task) + " at " + clock_text(seconds(region->span.start, scene.snapshot));
    return region->undone ? what + " (undone)" : what;
}

std::string no_takes(const Scene& scene) {
    if (!scene.state.engine) return "Takes cannot be listed in this host. The Candidate parameter chooses one.";
    return "Up to four takes appear here, the best one first. Press one to hear it.";
}

std::string take(const TakeView& take) { return take.method.empty() ? "Take" : capital(take.method); }

std::string score(const TakeView& take) {
    if (!take.score) return "not ranked";
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "score %.2f", *take.score);
    return text.data();
}

Sentence song(const Scene& scene) {
    if (!scene.state.engine) return {"A song file cannot be given in this host.", Mood::quiet};
    const std::string& file = scene.snapshot.song_file;
    const std::string name = std::filesystem::u8path(file).filename().u8string();
    if (scene.snapshot.song_file_unread) return {name + " was not read.", Mood::warning};
    if (!file.empty()) return {name, Mood::good};
    return {"What was heard. A bounce can be given.", Mood::quiet};
}

Sentence link(const Scene& scene) {
    if (!scene.state.engine) return {"This window has no access to the plug-in.", Mood::warning};
    const LinkView& link = scene.snapshot.link;
    const auto said = [&](const char* otherwise) {
        return link.text.empty() ? std::string{otherwise} : capital(link.text);
    };
    switch (link.state) {
        case LinkState::idle: return {said("Idle: the host has not started the plug-in yet"), Mood::quiet};
        case LinkState::offline: return {said("Offline: no renderer answers"), Mood::bad};
        case LinkState::starting: return {said("Starting a renderer"), Mood::warning};
        case LinkState::connecting: return {said("Connecting to the renderer"), Mood::warning};
        case LinkState::online: return {said("Online"), Mood::good};
    }
    return {};
}

std::string remedy(const Scene& scene) {
    if (!scene.state.engine)
        return "Use the host's own parameter list for what is greyed out here, or load the VST3 or CLAP.";
    const LinkView& link = scene.snapshot.link;
    if (!link.remedy.empty()) return link.remedy;
    return link.state == LinkState::online ? link.renderer : std::string{};
}

std::string notice(const Scene& scene) {
    if (!scene.state.notice.empty()) return scene.state.notice;
    if (scene.state.engine) return capital(scene.snapshot.notice);
    return "This host keeps the window apart from the plug-in. Task, preset, knobs, A/B and Render work; the waveform, "
           "progress, "
           "takes and undo cannot be shown. Rendering and playback are as in any other host.";
}

std::string tip(Widget widget, const Scene& scene) {
    if (is_knob(widget)) {
        return std::string{info(*parameter_of(widget)).tip} +
               ". Drag, wheel or arrows; Shift is finer; double-click resets.";
    }
    switch (widget) {
        case Widget::task: return info(Parameter::task).tip;
        case Widget::preset: return "What the new music should sound like";
        case Widget::position: return info(Parameter::position).tip;
        case Widget::compare: return "A/B: what was there, or what was rendered";
        case Widget::undo: return "Take the latest render away";
        case Widget::redo: return "Bring it back";
        case Widget::remove: return "Take this one render away";
        case Widget::forget: return "Forget what was heard; renders stay";
        case Widget::reveal: return "Show the latest render's file: " + scene.snapshot.folder;
        case Widget::clear_marks: return "Let lane, loop range or silence say where the gap is";
        case Widget::browse:
            return "A bounce of the whole song, for the renderer to look in; or copy a file and paste it here";
        case Widget::ruler: return "Drag to scroll";
        default: return {};
    }
}

const char* label(Widget widget) noexcept {
    switch (widget) {
        case Widget::undo: return "Undo";
        case Widget::redo: return "Redo";
        case Widget::clear_marks: return "Clear marks";
        case Widget::forget: return "Forget";
        case Widget::fit: return "Fit";
        case Widget::remove: return "Remove";
        case Widget::browse: return "Browse\xE2\x80\xA6";
        case Widget::clear_song: return "Clear";
        case Widget::reveal: return "Reveal file";
        case Widget::reconnect: return "Reconnect";
        default: {
            const auto parameter = parameter_of(widget);
            return parameter ? info(*parameter).name : "";
        }
    }
}

std::string task_name(const std::string& word) {
    for (std::size_t each = 0; each < static_cast<std::size_t>(Task::count); ++each) {
        if (word == protocol_name(static_cast<Task>(each))) return task_label(static_cast<Task>(each));
    }
    return word;
}

}  // namespace segue::plugin::ui::words
