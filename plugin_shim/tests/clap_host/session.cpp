#include "session.hpp"

#include <clap/ext/gui.h>
#include <clap/ext/thread-check.h>
#include <clap/ext/timer-support.h>
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "dpf/host_clap.hpp"

namespace segue::host {
namespace {

constexpr std::size_t guard = 16;  // frames behind each buffer that nobody may touch
constexpr float untouched = -123.5F;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

template <class Extension>
const Extension* extension(const clap_plugin_t* plugin, const char* id) {
    return static_cast<const Extension*>(plugin->get_extension(plugin, id));
}

Session& session_of(const clap_host_t* host) { return *static_cast<Session*>(host->host_data); }

bool register_timer(const clap_host_t* host, std::uint32_t, clap_id* id) {
    static clap_id next = 1;
    *id = next++;
    session_of(host).timers.push_back(*id);
    return true;
}

bool unregister_timer(const clap_host_t* host, clap_id id) {
    auto& timers = session_of(host).timers;
    timers.erase(std::remove(timers.begin(), timers.end(), id), timers.end());
    return true;
}

const void* host_extension(const clap_host_t*, const char* id) {
    static const clap_host_timer_support_t timer{register_timer, unregister_timer};
    static const clap_host_gui_t gui{[](const clap_host_t*) {},
                                     [](const clap_host_t*, std::uint32_t, std::uint32_t) { return true; },
                                     [](const clap_host_t*) { return true; },
                                     [](const clap_host_t*) { return true; },
                                     [](const clap_host_t*, bool) {}};
    static const clap_host_params_t params{[](const clap_host_t*, clap_param_rescan_flags) {},
                                           [](const clap_host_t*, clap_id, clap_param_clear_flags) {},
                                           [](const clap_host_t*) {}};
    static const clap_host_thread_check_t threads{[](const clap_host_t*) { return true; },
                                                  [](const clap_host_t*) { return true; }};
    const std::map<std::string, const void*> known = {{CLAP_EXT_TIMER_SUPPORT, &timer},
                                                      {CLAP_EXT_GUI, &gui},
                                                      {CLAP_EXT_PARAMS, &params},
                                                      {CLAP_EXT_THREAD_CHECK, &threads}};
    const auto found = known.find(id);
    return found != known.end() ? found->second : nullptr;
}

clap_event_param_value_t change(std::uint32_t time, clap_id parameter, double value, std::uint16_t space) {
    clap_event_param_value_t event{};
    event.header = {sizeof event, time, space, CLAP_EVENT_PARAM_VALUE, 0};
    event.param_id = parameter;
    event.note_id = -1;
    event.port_index = event.channel = event.key = -1;
    event.value = value;
    return event;
}

clap_sectime seconds(std::int64_t frame, double rate) {
    return std::llround(static_cast<double>(frame) / rate * static_cast<double>(CLAP_SECTIME_FACTOR));
}

std::vector<std::vector<float>> buffers_of(std::uint32_t frames, float value) {
    std::vector<std::vector<float>> buffers(2, std::vector<float>(frames + guard, untouched));
    for (auto& channel : buffers) {
        std::fill_n(channel.begin(), frames, value);
    }
    return buffers;
}

}  // namespace

Session::Session(const std::string& path) {
    library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) {
        fail(dlerror());
    }
    entry_ = static_cast<const clap_plugin_entry_t*>(dlsym(library_, "clap_entry"));
    if (entry_ == nullptr || !entry_->init(path.c_str())) {
        fail("no CLAP plug-in: " + path);
    }
    factory_ = static_cast<const clap_plugin_factory_t*>(entry_->get_factory(CLAP_PLUGIN_FACTORY_ID));
    host_ = {CLAP_VERSION, this, "Segue's test host", "Segue", "", "1", host_extension, [](const clap_host_t*) {},
             [](const clap_host_t*) {},
             [](const clap_host_t* host) { session_of(host).callback_wanted_ = true; }};
    plugin_ = factory_->create_plugin(factory_, &host_, factory_->get_plugin_descriptor(factory_, 0)->id);
    if (plugin_ == nullptr || !plugin_->init(plugin_)) {
        fail("the plug-in refuses this host");
    }
    params_ = extension<clap_plugin_params_t>(plugin_, CLAP_EXT_PARAMS);
    state_ = extension<clap_plugin_state_t>(plugin_, CLAP_EXT_STATE);
    if (params_ == nullptr || state_ == nullptr) {
        fail("the plug-in has no parameters or no state");
    }
}

Session::~Session() {
    deactivate();
    plugin_->destroy(plugin_);
    entry_->deinit();
    dlclose(library_);
}

void Session::activate(double rate, std::uint32_t max_block) {
    if (!plugin_->activate(plugin_, rate, 1, max_block) || !plugin_->start_processing(plugin_)) {
        fail("the plug-in does not start");
    }
    active_ = true;
    rate_ = rate;
}

void Session::deactivate() {
    if (active_) {
        plugin_->stop_processing(plugin_);
        plugin_->deactivate(plugin_);
        active_ = false;
    }
}

void Session::roll(std::int64_t frames, const std::vector<std::uint32_t>& sizes) {
    std::size_t turn = 0;
    while (frames > 0) {
        std::int64_t next = std::min<std::int64_t>(frames, sizes[turn++ % sizes.size()]);
        if (playing && looping && position < loop_stop) {
            next = std::min(next, loop_stop - position);
        }
        process(static_cast<std::uint32_t>(next));
        frames -= next;
        if (playing) {
            position += next;
            position = looping && position == loop_stop ? loop_start : position;
        }
    }
}

void Session::process(std::uint32_t frames) {
    std::vector<std::vector<float>> in = buffers_of(frames, 0.0F);
    std::vector<std::vector<float>> aside = buffers_of(frames, 0.0F);
    fill(in, input, frames);
    if (side_chain == SideChain::sounding) {
        fill(aside, side, frames);
    }
    std::vector<std::vector<float>> out = buffers_of(frames, std::numeric_limits<float>::quiet_NaN());
    std::vector<std::vector<float>>& written = in_place ? in : out;
    const std::vector<std::vector<float>> read = in;

    float* in_channels[] = {in[0].data(), in[1].data()};
    float* side_channels[] = {aside[0].data(), aside[1].data()};
    float* out_channels[] = {written[0].data(), written[1].data()};
    clap_audio_buffer_t inputs[] = {{in_channels, nullptr, mono ? 1U : 2U, 0, 0}, {side_channels, nullptr, 2, 0, 0}};
    clap_audio_buffer_t result{out_channels, nullptr, 2, 0, 3};  // "constant", which is for the plug-in to take back
    std::vector<clap_event_param_value_t> events = events_until(position + frames);
    const clap_input_events_t list{
        &events,
        [](const clap_input_events_t* all) {
            return static_cast<std::uint32_t>(static_cast<std::vector<clap_event_param_value_t>*>(all->ctx)->size());
        },
        [](const clap_input_events_t* all, std::uint32_t each) -> const clap_event_header_t* {
            return &(*static_cast<std::vector<clap_event_param_value_t>*>(all->ctx))[each].header;
        }};
    const clap_output_events_t edited{this, [](const clap_output_events_t* all, const clap_event_header_t* event) {
                                          static_cast<Session*>(all->ctx)->keep_edit(event);
                                          return true;
                                      }};
    const clap_event_transport_t described = describe();
    const clap_process_t block{steady_,  frames,   transport ? &described : nullptr,
                               inputs,   &result,  side_chain == SideChain::absent ? 1U : 2U,
                               1,        &list,    &edited};
    if (plugin_->process(plugin_, &block) == CLAP_PROCESS_ERROR) {
        fail("the plug-in failed to process a block");
    }
    if (result.constant_mask != 0) {
        fail("the plug-in left its output marked as constant");
    }
    steady_ += frames;
    check(written, frames);
    if (!in_place && in != read) {
        fail("the plug-in wrote into its input");
    }
    keep(written, frames);
}

void Session::fill(std::vector<std::vector<float>>& buffers, const Sound& sound, std::uint32_t frames) const {
    for (std::size_t channel = 0; channel < 2; ++channel) {
        const auto length = static_cast<std::int64_t>(sound[channel].size());
        const std::int64_t from = std::clamp<std::int64_t>(position, 0, length);
        const std::int64_t to = std::clamp<std::int64_t>(position + frames, 0, length);
        if (playing) {
            std::copy(sound[channel].begin() + from, sound[channel].begin() + to,
                      buffers[channel].begin() + (from - position));
        }
    }
}

void Session::check(const std::vector<std::vector<float>>& out, std::uint32_t frames) {
    for (const auto& channel : out) {
        const auto end = channel.begin() + static_cast<std::ptrdiff_t>(frames);
        if (!std::all_of(channel.begin(), end, [](float sample) { return std::isfinite(sample); })) {
            fail("a sample of the output was not written, or is not finite");
        }
        if (!std::all_of(end, channel.end(), [](float sample) { return sample == untouched; })) {
            fail("the plug-in wrote past its output");
        }
    }
}

void Session::keep(const std::vector<std::vector<float>>& out, std::uint32_t frames) {
    if (!playing || position < 0) {
        return;
    }
    const auto from = static_cast<std::size_t>(position);
    for (std::size_t channel = 0; channel < 2; ++channel) {
        output[channel].resize(std::max(output[channel].size(), from + frames));
        std::copy_n(out[channel].begin(), frames, output[channel].begin() + position);
    }
}

void Session::keep_edit(const clap_event_header_t* event) {
    if (event->type == CLAP_EVENT_PARAM_VALUE) {
        const auto* edit = reinterpret_cast<const clap_event_param_value_t*>(event);
        edits[edit->param_id].push_back(edit->value);
    }
}

clap_event_transport_t Session::describe() const {
    clap_event_transport_t now{};
    now.header = {sizeof now, 0, CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_TRANSPORT, 0};
    constexpr std::uint32_t said = CLAP_TRANSPORT_HAS_TEMPO | CLAP_TRANSPORT_HAS_BEATS_TIMELINE |
                                   CLAP_TRANSPORT_HAS_SECONDS_TIMELINE | CLAP_TRANSPORT_HAS_TIME_SIGNATURE;
    const std::uint32_t plays = playing ? std::uint32_t{CLAP_TRANSPORT_IS_PLAYING} : 0;
    const std::uint32_t loops = looping ? std::uint32_t{CLAP_TRANSPORT_IS_LOOP_ACTIVE} : 0;
    now.flags = said | plays | loops;
    now.tempo = tempo;
    now.tsig_num = now.tsig_denom = 4;
    now.song_pos_seconds = seconds(position, rate_);
    now.song_pos_beats = std::llround(static_cast<double>(position) / rate_ * tempo / 60.0 *
                                      static_cast<double>(CLAP_BEATTIME_FACTOR));
    now.loop_start_seconds = seconds(loop_start, rate_);
    now.loop_end_seconds = seconds(loop_stop, rate_);
    return now;
}

std::vector<clap_event_param_value_t> Session::events_until(std::int64_t stop) {
    std::vector<clap_event_param_value_t> events = std::move(next_);
    next_.clear();
    if (playing) {
        for (auto each = automation_.lower_bound(position); each != automation_.end() && each->first < stop; ++each) {
            events.push_back(change(static_cast<std::uint32_t>(each->first - position), each->second.first,
                                    each->second.second, CLAP_CORE_EVENT_SPACE_ID));
        }
    }
    return events;
}

void Session::set(clap_id parameter, double value, std::uint16_t space) {
    next_.push_back(change(0, parameter, value, space));
}

void Session::automate(std::int64_t frame, clap_id parameter, double value) {
    automation_.emplace(frame, std::pair(parameter, value));
}

std::vector<clap_param_info_t> Session::parameters() const {
    std::vector<clap_param_info_t> all(params_->count(plugin_));
    for (std::uint32_t each = 0; each < all.size(); ++each) {
        if (!params_->get_info(plugin_, each, &all[each])) {
            fail("a parameter says nothing of itself");
        }
    }
    return all;
}

double Session::value(clap_id parameter) const {
    double value = 0.0;
    if (!params_->get_value(plugin_, parameter, &value)) {
        fail("a parameter has no value");
    }
    return value;
}

std::string Session::text(clap_id parameter, double value) const {
    char text[256] = {};
    if (!params_->value_to_text(plugin_, parameter, value, text, sizeof text)) {
        fail("a value has no text");
    }
    return text;
}

double Session::parse(clap_id parameter, const std::string& text) const {
    double value = 0.0;
    if (!params_->text_to_value(plugin_, parameter, text.c_str(), &value)) {
        fail("a text has no value");
    }
    return value;
}

std::string Session::save(std::size_t part) const {
    std::pair<std::string, std::size_t> sink{{}, part};
    const clap_ostream_t stream{&sink, [](const clap_ostream_t* to, const void* data, std::uint64_t size) {
                                    auto& [text, most] = *static_cast<std::pair<std::string, std::size_t>*>(to->ctx);
                                    const std::size_t taken = std::min<std::size_t>(size, most);
                                    text.append(static_cast<const char*>(data), taken);
                                    return static_cast<std::int64_t>(taken);
                                }};
    if (!state_->save(plugin_, &stream)) {
        fail("the plug-in does not save its state");
    }
    return sink.first;
}

bool Session::load(const std::string& state, std::size_t part) const {
    struct Source {
        const std::string& text;
        std::size_t at;
        std::size_t most;
    } source{state, 0, part};
    const clap_istream_t stream{&source, [](const clap_istream_t* from, void* data, std::uint64_t size) {
                                    auto& all = *static_cast<Source*>(from->ctx);
                                    const std::size_t given = std::min({static_cast<std::size_t>(size), all.most,
                                                                        all.text.size() - all.at});
                                    std::memcpy(data, all.text.data() + all.at, given);
                                    all.at += given;
                                    return static_cast<std::int64_t>(given);
                                }};
    return state_->load(plugin_, &stream);
}

void Session::set_offline(bool offline) {
    const auto* render = extension<plugin::ClapRender>(plugin_, plugin::clap_render_id);
    if (render == nullptr || !render->set(plugin_, offline ? plugin::clap_render_offline : 0)) {
        fail("the plug-in does not want to know of a bounce");
    }
}

bool Session::makes(const std::string& id) const {
    const clap_plugin_t* made = factory_->create_plugin(factory_, &host_, id.c_str());
    if (made != nullptr) {
        made->destroy(made);
    }
    return made != nullptr;
}

void Session::main_thread() {
    if (callback_wanted_) {
        callback_wanted_ = false;
        plugin_->on_main_thread(plugin_);
    }
}

}  // namespace segue::host
