// What the UI shows: one consistent picture of the engine, made by the worker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/transport.hpp"

namespace segue::plugin {

enum class LinkState { idle, offline, starting, connecting, online };
enum class JobState { none, armed, waiting, sending, queued, running, receiving, done, failed, cancelled };
enum class GapSource { none, lane, marks, loop, silence };

struct LinkView {
    LinkState state = LinkState::idle;
    std::string text;    // one line: what is, for instance "offline: no renderer answers"
    std::string remedy;  // what to do about it; empty where nothing is to be done
    std::string renderer;
    std::vector<std::string> tasks;    // that the renderer offers, the protocol's words
    std::vector<std::string> presets;  // Preset 1 is the first; a session keeps its numbers, see Presets
};

struct JobView {
    JobState state = JobState::none;
    std::string stage;
    double fraction = 0.0;
    std::optional<double> seconds_left;
    std::string message;  // of a failure: what happened and what to do
};

struct GapView {
    Span span;
    GapSource source = GapSource::none;
    std::string reason;  // where there is none: why, and what to do
};

struct CaptureView {
    double seconds = 0.0;
    double max_seconds = 0.0;
    std::uint64_t bytes = 0;
    std::vector<Span> heard;  // in order
    bool discontinuous = false;
    bool nonfinite = false;
    bool lost = false;
    double side_seconds = 0.0;
};

struct TakeView {
    std::string method;
    std::optional<double> score;
};

struct RegionView {
    std::uint64_t id = 0;
    Span span;
    std::string task;
    std::vector<TakeView> takes;
    bool undone = false;
    bool complete = false;
};

struct Snapshot {
    double rate = 0.0;
    std::int64_t playhead = 0;
    bool playing = false;
    bool active = false;
    LinkView link;
    JobView job;
    GapView gap;
    CaptureView capture;
    std::vector<RegionView> regions;
    std::optional<Span> marks;
    std::string song_file;  // a bounced file that recall may look in; empty: none
    bool song_file_unread = false;  // a session names it, and it was not read yet or cannot be
    std::string notice;     // what went wrong with state, file or bounce, until the next success; empty: nothing
    std::string folder;     // where renders are written as BWF files
    bool can_undo = false;
    bool can_redo = false;
    double tempo = 0.0;  // beats a minute, as the host said last; 0: unknown
};

// The least and greatest sample of each of equal parts of a stretch, left and right together; parts that were never
// heard have low > high.
struct Peaks {
    std::vector<float> low;
    std::vector<float> high;
    std::vector<bool> rendered;  // a rendered region is heard there
};

}  // namespace segue::plugin
