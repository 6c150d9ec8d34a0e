#include "core/snapshot_maker.hpp"

#include "core/resample.hpp"

namespace segue::plugin {
namespace {

CaptureView capture_of(const Song& song) {
    CaptureView view;
    view.seconds = song.seconds();
    view.max_seconds = song.limits().max_seconds;
    view.bytes = song.bytes();
    view.heard = song.heard();
    view.discontinuous = song.discontinuous();
    view.nonfinite = song.nonfinite();
    view.lost = song.lost();
    view.side_seconds = song.side_seconds();
    return view;
}

RegionView view_of(const Region& region, double rate) {
    RegionView view;
    view.id = region.id;
    view.span = rate > 0.0 ? convert_span(region.span, region.rate, rate) : region.span;
    view.task = region.task;
    for (const Take& take : region.takes) view.takes.push_back({take.method, take.score});
    view.undone = region.undone;
    view.complete = region.complete;
    return view;
}

}  // namespace

Snapshot make_snapshot(const Model& model, const Realtime::State& state, const LinkView& link, const JobView& job,
                       const GapView& gap) {
    Snapshot made;
    made.rate = state.rate;
    made.playhead = state.playhead;
    made.playing = state.playing;
    made.active = state.active;
    made.tempo = state.tempo;
    made.link = link;
    if (!model.presets.names().empty()) made.link.presets = model.presets.names();
    made.job = job;
    made.gap = gap;
    made.capture = capture_of(model.song);
    for (const Region& region : model.renders.all()) made.regions.push_back(view_of(region, model.song.rate()));
    made.marks = model.marks_now();
    made.song_file = model.file_path.string();
    made.song_file_unread = !model.file_path.empty() && model.file.audio == nullptr;
    made.notice = model.notice;
    made.folder = model.renders_folder.string();
    made.can_undo = model.renders.can_undo();
    made.can_redo = model.renders.can_redo();
    return made;
}

}  // namespace segue::plugin
