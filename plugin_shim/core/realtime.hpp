// The real-time half of the plug-in: what a host's audio thread runs, and the lock-free ends that a worker holds.
//
// Of the audio thread's functions only process() ever waits, and only where Transport::offline is set: for room to
// write down what it hears and for the worker to deal with it (set_capture_wait, each at the most), and for a render
// that was asked for (set_bounce_wait at the most).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/capture.hpp"
#include "core/capture_block.hpp"
#include "core/parameters.hpp"
#include "core/playback.hpp"
#include "core/playlist.hpp"
#include "core/published.hpp"
#include "core/timeline.hpp"
#include "core/transport.hpp"

namespace segue::plugin {

class Realtime {
public:
    // What the audio thread last said of itself.
    struct State {
        bool active = false;
        double rate = 0.0;              // hertz, of the latest activation; 0: it was refused
        bool called = false;            // by the host, since that
        bool position_known = false;    // false: Position is Host, and this host says nothing of a transport
        bool playing = false;
        bool offline = false;
        std::int64_t playhead = 0;      // the song position that comes next
        double tempo = 0.0;             // beats a minute; 0: unknown
        Span loop;                      // the host's; empty: none
        std::uint64_t render_edges = 0;   // how often Render went from off to on
        std::int64_t edge_playhead = 0;   // the first sample of the block that saw the latest one
        std::uint64_t blocks_lost = 0;    // capture blocks that found the queue full
        std::uint64_t bounce_refusals = 0;  // renders that a bounce did not wait for any longer: a marker was written
        Span refused;                       // the latest of them
        bool waiting = false;               // a bounce waits for a render now
    };

    Realtime();
    ~Realtime();
    Realtime(const Realtime&) = delete;
    Realtime& operator=(const Realtime&) = delete;

    // Why `rate` (hertz) is refused, and what to do; empty: it is not.
    [[nodiscard]] static std::string refusal(double rate);

    // Main thread, never beside process(); beside the worker's calls as it likes. False: the rate is refused, and
    // process() passes audio through. Another rate than before: blocks that nobody has taken are dropped, so take
    // them between deactivate() and here; the playlist is heard again when one of the new rate is played.
    // Throws std::bad_alloc.
    [[nodiscard]] bool activate(double rate);
    void deactivate() noexcept;

    // Audio thread. `in` and `out`: two channels each, which may be the same buffers; `side`: two channels or nullptr.
    // Any number of frames.
    void process(const float* const* in, float* const* out, const float* const* side, std::uint32_t frames,
                 const Transport& transport) noexcept;

    // Any thread. False: not valid, and left as it was.
    bool set_parameter(Parameter parameter, float value) noexcept;
    // From a state: a session that was saved with the Render switch on must not render when it is opened.
    void restore_parameter(Parameter parameter, float value) noexcept;
    [[nodiscard]] float parameter(Parameter parameter) const noexcept;
    [[nodiscard]] Values values() const noexcept;  // of all parameters

    // Any thread.
    [[nodiscard]] State state() const noexcept;
    void set_bounce_wait(double seconds) noexcept;
    void set_capture_wait(double seconds) noexcept { capture_.set_longest_wait(seconds); }  // 1 s by itself

    // Worker. False: nothing was captured since.
    [[nodiscard]] bool take(CaptureBlock& block);

    // Worker: all that was taken has had its consequences, play() among them. A bounce waits for that where it begins
    // or jumps, and behind an edge of Render, or it would pass over what has just been asked for.
    void dealt() { capture_.dealt(); }

    // Worker: what is heard from now on; see Playlist::urgent. Throws std::invalid_argument for a playlist that
    // cannot be played (segments out of order, or longer than their takes) and keeps the one before.
    void play(std::unique_ptr<const Playlist> playlist);

    // Worker: deletes playlists that are heard no more; play() does it too.
    void collect() noexcept;

private:
    // A block, or what is left of it.
    struct Buffers {
        std::array<const float*, 2> in{};
        std::array<const float*, 2> side{};  // nullptr: not connected
        std::array<float*, 2> out{};

        void skip(std::uint32_t frames) noexcept;
    };

    // Parameters that hold for a whole block.
    struct Settings {
        Lanes lanes;
        std::uint32_t take = 0;
        float amount = 0.0F;
    };

    [[nodiscard]] Settings settings() const noexcept;
    [[nodiscard]] Stretch place(const Transport& transport, std::uint32_t frames) noexcept;
    void process_piece(const Buffers& at, std::uint32_t done, std::uint32_t frames, const Stretch& stretch,
                       const Settings& settings, bool offline) noexcept;
    void publish(const Stretch& stretch, bool offline) noexcept;
    void catch_up() noexcept;

    std::array<std::atomic<float>, parameter_count> values_{};
    std::atomic<std::uint64_t> edges_{0};  // of Render
    Published<State> published_;

    // of the audio thread
    State state_;
    bool bounces_ = false;           // the block before was of a bounce
    std::uint64_t edges_dealt_ = 0;  // Render's, that a bounce waited for
    Timeline timeline_;
    Capture capture_;
    Playback playback_;
    std::array<std::array<float, block_frames>, 2> dry_{};
    std::array<std::array<float, block_frames>, 2> side_{};
};

}  // namespace segue::plugin
