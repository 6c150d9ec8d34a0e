#include "ui/interaction.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "ui/words.hpp"
#include "ui_hands.hpp"

using namespace segue::plugin;
using namespace segue::plugin::ui;
using namespace segue::plugin::ui::testing;

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
    hands.release({at.x, at.y + 150.0F});
    CHECK(hands.value(Parameter::mix) == 1.0F);
}

TEST_CASE("neither keys nor the wheel end the edit of a knob that is being dragged") {
    Hands hands;
    const Point at = hands.middle(Widget::freedom);
    hands.press(at);
    for (std::size_t i = 0; i < widget_count && hands.ui.state().focus != Widget::preset; ++i) hands.key(Key::tab);
    hands.key(Key::enter);
    CHECK_FALSE(hands.ui.state().menu.has_value());
    hands.ui.scroll(at, 0.0F, 1.0F, {});
    CHECK(hands.asked.log == Log{"begin freedom"});
    hands.release(at);
    CHECK(hands.asked.log == Log{"begin freedom", "end freedom"});
}

TEST_CASE("Escape leaves the marks as they were") {
    Hands hands;
    hands.press(hands.place(1'000'000.0));
    hands.ui.motion(hands.place(1'400'000.0), {}, hands.now);
    CHECK(hands.ui.state().draft.has_value());
    hands.key(Key::escape);
    hands.release(hands.place(1'400'000.0));
    CHECK_FALSE(hands.asked.marks.has_value());
    CHECK_FALSE(hands.ui.state().draft.has_value());
}

TEST_CASE("Render becomes Cancel while a job goes on, and Escape cancels too") {
    Snapshot snapshot = usual();
    for (const JobState state : {JobState::armed, JobState::waiting, JobState::sending, JobState::queued,
                                 JobState::running, JobState::receiving}) {
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
