#include "ui/text.hpp"

#include <doctest/doctest.h>

using namespace segue::plugin::ui;

namespace {

// Every character is half its size wide; keeps the last text.
class Ruled final : public Canvas {
public:
    std::vector<std::string> drawn;
    std::vector<Point> places;

    void fill(const Rect&, const Colour&, float) override {}
    void outline(const Rect&, const Colour&, float, float) override {}
    void polygon(const std::vector<Point>&, const Colour&) override {}
    void line(Point, Point, const Colour&, float) override {}
    void arc(Point, float, float, float, const Colour&, float) override {}
    void circle(Point, float, const Colour&) override {}
    void text(std::string_view text, Point at, float, const Colour&, const Rect&) override {
        drawn.emplace_back(text);
        places.push_back(at);
    }
    [[nodiscard]] float text_width(std::string_view text, float size) override {
        float width = 0.0F;
        for (const char each : text) width += (static_cast<unsigned char>(each) & 0xC0U) == 0x80U ? 0.0F : size / 2.0F;
        return width;
    }
    void push_clip(const Rect&) override {}
    void pop_clip() override {}
    [[nodiscard]] float scale() const override { return 1.0F; }
};

}  // namespace

TEST_CASE("text that fits is left alone; else it ends with an ellipsis that fits too") {
    Ruled canvas;
    CHECK(shortened(canvas, "splice", 30.0F, 10.0F) == "splice");
    CHECK(shortened(canvas, "regenerated", 30.0F, 10.0F) == "regen\xE2\x80\xA6");
    CHECK(shortened(canvas, "one two", 25.0F, 10.0F) == "one\xE2\x80\xA6");  // no space before it
    CHECK(shortened(canvas, "abc", 1.0F, 10.0F) == "\xE2\x80\xA6");
}

TEST_CASE("a character of several bytes is never cut in two") {
    Ruled canvas;
    const std::string song = "\xC3\x9C\xC3\x9C\xC3\x9C\xC3\x9C";  // four capital U with dots
    CHECK(shortened(canvas, song, 15.0F, 10.0F) == "\xC3\x9C\xC3\x9C\xE2\x80\xA6");
    for (const std::string& line : wrapped(canvas, song, 5.0F, 10.0F, 9)) CHECK(line == "\xC3\x9C");
}

TEST_CASE("long text wraps at spaces, and its last line says that there was more") {
    Ruled canvas;
    CHECK(wrapped(canvas, "the renderer ran out of memory", 60.0F, 10.0F, 9) ==
          std::vector<std::string>{"the renderer", "ran out of", "memory"});
    CHECK(wrapped(canvas, "the renderer ran out of memory", 60.0F, 10.0F, 2) ==
          std::vector<std::string>{"the renderer", "ran out of\xE2\x80\xA6"});
    CHECK(wrapped(canvas, "unbreakable", 25.0F, 10.0F, 9) == std::vector<std::string>{"unbre", "akabl", "e"});
    CHECK(wrapped(canvas, "", 25.0F, 10.0F, 9).empty());
}

TEST_CASE("aligned text touches the side it is aligned to") {
    Ruled canvas;
    const Rect box{100.0F, 0.0F, 50.0F, 20.0F};
    draw_text(canvas, "abcd", box, {10.0F, theme::text, Align::left});
    draw_text(canvas, "abcd", box, {10.0F, theme::text, Align::centre});
    draw_text(canvas, "abcd", box, {10.0F, theme::text, Align::right});
    REQUIRE(canvas.places.size() == 3);
    CHECK(canvas.places[0].x == 100.0F);
    CHECK(canvas.places[1].x == 115.0F);
    CHECK(canvas.places[2].x == 130.0F);
}
