#include "core/model.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/audio_file.hpp"
#include "core/gap.hpp"
#include "core/resample.hpp"

namespace segue::plugin {

void Model::play(Realtime& realtime, bool urgent) {
    changed = true;
    if (song.rate() <= 0.0) return;  // never active: activation does it
    std::string note;
    heard = renders.heard(song.rate(), note);
    heard.awaited = awaited;
    heard.urgent = urgent;
    if (!note.empty() && notice.find(note) == std::string::npos) say_too(note);
    realtime.play(std::make_unique<const Playlist>(heard));
}

void Model::forget_job() {
    renders.drop(open_region);
    open_region = 0;
    awaited.clear();
}

GapView Model::gap_at(std::int64_t playhead, const Realtime::State& state) const {
    return find_gap(song, {marks_now(), state.loop, playhead, max_block});
}

void Model::stop_awaiting(const Span& span) {
    awaited.erase(std::remove(awaited.begin(), awaited.end(), span), awaited.end());
}

bool Model::heard_all_of(const GapView& gap) const {
    return gap.source != GapSource::none && song.coverage().contains(gap.span);
}

std::optional<Span> Model::marks_now() const {
    if (!marks || marks_rate == song.rate() || marks_rate <= 0.0 || song.rate() <= 0.0) return marks;
    return convert_span(*marks, marks_rate, song.rate());
}

void take_song_file(Model& model, const SongFileOrder& order, const std::function<bool()>& goes_on) {
    {
        const std::lock_guard<std::mutex> lock(model.mutex);
        if (order.restored && order.path == model.file_path && model.file.audio != nullptr) return;  // read already
    }
    SongFile file;
    std::string refused;
    if (!order.path.empty()) {
        bool wanted = true;
        Expected<Audio> audio = read_audio_file(order.path, [&] { return wanted = goes_on(); });
        if (!wanted) return;
        if (audio) {
            file = {order.path.filename().string(), std::make_shared<const Audio>(std::move(*audio))};
        } else {
            refused = words_of(audio.error());
        }
    }
    const std::lock_guard<std::mutex> lock(model.mutex);
    if (refused.empty() || order.restored) {
        model.file = std::move(file);
        model.file_path = order.path;
        model.changed = true;
    }
    if (!order.restored) {
        model.say(std::move(refused));
    } else if (!refused.empty()) {
        model.say_too(refused);
    }
}

}  // namespace segue::plugin
