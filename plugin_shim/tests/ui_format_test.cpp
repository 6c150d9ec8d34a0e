#include "ui/format.hpp"

#include <doctest/doctest.h>

using namespace segue::plugin;
using namespace segue::plugin::ui;

TEST_CASE("places in the song read as minutes, seconds and milliseconds") {
    CHECK(clock_text(0.0) == "0:00.000");
    CHECK(clock_text(62.5) == "1:02.500");
    CHECK(clock_text(59.9996) == "1:00.000");  // rounded before it is cut into minutes
    CHECK(clock_text(3725.25) == "1:02:05.250");
    CHECK(clock_text(-1.5) == "-0:01.500");
    CHECK(clock_text(-0.0001) == "0:00.000");
}

TEST_CASE("elapsed time is rounded down, as clocks do") {
    CHECK(clock_text_short(59.99) == "0:59");
    CHECK(clock_text_short(600.0) == "10:00");
    CHECK(clock_text_short(3.0 * 0.1 * 10.0) == "0:03");  // 3.0000000000000004 and its like do not fall short
}

TEST_CASE("beats follow from the tempo, and are not shown without one") {
    CHECK(beats_text(4.0, 120.0) == "8 beats");
    CHECK(beats_text(0.5, 120.0) == "1 beat");
    CHECK(beats_text(1.25, 120.0) == "2.5 beats");
    CHECK(beats_text(4.69, 120.0) == "9.38 beats");
    CHECK(beats_text(4.0, 0.0).empty());
}

TEST_CASE("time left is never below what is true") {
    CHECK(left_text(3.1) == "4 s left");
    CHECK(left_text(-1.0) == "0 s left");
    CHECK(left_text(89.0) == "89 s left");
    CHECK(left_text(100.0) == "2 min left");
}

TEST_CASE("values read in their parameter's unit") {
    CHECK(value_text(Parameter::freedom, 0.6F) == "60 %");
    CHECK(value_text(Parameter::mix, 1.0F) == "100 %");
    CHECK(value_text(Parameter::guidance, 1.25F) == "\xC3\x97 1.25");
}

TEST_CASE("a ruler's steps are round, wide enough, and its ticks show what tells them apart") {
    for (double least = 0.0004; least < 4000.0; least *= 1.7) {
        const double step = ruler_step(least);
        CHECK(step >= least);
        CHECK(step <= least * 3.34);  // from 0.3 to 1 at the most, in a series of 1, 2, 5
        CHECK(tick_text(7.0 * step, step) != tick_text(8.0 * step, step));
    }
    CHECK(tick_text(24.5, 0.5) == "0:24.5");
    CHECK(tick_text(24.9999999, 5.0) == "0:25");
    CHECK(tick_text(1.002, 0.002) == "0:01.002");
}
