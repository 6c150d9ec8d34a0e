#include "ui/view_range.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace segue::plugin;
using namespace segue::plugin::ui;

namespace {

constexpr double rate = 48000.0;
const Span content{48'000, 4'848'000};

}  // namespace

TEST_CASE("a fitted view shows all of the content, with room on both sides") {
    const ViewRange view = fit(content);
    CHECK(view.start < 48'000.0);
    CHECK(view.start + view.length > 4'848'000.0);
    CHECK(view.length < 1.1 * static_cast<double>(content.size()));
}

TEST_CASE("zooming keeps the place under the pointer where it is") {
    const ViewRange view{1'000'000.0, 400'000.0};
    for (const double fraction : {0.0, 0.31, 1.0}) {
        for (const double factor : {0.8, 0.1, 1.25}) {
            const ViewRange next = zoomed(view, factor, fraction, content, rate);
            CHECK(next.length == doctest::Approx(400'000.0 * factor));
            CHECK(next.at(fraction) == doctest::Approx(view.at(fraction)));
        }
    }
}

TEST_CASE("zooming ends at 5 ms and at the whole content") {
    ViewRange view = fit(content);
    for (int i = 0; i < 200; ++i) view = zoomed(view, 0.8, 0.5, content, rate);
    CHECK(view.length == doctest::Approx(0.005 * rate));
    for (int i = 0; i < 200; ++i) view = zoomed(view, 1.25, 0.1, content, rate);
    CHECK(view.length == doctest::Approx(fit(content).length));
    CHECK(view.start == doctest::Approx(fit(content).start));
}

TEST_CASE("scrolling stops at both ends and changes no length") {
    const ViewRange view{1'000'000.0, 400'000.0};
    CHECK(scrolled(view, 50'000.0, content).start == doctest::Approx(1'050'000.0));
    const ViewRange all = fit(content);
    const ViewRange left = scrolled(view, -1e12, content);
    CHECK(left.start == doctest::Approx(all.start));
    const ViewRange right = scrolled(view, 1e12, content);
    CHECK(right.start + right.length == doctest::Approx(all.start + all.length));
    CHECK(right.length == view.length);
}

TEST_CASE("a view follows the playhead off its right edge, and nowhere else") {
    const ViewRange view{1'000'000.0, 400'000.0};
    CHECK(following(view, 1'399'000.0, 1'400'500.0, content).start == doctest::Approx(1'400'500.0));
    CHECK(following(view, 1'100'000.0, 1'200'000.0, content).start == view.start);
    // someone has scrolled away from the playhead: it is not brought back
    CHECK(following(view, 3'000'000.0, 3'100'000.0, content).start == view.start);
    // a loop jumped back
    CHECK(following(view, 1'300'000.0, 500'000.0, content).start == view.start);
}

TEST_CASE("content is all that was heard, rendered or marked; ten seconds where there is nothing") {
    Snapshot snapshot;
    snapshot.rate = rate;
    snapshot.playhead = 96'000;
    CHECK(content_of(snapshot) == Span{96'000, 96'000 + 480'000});
    snapshot.capture.heard = {{100, 200}, {300, 400}};
    CHECK(content_of(snapshot) == Span{100, 400});
    snapshot.marks = Span{50, 120};
    snapshot.regions.push_back({});
    snapshot.regions.back().span = {390, 900};
    CHECK(content_of(snapshot) == Span{50, 900});
    snapshot.gap.span = {0, 5000};  // without a source it is none
    CHECK(content_of(snapshot) == Span{50, 900});
}

TEST_CASE("the span of a view holds every sample in sight") {
    CHECK(ViewRange{10.5, 4.0}.span() == Span{10, 15});
    CHECK(ViewRange{-3.2, 0.1}.span() == Span{-4, -3});
}
