#include "ui/control.hpp"

#include <doctest/doctest.h>

using namespace segue::plugin;
using namespace segue::plugin::ui;

TEST_CASE("dragging 200 pixels goes through a whole range, 2000 with Shift") {
    CHECK(dragged(Parameter::freedom, 0.0F, 200.0F, false) == doctest::Approx(1.0F));
    CHECK(dragged(Parameter::guidance, 0.0F, 100.0F, false) == doctest::Approx(1.0F));
    CHECK(dragged(Parameter::freedom, 0.5F, 100.0F, true) == doctest::Approx(0.55F));
    CHECK(dragged(Parameter::freedom, 0.5F, -500.0F, false) == 0.0F);
    CHECK(dragged(Parameter::freedom, 0.5F, 500.0F, false) == 1.0F);
}

TEST_CASE("arrow steps undo each other and meet the ends") {
    float value = 0.6F;
    for (int i = 0; i < 7; ++i) value = stepped(Parameter::freedom, value, 1.0F, false);
    CHECK(value == doctest::Approx(0.67F));
    for (int i = 0; i < 7; ++i) value = stepped(Parameter::freedom, value, -1.0F, false);
    CHECK(value == doctest::Approx(0.6F));
    for (int i = 0; i < 70; ++i) value = stepped(Parameter::freedom, value, 1.0F, false);
    CHECK(value == 1.0F);
    CHECK(stepped(Parameter::freedom, 0.5F, 1.0F, true) == doctest::Approx(0.501F));
    CHECK(stepped(Parameter::task, 4.0F, 1.0F, false) == 4.0F);
    CHECK(stepped(Parameter::task, 2.0F, -1.0F, true) == 1.0F);
}

TEST_CASE("a typed value is taken in the unit shown, or not at all") {
    CHECK(typed(Parameter::freedom, "45") == 0.45F);
    CHECK(typed(Parameter::freedom, "0.5") == 0.005F);
    CHECK(typed(Parameter::guidance, "1.25") == 1.25F);
    for (const char* wrong : {"", ".", "101", "1.2.3", "1e1", "-4", "nan", "4,5", "99999999999999999999"}) {
        CAPTURE(wrong);
        CHECK_FALSE(typed(Parameter::freedom, wrong).has_value());
    }
    CHECK_FALSE(typed(Parameter::guidance, "2.01").has_value());
}

TEST_CASE("a fraction says how far round a knob is") {
    CHECK(fraction_of(Parameter::guidance, 1.0F) == 0.5F);
    CHECK(fraction_of(Parameter::candidate, 1.0F) == 0.0F);
    CHECK(fraction_of(Parameter::candidate, 4.0F) == 1.0F);
}
