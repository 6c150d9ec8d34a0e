// What one instance holds: heard, rendered, marked, and said. Its mutex guards all of it; the audio thread never takes
// it, and nobody holds it while waiting for anything.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/peaks.hpp"
#include "core/presets.hpp"
#include "core/realtime.hpp"
#include "core/renders.hpp"
#include "core/request.hpp"
#include "core/song.hpp"

namespace segue::plugin {

// A file for recall to look in.
struct SongFileOrder {
    std::filesystem::path path;  // empty: none
    bool restored = false;       // a session names it, and keeps the name even where the file cannot be read
};

// What was asked of the worker since it last looked.
struct Orders {
    int renders = 0;
    bool cancel = false;
    bool reconnect = false;
    bool drop_jobs = false;  // what they were about is no more: another state, another rate
    std::string why;         // of drop_jobs
    std::optional<SongFileOrder> song_file;
};

struct Model {
    explicit Model(SongLimits limits) : song(limits) {}

    mutable std::mutex mutex;

    Song song;
    Renders renders;
    std::uint64_t open_region = 0;  // the id a running job may add or change; 0: none
    std::vector<Span> awaited;      // renders that were asked for, at the song's rate
    std::optional<Span> marks;
    double marks_rate = 0.0;
    Presets presets;
    SongFile file;
    std::filesystem::path file_path;  // also of one that a session names and that was not read
    std::filesystem::path renders_folder;  // for BWF files
    std::filesystem::path latest_render;   // empty: none yet
    std::string notice;
    std::string newer_state;  // a blob of a newer version, to be saved again as it is; empty: none
    std::uint32_t max_block = 0;
    Playlist heard;
    PeakFinder peaks;
    Orders orders;
    bool changed = true;  // since the latest snapshot

    // Hands what is heard now to the audio thread; see Playlist::urgent.
    void play(Realtime& realtime, bool urgent);

    // Ends what a job without a result has left: its takes, and what a bounce waits for.
    void forget_job();

    // Where new music is wanted, for a musician who is at `playhead`.
    [[nodiscard]] GapView gap_at(std::int64_t playhead, const Realtime::State& state) const;

    void stop_awaiting(const Span& span);
    [[nodiscard]] bool heard_all_of(const GapView& gap) const;

    // The marks at the song's rate.
    [[nodiscard]] std::optional<Span> marks_now() const;

    void say(std::string text) {
        notice = std::move(text);
        changed = true;
    }
    // Besides what was said before.
    void say_too(const std::string& text) { say(notice.empty() ? text : notice + "; " + text); }
};

// Reads the file whole. Takes as long as reading; takes the mutex by itself. One that is refused leaves the one before,
// unless a session names it; what was said of that session stays. As soon as `goes_on` says no, nothing comes of it;
// asked every 65,536 frames, without the mutex.
void take_song_file(
    Model& model, const SongFileOrder& order, const std::function<bool()>& goes_on = [] { return true; });

}  // namespace segue::plugin
