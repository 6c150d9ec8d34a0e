#include "scenes.hpp"

#include <utility>

#include "music.hpp"

namespace segue::plugin::screens {
namespace {

using ui::Widget;

const Span gap_span = seconds(24.0, 28.0);

void set(Picture& picture, Parameter parameter, float value) { picture.values[index(parameter)] = value; }

// A host that has started the plug-in, a renderer that answers, and nothing heard.
Picture empty() {
    Picture picture;
    picture.name = "empty";
    Snapshot& snapshot = picture.snapshot;
    snapshot.rate = rate;
    snapshot.tempo = 120.0;
    snapshot.active = true;
    snapshot.capture.max_seconds = 600.0;
    snapshot.folder = "/home/ada/.local/share/segue/renders";
    snapshot.link.state = LinkState::online;
    snapshot.link.text = "online: renderer 0.3.0";
    snapshot.link.renderer = "segue 0.3.0 on this machine";
    snapshot.link.tasks = {"infill", "continuation", "regenerate", "transition", "restyle"};
    snapshot.link.presets = {"Ambient", "Classical", "Electronic", "Folk", "Hip-Hop", "Jazz", "Metal", "Pop", "Rock"};
    snapshot.gap.reason = "nothing was heard yet: play the song across the gap, or mark the gap in the waveform";
    return picture;
}

// 0:00 to 0:`until` was heard, two clips with four seconds between them.
Picture heard(double until) {
    Picture picture = empty();
    Snapshot& snapshot = picture.snapshot;
    snapshot.capture.heard = {seconds(0.0, until)};
    snapshot.capture.seconds = until;
    snapshot.capture.bytes = static_cast<std::uint64_t>(until * rate * 8.0);
    snapshot.playhead = seconds(0.0, until).stop;
    snapshot.gap.reason =
        "no silence between two clips was heard: draw the Gap lane, mark the gap in the waveform, or set the "
        "host's loop range";
    picture.hole = gap_span;
    return picture;
}

Picture with_gap() {
    Picture picture = heard(48.0);
    picture.name = "gap";
    picture.snapshot.gap = {gap_span, GapSource::silence, ""};
    return picture;
}

RegionView region(std::uint64_t id, const Span& span, const char* task, std::vector<TakeView> takes) {
    RegionView view;
    view.id = id;
    view.span = span;
    view.task = task;
    view.takes = std::move(takes);
    view.complete = true;
    return view;
}

std::vector<TakeView> four_takes() {
    return {{"regenerated splice", 3.87}, {"splice", 3.94}, {"generated", 4.21}, {"mean", 4.56}};
}

Picture done() {
    Picture picture = with_gap();
    picture.name = "done";
    picture.snapshot.job.state = JobState::done;
    picture.snapshot.can_undo = true;
    picture.snapshot.regions = {region(1, gap_span, "infill", four_takes())};
    picture.snapshot.playhead = seconds(0.0, 25.6).stop;
    return picture;
}

Picture job(const char* name, JobState state, const char* stage, double fraction, std::optional<double> left) {
    Picture picture = with_gap();
    picture.name = name;
    picture.snapshot.job = {state, stage, fraction, left, ""};
    return picture;
}

std::vector<Picture> link_pictures() {
    std::vector<Picture> pictures{empty()};
    Picture offline = heard(31.0);
    offline.name = "offline";
    offline.snapshot.playing = true;
    offline.snapshot.link = {LinkState::offline,
                             "offline: no renderer runs, and none is installed here",
                             "install it: pip install segue, or copy a renderer's connection file to "
                             "/home/ada/.local/share/segue/renderer.json",
                             "",
                             {},
                             {}};
    pictures.push_back(offline);
    Picture starting = heard(12.0);
    starting.name = "starting";
    starting.snapshot.link = {LinkState::starting, "starting the renderer", "", "", {}, {}};
    starting.snapshot.job = {JobState::waiting, "", 0.0, {}, ""};
    starting.snapshot.gap = {seconds(6.0, 8.0), GapSource::loop, ""};
    pictures.push_back(starting);
    return pictures;
}

std::vector<Picture> gap_pictures() {
    Picture listening = heard(18.4);
    listening.name = "listening";
    listening.snapshot.playing = true;
    Picture marking = heard(48.0);
    marking.name = "marking";
    marking.state.draft = seconds(23.62, 28.31);
    marking.state.held = Widget::waveform;
    Picture lane = with_gap();
    lane.name = "lane";
    lane.snapshot.gap.source = GapSource::lane;
    lane.snapshot.marks = seconds(36.0, 39.0);
    lane.snapshot.capture.discontinuous = true;
    lane.snapshot.song_file = "/home/ada/music/bounces/midnight train, rough mix 3.wav";
    Picture zoomed = with_gap();
    zoomed.name = "zoomed";
    zoomed.state.fitted = false;
    zoomed.state.view = {23.4 * rate, 2.2 * rate};
    zoomed.snapshot.playhead = seconds(0.0, 24.6).stop;
    return {listening, with_gap(), marking, lane, zoomed};
}

std::vector<Picture> job_pictures() {
    std::vector<Picture> pictures{job("armed", JobState::armed, "", 0.0, {}),
                                  job("queued", JobState::queued, "", 0.0, {}),
                                  job("rendering", JobState::running, "sample", 0.46, 3.4)};
    pictures[0].snapshot.job.message = "play on: 2.4 s more behind the gap, or stop";
    pictures[0].snapshot.playing = true;
    pictures[0].snapshot.capture.heard = {seconds(0.0, 31.6)};
    pictures[0].snapshot.playhead = seconds(0.0, 31.6).stop;
    Picture first = job("first-take", JobState::receiving, "seam", 0.78, 1.6);
    first.snapshot.regions = {region(1, gap_span, "infill", {{"splice", {}}})};
    first.snapshot.regions[0].complete = false;
    pictures.push_back(first);
    Picture failed = job("failed", JobState::failed, "", 0.3, {});
    failed.snapshot.job.message =
        "the renderer ran out of memory on a gap of 4.0 s. Nothing is lost: press again with a shorter gap, or start "
        "segue serve "
        "with one worker.";
    pictures.push_back(failed);
    pictures.push_back(job("cancelled", JobState::cancelled, "", 0.2, {}));
    return pictures;
}

std::vector<Picture> take_pictures() {
    Picture third = done();
    third.name = "third-take";
    set(third, Parameter::candidate, 3.0F);
    third.state.hover = Widget::take_4;
    Picture original = done();
    original.name = "original";
    set(original, Parameter::compare, 1.0F);
    Picture several = heard(300.0);
    several.name = "several";
    Snapshot& snapshot = several.snapshot;
    snapshot.capture.heard = {seconds(0.0, 190.0), seconds(214.0, 300.0)};
    snapshot.capture.side_seconds = 22.0;
    snapshot.regions = {region(1, seconds(24.0, 28.0), "infill", four_takes()),
                        region(2, seconds(96.0, 112.0), "restyle", {{"generated", 4.4}, {"generated", 4.5}}),
                        region(3, seconds(240.0, 256.0), "transition", {{"splice", 3.1}, {"generated", 3.6}})};
    snapshot.regions[1].undone = true;
    snapshot.can_undo = snapshot.can_redo = true;
    several.hole = {};
    several.state.selected = 3;
    set(several, Parameter::task, 3.0F);
    return {done(), third, original, several};
}

std::vector<Picture> trouble_pictures() {
    Picture notice = done();
    notice.name = "notice";
    notice.snapshot.notice =
        "This session was saved by a newer Segue (state 3, this one reads up to 1). Its renders cannot be played here; "
        "they are "
        "kept and will be saved again untouched. Update the plug-in to hear them.";
    notice.snapshot.capture.lost = notice.snapshot.capture.nonfinite = true;
    notice.snapshot.regions.clear();
    notice.snapshot.can_undo = false;
    notice.snapshot.job = {};
    Picture refused = with_gap();
    refused.name = "task-not-offered";
    refused.snapshot.link.tasks = {"infill", "continuation"};
    set(refused, Parameter::task, 4.0F);
    Picture apart;
    apart.name = "no-access";
    apart.state.engine = false;
    Picture lengthy = done();
    lengthy.name = "long-texts";
    lengthy.snapshot.song_file =
        "/home/ada/Die sehr lange Nacht am Fluss (instrumental, remastered, take 14, without the choir).flac";
    lengthy.snapshot.link.presets[0] = "Ambient with strings and a choir far away";
    set(lengthy, Parameter::preset, 1.0F);
    lengthy.snapshot.link.state = LinkState::connecting;
    lengthy.snapshot.link.text =
        "Connecting to renderer.studio-downstairs.example.org, port 7711: the host was found and does not answer; "
        "it may be asleep or behind a firewall";
    lengthy.snapshot.link.remedy =
        "Start segue serve --bind on that machine and open port 7711, or remove the connection file to use this "
        "machine's renderer";
    return {notice, refused, apart, lengthy};
}

std::vector<Picture> hand_pictures() {
    Picture tasks = with_gap();
    tasks.name = "tasks";
    tasks.state.menu = ui::Menu{Widget::task, 0, 2};
    Picture presets = with_gap();
    presets.name = "presets";
    presets.state.menu = ui::Menu{Widget::preset, 1, 6};
    set(presets, Parameter::preset, 3.0F);
    Picture keyboard = done();
    keyboard.name = "keyboard";
    keyboard.state.focus = Widget::guidance;
    keyboard.state.focus_visible = true;
    keyboard.state.entry = "1.2";
    Picture tip = done();
    tip.name = "tip";
    tip.state.hover = Widget::freedom;
    tip.state.tip = true;
    set(tip, Parameter::freedom, 0.35F);
    set(tip, Parameter::mix, 0.8F);
    return {tasks, presets, keyboard, tip};
}

}  // namespace

std::vector<Picture> all_pictures() {
    std::vector<Picture> all;
    for (auto* part : {link_pictures, gap_pictures, job_pictures, take_pictures, trouble_pictures, hand_pictures}) {
        for (Picture& picture : part()) {
            if (picture.state.fitted) picture.state.view = ui::fit(ui::content_of(picture.snapshot));
            all.push_back(std::move(picture));
        }
    }
    return all;
}

}  // namespace segue::plugin::screens
