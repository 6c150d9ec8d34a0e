// Hands on the UI for tests: what they do goes through Interaction, what is asked for is written down.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ui/interaction.hpp"

namespace segue::plugin::ui::testing {

inline constexpr double rate = 48000.0;

// Writes down what is asked for.
class Asked final : public Actions {
public:
    std::vector<std::string> log;
    std::vector<float> values;
    std::optional<Span> marks;

    void begin_edit(Parameter parameter) override { log.push_back(std::string{"begin "} + info(parameter).symbol); }
    void set(Parameter parameter, float value) override {
        log.push_back(std::string{"set "} + info(parameter).symbol);
        values.push_back(value);
    }
    void end_edit(Parameter parameter) override { log.push_back(std::string{"end "} + info(parameter).symbol); }
    void render() override { log.emplace_back("render"); }
    void cancel() override { log.emplace_back("cancel"); }
    void undo() override { log.emplace_back("undo"); }
    void redo() override { log.emplace_back("redo"); }
    void remove(std::uint64_t region) override { log.push_back("remove " + std::to_string(region)); }
    void set_marks(const Span& span) override {
        log.emplace_back("marks");
        marks = span;
    }
    void forget_capture() override { log.emplace_back("forget"); }
    void browse_song() override { log.emplace_back("browse"); }
    void clear_song() override { log.emplace_back("clear song"); }
    void reveal() override { log.emplace_back("reveal"); }
    void reconnect() override { log.emplace_back("reconnect"); }
};

inline RegionView region(std::uint64_t id, std::int64_t start, std::int64_t stop, std::size_t takes) {
    RegionView view;
    view.id = id;
    view.span = {start, stop};
    view.task = "infill";
    view.takes.resize(takes);
    return view;
}

// A minute heard, two renders, a renderer that answers.
inline Snapshot usual() {
    Snapshot snapshot;
    snapshot.rate = rate;
    snapshot.active = true;
    snapshot.playhead = 480'000;
    snapshot.link.state = LinkState::online;
    snapshot.link.presets = {"Jazz", "Folk"};
    snapshot.capture.heard = {{0, 2'880'000}};
    snapshot.gap = {{960'000, 1'152'000}, GapSource::silence, ""};
    snapshot.regions = {region(1, 960'000, 1'152'000, 4), region(2, 1'920'000, 2'016'000, 2)};
    snapshot.can_undo = true;
    return snapshot;
}

struct Hands {
    Asked asked;
    Interaction ui{asked};
    double now = 10.0;

    explicit Hands(const Snapshot& snapshot = usual()) { show(snapshot); }

    void show(const Snapshot& snapshot) { ui.set_snapshot(std::make_shared<Snapshot>(snapshot)); }
    [[nodiscard]] Point middle(Widget widget) const { return ui.layout().of(widget).centre(); }
    // where a song position is on the waveform
    [[nodiscard]] Point place(double frame) const {
        const Rect& box = ui.layout().of(Widget::waveform);
        return {box.x + box.w * static_cast<float>(ui.state().view.fraction_of(frame)), box.centre().y};
    }
    void press(Point at, MouseButton button = MouseButton::left) { ui.press(at, button, {}, now); }
    void release(Point at, MouseButton button = MouseButton::left) { ui.release(at, button); }
    void click(Widget widget) {
        now += 1.0;
        press(middle(widget));
        release(middle(widget));
    }
    void drag(Point from, Point to, MouseButton button = MouseButton::left) {
        now += 1.0;
        press(from, button);
        ui.motion({(from.x + to.x) / 2.0F, (from.y + to.y) / 2.0F}, {}, now);
        ui.motion(to, {}, now);
        release(to, button);
    }
    bool key(Key key, bool shift = false, char character = '\0') { return ui.key(key, {shift, false}, character, now); }
    void focus(Widget widget) {
        for (std::size_t i = 0; i <= widget_count && ui.state().focus != widget; ++i) key(Key::tab);
        REQUIRE(ui.state().focus == widget);
    }
    [[nodiscard]] float value(Parameter parameter) const { return ui.values()[segue::plugin::index(parameter)]; }
};

using Log = std::vector<std::string>;

}  // namespace segue::plugin::ui::testing
