#include "ui/layout.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "ui/scene.hpp"
#include "ui/theme.hpp"

using namespace segue::plugin;
using namespace segue::plugin::ui;

namespace {

struct Size {
    float width;
    float height;
};

bool within(const Rect& inner, const Rect& outer) {
    return inner.x >= outer.x && inner.y >= outer.y && inner.right() <= outer.right() + 0.01F &&
           inner.bottom() <= outer.bottom() + 0.01F;
}

}  // namespace

TEST_CASE("widgets lie in the window, apart, and large enough to press, at every size") {
    for (const Size size : {Size{minimum_width, minimum_height}, Size{default_width, default_height},
                            Size{1007.0F, 571.0F}, Size{1920.0F, 1200.0F}, Size{3000.0F, 560.0F}}) {
        for (const bool notice : {false, true}) {
            const Layout layout = make_layout(size.width, size.height, notice);
            for (std::size_t one = 0; one < widget_count; ++one) {
                CAPTURE(one);
                CHECK(within(layout.widgets[one], layout.window));
                CHECK(layout.widgets[one].w >= 40.0F);
                CHECK(layout.widgets[one].h >= 12.0F);
                for (std::size_t other = one + 1; other < widget_count; ++other) {
                    CAPTURE(other);
                    CHECK_FALSE(layout.widgets[one].overlaps(layout.widgets[other]));
                }
                CHECK(layout.hit(layout.widgets[one].centre()) == static_cast<Widget>(one));
            }
            CHECK(layout.notice.empty() != notice);
            CHECK(layout.of(Widget::waveform).h >= 60.0F);
        }
    }
}

TEST_CASE("nothing is hit between widgets") {
    const Layout layout = make_layout(default_width, default_height, false);
    CHECK(layout.hit({1.0F, 1.0F}) == Widget::none);
    CHECK(layout.hit({-5.0F, 100.0F}) == Widget::none);
    CHECK(layout.hit(layout.status_text.centre()) == Widget::none);
}

TEST_CASE("an open list stays in the window, above its field where there is no room below") {
    const Layout layout = make_layout(minimum_width, minimum_height, false);
    for (const Widget owner : {Widget::task, Widget::preset, Widget::position}) {
        for (const std::size_t choices : {2U, 5U, 64U}) {
            const MenuPlace place = menu_place(layout, owner, choices);
            CHECK(within(place.frame, layout.window));
            CHECK_FALSE(place.frame.overlaps(layout.of(owner)));
            CHECK(within(place.row(place.rows - 1), place.frame));
            CHECK(place.rows == std::min(choices, menu_rows));
        }
    }
}

TEST_CASE("every pair of text and ground reads well: WCAG 2.1, 4.5 to 1") {
    const std::vector<Colour> grounds{theme::window, theme::bar, theme::panel, theme::well};
    for (const Colour& ground : grounds) {
        for (const Colour& text :
             {theme::text, theme::quiet, theme::good, theme::warning, theme::bad, theme::rendered, theme::gap}) {
            CHECK(contrast(text, ground) >= 4.5);
        }
        CHECK(contrast(theme::focus, ground) >= 3.0);  // what is no text needs 3 to 1
    }
    for (const Colour& ground : {theme::button, theme::hovered, theme::pressed, theme::notice}) {
        CHECK(contrast(theme::text, ground) >= 4.5);
    }
    for (const Colour& ground : {theme::button, theme::hovered}) CHECK(contrast(theme::quiet, ground) >= 4.5);
    CHECK(contrast(theme::on_accent, theme::accent) >= 4.5);
    CHECK(contrast(theme::on_accent, theme::accent_hovered) >= 4.5);
}

TEST_CASE("contrast agrees with the definition's own ends") {
    CHECK(contrast(rgb(0x000000), rgb(0xFFFFFF)) == doctest::Approx(21.0));
    CHECK(contrast(rgb(0x777777), rgb(0xFFFFFF)) == doctest::Approx(4.48).epsilon(0.002));
    CHECK(contrast(rgb(0x123456), rgb(0x123456)) == 1.0);
}
