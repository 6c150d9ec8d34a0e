// One plug-in instance and what a host does with it: transport, events, audio, state. One thread for everything.
#pragma once

#include <clap/entry.h>
#include <clap/ext/params.h>
#include <clap/ext/state.h>
#include <clap/plugin-factory.h>
#include <clap/plugin.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace segue::host {

using Sound = std::array<std::vector<float>, 2>;  // left, right

enum class SideChain { silent, sounding, absent };

class Session {
public:
    explicit Session(const std::string& path);  // throws std::runtime_error in words
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void activate(double rate, std::uint32_t max_block);
    void deactivate();

    // Processes so many frames in blocks of these sizes, in turn. Where the song plays, what comes out is kept by song
    // position. Checks each block: all of the output is written and finite, nothing else is.
    void roll(std::int64_t frames, const std::vector<std::uint32_t>& sizes);

    void set(clap_id parameter, double value, std::uint16_t space = CLAP_CORE_EVENT_SPACE_ID);  // with the next block
    void automate(std::int64_t frame, clap_id parameter, double value);  // whenever the song passes there
    [[nodiscard]] std::vector<clap_param_info_t> parameters() const;
    [[nodiscard]] double value(clap_id parameter) const;
    [[nodiscard]] std::string text(clap_id parameter, double value) const;
    [[nodiscard]] double parse(clap_id parameter, const std::string& text) const;

    // `part`: the stream moves at most so many bytes a call.
    [[nodiscard]] std::string save(std::size_t part) const;
    [[nodiscard]] bool load(const std::string& state, std::size_t part) const;

    void set_offline(bool offline);
    [[nodiscard]] bool makes(const std::string& id) const;  // whether the library makes a plug-in of this id
    void main_thread();  // what the plug-in asked to be called back for

    [[nodiscard]] const clap_plugin_t* plugin() const noexcept { return plugin_; }
    [[nodiscard]] const clap_host_t* host() const noexcept { return &host_; }

    bool playing = false;
    bool transport = true;  // false: the host has none
    bool looping = false;
    bool in_place = false;
    bool mono = false;  // the track's bus has one channel, the input's left one
    std::int64_t position = 0;
    std::int64_t loop_start = 0;
    std::int64_t loop_stop = 0;
    double tempo = 120.0;
    SideChain side_chain = SideChain::silent;
    Sound input;
    Sound side;
    Sound output;
    std::map<clap_id, std::vector<double>> edits;  // by the plug-in's own UI
    std::vector<clap_id> timers;

private:
    void process(std::uint32_t frames);
    void fill(std::vector<std::vector<float>>& buffers, const Sound& sound, std::uint32_t frames) const;
    static void check(const std::vector<std::vector<float>>& out, std::uint32_t frames);
    void keep(const std::vector<std::vector<float>>& out, std::uint32_t frames);
    void keep_edit(const clap_event_header_t* event);
    [[nodiscard]] clap_event_transport_t describe() const;
    [[nodiscard]] std::vector<clap_event_param_value_t> events_until(std::int64_t stop);

    void* library_ = nullptr;
    const clap_plugin_entry_t* entry_ = nullptr;
    const clap_plugin_factory_t* factory_ = nullptr;
    const clap_plugin_t* plugin_ = nullptr;
    const clap_plugin_params_t* params_ = nullptr;
    const clap_plugin_state_t* state_ = nullptr;
    clap_host_t host_{};
    bool active_ = false;
    bool callback_wanted_ = false;
    double rate_ = 0.0;
    std::int64_t steady_ = 1'000'000;  // hosts run for a while before they load a plug-in
    std::vector<clap_event_param_value_t> next_;
    std::multimap<std::int64_t, std::pair<clap_id, double>> automation_;
};

}  // namespace segue::host
