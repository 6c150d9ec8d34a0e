// The plug-in without a framework: what a host wrapper and a UI talk to.
//
// Threads: process() and set_parameter() may be called on the audio thread and never wait (but a bounce may, within
// its limit); activate(), deactivate(), save() and load() come from the host's main thread; the rest from the UI's.
// The engine's own worker thread starts with the first activate(): hosts make many instances while they scan.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/parameters.hpp"
#include "core/snapshot.hpp"
#include "core/transport.hpp"

namespace segue::plugin {

struct EngineSettings {
    std::filesystem::path connection_file;  // empty: where the protocol says
    std::filesystem::path renders;          // folder for BWF files; empty: the user's data folder
    bool start_renderer = true;             // start an installed one if none answers
    double max_seconds = 600.0;             // of capture
    double bounce_wait = 60.0;              // seconds a bounce waits for a render before it refuses
    std::string method;                     // candidates of one kind only, as "splice"; empty: all
    std::int64_t steps = 0;                 // of the sampler; 0: the renderer's own choice
    std::string complaint;                  // about what was given, shown as the first notice

    // With what the environment says: SEGUE_CONNECTION, SEGUE_RENDERS, SEGUE_START_RENDERER (0 or 1),
    // SEGUE_BOUNCE_WAIT, SEGUE_METHOD, SEGUE_STEPS.
    [[nodiscard]] static EngineSettings from_environment();
};

class Engine {
public:
    explicit Engine(EngineSettings settings);
    ~Engine();  // joins within a second, whatever the renderer does
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // `rate` in hertz. False: this rate is refused (8000 to 768000, whole); audio passes through and the status says why.
    bool activate(double rate, std::uint32_t max_block) noexcept;
    void deactivate() noexcept;

    // `in` and `out`: two channels each, which may be the same buffers; `side`: two channels or nullptr.
    // Any number of frames, from 0 to beyond max_block.
    void process(const float* const* in, float* const* out, const float* const* side, std::uint32_t frames,
                 const Transport& transport) noexcept;

    void set_parameter(Parameter parameter, float value) noexcept;  // what is not valid is left as it was
    [[nodiscard]] float parameter(Parameter parameter) const noexcept;

    // One checked blob of printable text. Empty: it is refused, and the notice says why.
    [[nodiscard]] std::string save() const;
    // False: refused, and all is as it was; the snapshot's notice says why.
    bool load(std::string_view blob);

    [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const;
    // `parts` equal parts of `span`, in samples of the song; original: without rendered regions.
    [[nodiscard]] Peaks peaks(const Span& span, std::uint32_t parts, bool original) const;

    void render();  // the same as a rising edge of the Render parameter
    void cancel();
    void undo();  // the latest render that is heard
    void redo();
    void remove(std::uint64_t region);                 // undo this one render
    void set_marks(const Span& marks);                 // the gap, as drawn in the UI; empty: none
    void set_song_file(const std::filesystem::path& path);  // empty: none; a bad file is refused in the notice
    void forget_capture();
    void reconnect();  // try at once
    [[nodiscard]] std::filesystem::path latest_render() const;  // BWF; empty: none yet

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace segue::plugin
