#include "ui/interaction.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ui/words.hpp"

using namespace segue::plugin;
using namespace segue::plugin::ui;

namespace {

constexpr double rate = 48000.0;

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

RegionView region(std::uint64_t id, std::int64_t start, std::int64_t stop, std::size_t takes) {
    RegionView view;
    view.id = id;
    view.span = {start, stop};
    view.task = "infill";
    view.takes.resize(takes);
    return view;
}

// A minute heard, two renders, a renderer that answers.
Snapshot usual() {
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
    void click(Widget widget) {
        now += 1.0;
        press(middle(widget));
        ui.release(middle(widget));
    }
    void drag(Point from, Point to, MouseButton button = MouseButton::left) {
        now += 1.0;
        press(from, button);
        ui.motion({(from.x + to.x) / 2.0F, (from.y + to.y) / 2.0F}, {}, now);
        ui.motion(to, {}, now);
        ui.release(to);
    }
    bool key(Key key, bool shift = false, char character = '\0') { return ui.key(key, {shift, false}, character, now); }
    void focus(Widget widget) {
        for (std::size_t i = 0; i <= widget_count && ui.state().focus != widget; ++i) key(Key::tab);
        REQUIRE(ui.state().focus == widget);
    }
    [[nodiscard]] float value(Parameter parameter) const { return ui.values()[segue::plugin::index(parameter)]; }
};

using Log = std::vector<std::string>;

}  // namespace

TEST_CASE("dragging a knob is one edit of its parameter") {
    Hands hands;
    const Point at = hands.middle(Widget::freedom);
    hands.drag(at, {at.x, at.y - 40.0F});
    CHECK(hands.asked.log == Log{"begin freedom", "set freedom", "set freedom", "end freedom"});
    CHECK(hands.value(Parameter::freedom) == doctest::Approx(0.8F));
}

TEST_CASE("Escape while dragging gives the old value back and ends the edit") {
    Hands hands;
    const Point at = hands.middle(Widget::mix);
    hands.press(at);
    hands.ui.motion({at.x, at.y + 100.0F}, {}, hands.now);
    CHECK(hands.value(Parameter::mix) == doctest::Approx(0.5F));
    CHECK(hands.key(Key::escape));
    CHECK(hands.value(Parameter::mix) == 1.0F);
    CHECK(hands.asked.log.back() == "end mix");
    hands.ui.motion({at.x, at.y + 150.0F}, {}, hands.now);
    hands.ui.release({at.x, at.y + 150.0F});
    CHECK(hands.value(Parameter::mix) == 1.0F);
}

TEST_CASE("a double-click resets a knob; two slow clicks do not") {
    Hands hands;
    hands.ui.set_value(Parameter::freedom, 0.9F);
    hands.click(Widget::freedom);
    hands.click(Widget::freedom);  // a second later
    CHECK(hands.value(Parameter::freedom) == 0.9F);
    hands.now += 0.2;
    hands.press(hands.middle(Widget::freedom));
    hands.ui.release(hands.middle(Widget::freedom));
    CHECK(hands.value(Parameter::freedom) == 0.6F);
}

TEST_CASE("the wheel turns a knob, and what has no wheel leaves it to the host") {
    Hands hands;
    CHECK(hands.ui.scroll(hands.middle(Widget::freedom), 0.0F, 1.0F, {}));
    CHECK(hands.value(Parameter::freedom) == doctest::Approx(0.62F));
    CHECK(hands.ui.scroll(hands.middle(Widget::freedom), 0.0F, -1.0F, {true, false}));
    CHECK(hands.value(Parameter::freedom) == doctest::Approx(0.618F));
    CHECK_FALSE(hands.ui.scroll(hands.middle(Widget::render), 0.0F, 1.0F, {}));
}

TEST_CASE("dragging over the waveform marks a gap, in either direction") {
    Hands hands;
    hands.drag(hands.place(1'000'000.0), hands.place(1'400'000.0));
    REQUIRE(hands.asked.marks.has_value());
    CHECK(static_cast<double>(hands.asked.marks->start) == doctest::Approx(1'000'000.0).epsilon(0.002));
    CHECK(static_cast<double>(hands.asked.marks->stop) == doctest::Approx(1'400'000.0).epsilon(0.002));
    const Span forwards = *hands.asked.marks;
    hands.drag(hands.place(1'400'000.0), hands.place(1'000'000.0));
    CHECK(*hands.asked.marks == forwards);
    CHECK_FALSE(hands.ui.state().draft.has_value());
}

TEST_CASE("marks never begin before the song") {
    Hands hands;
    const Rect& box = hands.ui.layout().of(Widget::waveform);
    hands.drag(hands.place(400'000.0), {box.x - 50.0F, box.centre().y});
    CHECK(hands.asked.marks == Span{0, hands.asked.marks->stop});
}

TEST_CASE("an edge of the marks can be taken and moved, the other stays") {
    Snapshot snapshot = usual();
    snapshot.marks = Span{1'000'000, 1'400'000};
    Hands hands(snapshot);
    const Point edge = hands.place(1'400'000.0);
    hands.drag({edge.x + 3.0F, edge.y}, hands.place(1'700'000.0));
    CHECK(hands.asked.marks->start == 1'000'000);
    CHECK(static_cast<double>(hands.asked.marks->stop) == doctest::Approx(1'700'000.0).epsilon(0.002));
}

TEST_CASE("Escape leaves the marks as they were") {
    Hands hands;
    hands.press(hands.place(1'000'000.0));
    hands.ui.motion(hands.place(1'400'000.0), {}, hands.now);
    CHECK(hands.ui.state().draft.has_value());
    hands.key(Key::escape);
    hands.ui.release(hands.place(1'400'000.0));
    CHECK_FALSE(hands.asked.marks.has_value());
    CHECK_FALSE(hands.ui.state().draft.has_value());
}

TEST_CASE("a click on a rendered region shows its takes, a click beside it the latest ones") {
    Hands hands;
    const auto shown = [&] { return shown_region(hands.ui.scene(Peaks{}))->id; };
    CHECK(shown() == 2);
    hands.press(hands.place(1'000'000.0));
    hands.ui.release(hands.place(1'000'000.0));
    CHECK(shown() == 1);
    hands.now += 1.0;
    hands.press(hands.place(100'000.0));
    hands.ui.release(hands.place(100'000.0));
    CHECK(shown() == 2);
    CHECK(hands.asked.log.empty());
}

TEST_CASE("a render that arrives is shown, whatever was selected") {
    Hands hands;
    hands.press(hands.place(1'000'000.0));
    hands.ui.release(hands.place(1'000'000.0));
    Snapshot snapshot = usual();
    snapshot.regions.push_back(region(3, 100'000, 200'000, 1));
    hands.show(snapshot);
    CHECK(shown_region(hands.ui.scene(Peaks{}))->id == 3);
}

TEST_CASE("the wheel zooms at the pointer; with Shift it scrolls") {
    Hands hands;
    const Point at = hands.place(1'000'000.0);
    CHECK(hands.ui.state().fitted);
    hands.ui.scroll(at, 0.0F, 3.0F, {});
    CHECK_FALSE(hands.ui.state().fitted);
    CHECK(hands.place(1'000'000.0).x == doctest::Approx(at.x).epsilon(0.001));
    const ViewRange before = hands.ui.state().view;
    hands.ui.scroll(at, 0.0F, -1.0F, {true, false});
    CHECK(hands.ui.state().view.length == before.length);
    CHECK(hands.ui.state().view.start > before.start);
    hands.click(Widget::fit);
    CHECK(hands.ui.state().fitted);
}

TEST_CASE("a fitted view grows with the capture, a zoomed one stays where it is") {
    Hands hands;
    const double length = hands.ui.state().view.length;
    Snapshot more = usual();
    more.capture.heard = {{0, 5'760'000}};
    hands.show(more);
    CHECK(hands.ui.state().view.length > 1.9 * length);
    hands.ui.scroll(hands.place(1'000'000.0), 0.0F, 5.0F, {});
    const ViewRange zoomed = hands.ui.state().view;
    more.capture.heard = {{0, 9'600'000}};
    hands.show(more);
    CHECK(hands.ui.state().view.start == zoomed.start);
    CHECK(hands.ui.state().view.length == zoomed.length);
}

TEST_CASE("the ruler and the other mouse buttons scroll by dragging, and mark nothing") {
    Hands hands;
    hands.ui.scroll(hands.place(1'400'000.0), 0.0F, 8.0F, {});
    const double under = hands.ui.state().view.at(0.5);
    const Point from = hands.place(under);
    hands.drag(from, {from.x - 120.0F, from.y}, MouseButton::other);
    CHECK(hands.place(under).x == doctest::Approx(from.x - 120.0F).epsilon(0.001));
    const Point ruler = hands.middle(Widget::ruler);
    hands.drag(ruler, {ruler.x + 120.0F, ruler.y});
    CHECK(hands.place(under).x == doctest::Approx(from.x).epsilon(0.001));
    CHECK(hands.asked.log.empty());
}

TEST_CASE("a take that is pressed is heard: its number is set and the original goes off") {
    Hands hands;
    hands.ui.set_value(Parameter::compare, 1.0F);
    hands.click(Widget::take_2);
    CHECK(hands.value(Parameter::candidate) == 2.0F);
    CHECK(hands.value(Parameter::compare) == 0.0F);
    hands.asked.log.clear();
    hands.click(Widget::take_3);  // this region has two
    CHECK(hands.asked.log.empty());
}

TEST_CASE("buttons ask the engine, and only when released upon") {
    Hands hands;
    hands.click(Widget::undo);
    hands.click(Widget::remove);
    hands.click(Widget::render);
    hands.click(Widget::browse);
    hands.click(Widget::forget);
    hands.click(Widget::redo);  // there is nothing to redo
    hands.press(hands.middle(Widget::undo));
    hands.ui.release({0.0F, 0.0F});
    CHECK(hands.asked.log == Log{"undo", "remove 2", "render", "browse", "forget"});
}

TEST_CASE("Render becomes Cancel while a job goes on, and Escape cancels too") {
    Snapshot snapshot = usual();
    for (const JobState state : {JobState::armed, JobState::waiting, JobState::sending, JobState::queued, JobState::running,
                                 JobState::receiving}) {
        snapshot.job.state = state;
        Hands hands(snapshot);
        CHECK(words::render_button(hands.ui.scene(Peaks{})) == "Cancel");
        hands.click(Widget::render);
        CHECK(hands.key(Key::escape));
        CHECK(hands.asked.log == Log{"cancel", "cancel"});
    }
    Hands hands;
    CHECK_FALSE(hands.key(Key::escape));  // the host may close its window with it
}

TEST_CASE("a task that the renderer does not offer cannot be rendered, and the words say why") {
    Snapshot snapshot = usual();
    snapshot.link.tasks = {"infill"};
    Hands hands(snapshot);
    hands.ui.set_value(Parameter::task, 4.0F);
    hands.click(Widget::render);
    CHECK(hands.asked.log.empty());
    CHECK(words::job(hands.ui.scene(Peaks{})).text == "This renderer does not offer Restyle. Choose another task.");
    hands.ui.set_value(Parameter::task, 0.0F);
    hands.click(Widget::render);
    CHECK(hands.asked.log == Log{"render"});
}

TEST_CASE("a list opens, scrolls, and picks by mouse") {
    Hands hands;
    hands.click(Widget::preset);
    REQUIRE(hands.ui.state().menu.has_value());
    const MenuPlace place = menu_place(hands.ui.layout(), Widget::preset, 3);
    CHECK(place.rows == 3);  // none and two presets
    hands.press(place.row(2).centre());
    CHECK_FALSE(hands.ui.state().menu.has_value());
    CHECK(hands.value(Parameter::preset) == 2.0F);
    hands.ui.release(place.row(2).centre());
    hands.click(Widget::task);
    hands.press({1.0F, 300.0F});  // beside it
    CHECK_FALSE(hands.ui.state().menu.has_value());
    CHECK(hands.value(Parameter::task) == 0.0F);
}

TEST_CASE("a long list keeps what is highlighted in sight") {
    Snapshot snapshot = usual();
    snapshot.link.presets.assign(80, "Preset");
    Hands hands(snapshot);
    hands.focus(Widget::preset);
    hands.key(Key::enter);
    hands.key(Key::end);
    CHECK(hands.ui.state().menu->highlighted == max_presets);  // more cannot be named by the parameter
    CHECK(hands.ui.state().menu->first == max_presets + 1 - menu_rows);
    hands.key(Key::home);
    CHECK(hands.ui.state().menu->first == 0);
    hands.key(Key::down);
    hands.key(Key::enter);
    CHECK(hands.value(Parameter::preset) == 1.0F);
}

TEST_CASE("a preset that this renderer does not have keeps its number") {
    Hands hands;
    hands.ui.set_value(Parameter::preset, 7.0F);
    const auto names = words::choices(Widget::preset, hands.ui.scene(Peaks{}));
    REQUIRE(names.size() == 8);
    CHECK(names[2] == "Folk");
    CHECK(names[7] == "Preset 7");
}

TEST_CASE("Tab reaches everything that can be used, once, and comes round; Shift goes back") {
    Hands hands;
    std::vector<Widget> reached;
    for (std::size_t i = 0; i < widget_count; ++i) {
        hands.key(Key::tab);
        if (!reached.empty() && hands.ui.state().focus == reached.front()) break;
        reached.push_back(hands.ui.state().focus);
        CHECK(enabled(reached.back(), hands.ui.scene(Peaks{})));
    }
    CHECK(reached.front() == Widget::task);
    for (const Widget widget : {Widget::waveform, Widget::mix, Widget::render, Widget::take_2, Widget::browse}) {
        CHECK(std::count(reached.begin(), reached.end(), widget) == 1);
    }
    for (const Widget widget : {Widget::redo, Widget::take_3, Widget::reconnect, Widget::clear_marks, Widget::ruler}) {
        CHECK(std::count(reached.begin(), reached.end(), widget) == 0);
    }
    hands.key(Key::tab, true);
    CHECK(hands.ui.state().focus == reached.back());
}

TEST_CASE("the keyboard turns knobs, presses buttons and walks through lists") {
    Hands hands;
    hands.focus(Widget::freedom);
    hands.key(Key::up);
    hands.key(Key::right);
    hands.key(Key::page_down);
    CHECK(hands.value(Parameter::freedom) == doctest::Approx(0.52F));
    hands.key(Key::end);
    CHECK(hands.value(Parameter::freedom) == 1.0F);
    hands.key(Key::erase);
    CHECK(hands.value(Parameter::freedom) == 0.6F);
    hands.focus(Widget::task);
    hands.key(Key::down);
    CHECK(hands.value(Parameter::task) == 1.0F);
    hands.focus(Widget::render);
    hands.asked.log.clear();
    hands.key(Key::space);
    CHECK(hands.asked.log == Log{"render"});
}

TEST_CASE("a number typed on a knob is taken with Enter and dropped with Escape") {
    Hands hands;
    hands.focus(Widget::guidance);
    for (const char digit : std::string{"1.5x"}) hands.key(Key::character, false, digit);
    CHECK(hands.ui.state().entry == "1.5");
    hands.key(Key::enter);
    CHECK(hands.value(Parameter::guidance) == 1.5F);
    hands.key(Key::character, false, '9');
    hands.key(Key::enter);  // 9 is beyond 2: refused, not bent
    CHECK(hands.value(Parameter::guidance) == 1.5F);
    hands.key(Key::character, false, '1');
    CHECK(hands.key(Key::escape));
    CHECK(hands.ui.state().entry.empty());
    CHECK(hands.value(Parameter::guidance) == 1.5F);
}

TEST_CASE("after a click the space bar is the host's") {
    Hands hands;
    hands.click(Widget::undo);
    hands.asked.log.clear();
    CHECK_FALSE(hands.key(Key::space));
    CHECK(hands.asked.log.empty());
}

TEST_CASE("brackets mark the gap at the playhead from the keyboard") {
    Hands hands;
    hands.focus(Widget::waveform);
    hands.key(Key::character, false, '[');
    CHECK(hands.asked.marks == Span{480'000, 528'000});
    Snapshot snapshot = usual();
    snapshot.marks = hands.asked.marks;
    snapshot.playhead = 700'000;
    hands.show(snapshot);
    hands.key(Key::character, false, ']');
    CHECK(hands.asked.marks == Span{480'000, 700'000});
    hands.key(Key::erase);
    CHECK(hands.asked.marks == Span{});
}

TEST_CASE("without access to the engine parameters work, and Render is a rising edge of its own") {
    Hands hands;
    hands.ui.set_engine(false);
    hands.ui.set_size(default_width, default_height);
    hands.click(Widget::browse);
    hands.click(Widget::reveal);
    hands.drag(hands.place(1'000'000.0), hands.place(1'400'000.0));
    CHECK(hands.asked.log.empty());
    hands.click(Widget::compare);
    CHECK(hands.value(Parameter::compare) == 1.0F);
    hands.asked.log.clear();
    hands.click(Widget::render);
    CHECK(hands.asked.log == Log{"begin render", "set render", "end render"});
    CHECK(hands.value(Parameter::render) == 1.0F);
    hands.ui.tick(hands.now + 0.1);
    CHECK(hands.value(Parameter::render) == 1.0F);
    hands.ui.tick(hands.now + 0.5);
    CHECK(hands.value(Parameter::render) == 0.0F);
    CHECK_FALSE(words::notice(hands.ui.scene(Peaks{})).empty());
}

TEST_CASE("a tip shows when the pointer rests, and goes when it moves") {
    Hands hands;
    hands.ui.motion(hands.middle(Widget::freedom), {}, 10.0);
    hands.ui.tick(10.3);
    CHECK_FALSE(hands.ui.state().tip);
    hands.ui.tick(11.0);
    CHECK(hands.ui.state().tip);
    hands.ui.motion(hands.middle(Widget::guidance), {}, 11.1);
    CHECK_FALSE(hands.ui.state().tip);
}

TEST_CASE("what the window could not do is said until the next click") {
    Hands hands;
    hands.ui.set_notice("xdg-open could not be started");
    CHECK_FALSE(hands.ui.layout().notice.empty());
    hands.click(Widget::undo);
    CHECK(hands.asked.log == Log{"undo"});  // the click lands where the button was seen
    CHECK(hands.ui.layout().notice.empty());
}

TEST_CASE("nothing is painted again when nothing changed") {
    Hands hands;
    CHECK(hands.ui.take_changed());
    CHECK_FALSE(hands.ui.take_changed());
    hands.ui.set_value(Parameter::mix, hands.value(Parameter::mix));
    hands.ui.tick(hands.now);
    CHECK_FALSE(hands.ui.take_changed());
    hands.ui.set_value(Parameter::mix, 0.25F);
    CHECK(hands.ui.take_changed());
}
