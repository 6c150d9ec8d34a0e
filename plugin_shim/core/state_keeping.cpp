#include "core/state_keeping.hpp"

#include <cstdint>
#include <utility>

#include "core/state.hpp"

namespace segue::plugin {
namespace {

constexpr const char* song_file_key = "song file";
constexpr const char* presets_key = "presets";

std::string joined(const std::vector<std::string>& notes) {
    std::string all;
    for (const std::string& note : notes) all += (all.empty() ? "" : "; ") + note;
    return all;
}

// The state's own file is to be read; until then, and where it cannot be, its path is kept.
void take_path(Model& model, const std::filesystem::path& path) {
    if (path != model.file_path) model.file = {};
    model.file_path = path;
    model.orders.song_file = SongFileOrder{path, true};
}

void apply(Model& model, Realtime& realtime, State state) {
    for (std::size_t each = 0; each < parameter_count; ++each) {
        realtime.restore_parameter(static_cast<Parameter>(each), state.values[each]);
    }
    model.forget_job();  // first: its number may be that of a region to come
    model.renders.replace(std::move(state.regions));
    model.marks = state.marks;
    model.marks_rate = state.marks_rate;
    model.presets.restore(state.extra[presets_key]);
    model.newer_state.clear();
    model.orders.drop_jobs = true;
    model.orders.why = "another state was loaded";
    take_path(model, state.extra[song_file_key]);
    model.play(realtime, true);
}

}  // namespace

std::string save_blob(Model& model, const Realtime& realtime) {
    State state;
    {
        const std::lock_guard<std::mutex> lock(model.mutex);
        if (!model.newer_state.empty()) return model.newer_state;
        state.values = realtime.values();
        state.regions = model.renders.all();
        state.marks = model.marks;
        state.marks_rate = model.marks_rate;
        if (!model.presets.names().empty()) state.extra[presets_key] = model.presets.text();
        if (!model.file_path.empty()) state.extra[song_file_key] = model.file_path.string();
    }
    std::string left_out = make_room(state);
    Expected<std::string> blob = save_state(state);
    const std::lock_guard<std::mutex> lock(model.mutex);
    if (blob) {
        if (!left_out.empty()) model.say(std::move(left_out));
        return std::move(*blob);
    }
    model.say("the state was not saved: " + words_of(blob.error()));
    return {};
}

bool load_blob(Model& model, Realtime& realtime, std::string_view blob) {
    Expected<LoadedState> loaded = load_state(blob);
    const std::lock_guard<std::mutex> lock(model.mutex);
    if (!loaded) {
        model.say(words_of(loaded.error()));
        if (loaded.error().code == protocol::Code::version) model.newer_state = std::string(blob);
        return false;
    }
    model.say(joined(loaded->notes));
    apply(model, realtime, std::move(loaded->state));
    return true;
}

}  // namespace segue::plugin
