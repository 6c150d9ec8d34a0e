#include "ui/interaction.hpp"

#include <doctest/doctest.h>

#include "ui/words.hpp"
#include "ui_hands.hpp"

using namespace segue::plugin;
using namespace segue::plugin::ui;
using namespace segue::plugin::ui::testing;

TEST_CASE("dragging a knob is one edit of its parameter") {
    Hands hands;
    const Point at = hands.middle(Widget::freedom);
    hands.drag(at, {at.x, at.y - 40.0F});
    CHECK(hands.asked.log == Log{"begin freedom", "set freedom", "set freedom", "end freedom"});
    CHECK(hands.value(Parameter::freedom) == doctest::Approx(0.8F));
}

TEST_CASE("a second button during a drag changes nothing: the edit ends with the button that began it") {
    for (const bool released : {false, true}) {
        Hands hands;
        const Point at = hands.middle(Widget::freedom);
        hands.press(at);
        hands.ui.motion({at.x, at.y - 20.0F}, {}, hands.now);
        hands.press(hands.place(480'000.0), MouseButton::other);
        if (released) hands.release(hands.place(480'000.0), MouseButton::other);
        CHECK(hands.asked.log == Log{"begin freedom", "set freedom"});
        hands.ui.motion({at.x, at.y - 40.0F}, {}, hands.now);
        hands.release({at.x, at.y - 40.0F});
        CHECK(hands.asked.log == Log{"begin freedom", "set freedom", "set freedom", "end freedom"});
        CHECK(hands.value(Parameter::freedom) == doctest::Approx(0.8F));
    }
}

TEST_CASE("marks that are being drawn are not left half drawn by a second button") {
    Hands hands;
    hands.press(hands.place(1'000'000.0));
    hands.ui.motion(hands.place(1'400'000.0), {}, hands.now);
    hands.press(hands.place(1'400'000.0), MouseButton::other);
    hands.release(hands.place(1'400'000.0), MouseButton::other);
    CHECK(hands.ui.state().draft.has_value());
    CHECK_FALSE(hands.asked.marks.has_value());
    hands.release(hands.place(1'400'000.0));
    CHECK_FALSE(hands.ui.state().draft.has_value());
    CHECK(hands.asked.marks.has_value());
}

TEST_CASE("a double-click resets a knob; two slow clicks do not") {
    Hands hands;
    hands.ui.set_value(Parameter::freedom, 0.9F);
    hands.click(Widget::freedom);
    hands.click(Widget::freedom);  // a second later
    CHECK(hands.value(Parameter::freedom) == 0.9F);
    hands.now += 0.2;
    hands.press(hands.middle(Widget::freedom));
    hands.release(hands.middle(Widget::freedom));
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

TEST_CASE("a click on a rendered region shows its takes, a click beside it the latest ones") {
    Hands hands;
    const auto shown = [&] { return shown_region(hands.ui.scene(Peaks{}))->id; };
    CHECK(shown() == 2);
    hands.press(hands.place(1'000'000.0));
    hands.release(hands.place(1'000'000.0));
    CHECK(shown() == 1);
    hands.now += 1.0;
    hands.press(hands.place(100'000.0));
    hands.release(hands.place(100'000.0));
    CHECK(shown() == 2);
    CHECK(hands.asked.log.empty());
}

TEST_CASE("a render that arrives is shown, whatever was selected") {
    Hands hands;
    hands.press(hands.place(1'000'000.0));
    hands.release(hands.place(1'000'000.0));
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
    hands.release({0.0F, 0.0F});
    CHECK(hands.asked.log == Log{"undo", "remove 2", "render", "browse", "forget"});
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
    hands.release(place.row(2).centre());
    hands.click(Widget::task);
    hands.press({1.0F, 300.0F});  // beside it
    CHECK_FALSE(hands.ui.state().menu.has_value());
    CHECK(hands.value(Parameter::task) == 0.0F);
}

TEST_CASE("a preset that this renderer does not have keeps its number") {
    Hands hands;
    hands.ui.set_value(Parameter::preset, 7.0F);
    const auto names = words::choices(Widget::preset, hands.ui.scene(Peaks{}));
    REQUIRE(names.size() == 8);
    CHECK(names[2] == "Folk");
    CHECK(names[7] == "Preset 7");
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

TEST_CASE("a tip shows when the pointer rests, and goes when it moves or a key is pressed") {
    Hands hands;
    hands.ui.motion(hands.middle(Widget::freedom), {}, 10.0);
    hands.ui.tick(10.3);
    CHECK_FALSE(hands.ui.state().tip);
    hands.ui.tick(11.0);
    CHECK(hands.ui.state().tip);
    hands.ui.motion(hands.middle(Widget::guidance), {}, 11.1);
    CHECK_FALSE(hands.ui.state().tip);
    hands.ui.tick(12.0);
    CHECK(hands.ui.state().tip);
    hands.ui.key(Key::tab, {}, '\0', 12.1);
    hands.ui.tick(12.2);
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
