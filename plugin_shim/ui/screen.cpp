#include "ui/screen.hpp"

#include <cmath>
#include <string>

#include "ui/text.hpp"
#include "ui/widgets/button.hpp"
#include "ui/widgets/choice.hpp"
#include "ui/widgets/knob.hpp"
#include "ui/widgets/progress.hpp"
#include "ui/widgets/status.hpp"
#include "ui/widgets/takes.hpp"
#include "ui/widgets/waveform.hpp"
#include "ui/words.hpp"

namespace segue::plugin::ui {
namespace {

void draw_plain_button(Canvas& canvas, const Layout& layout, const Scene& scene, Widget widget) {
    if (!visible(widget, scene)) return;
    draw_button(canvas, layout.of(widget), words::label(widget), touch_of(widget, scene));
}

std::size_t chosen_of(Widget widget, const Scene& scene) {
    return static_cast<std::size_t>(std::lround(scene.value(*parameter_of(widget))));
}

void draw_field(Canvas& canvas, const Layout& layout, const Scene& scene, Widget widget) {
    const auto choices = words::choices(widget, scene);
    const bool open = scene.state.menu && scene.state.menu->owner == widget;
    draw_choice(canvas, layout.of(widget), choices[chosen_of(widget, scene)], touch_of(widget, scene), open);
}

void draw_sentence(Canvas& canvas, const words::Sentence& sentence, const Rect& box) {
    draw_text(canvas, sentence.text, box, {theme::body, colour_of(sentence.mood)});
}

void draw_header(Canvas& canvas, const Layout& layout, const Scene& scene) {
    canvas.fill(layout.header, theme::bar);
    draw_text(canvas, "Segue", layout.title, {theme::title, theme::text});
    draw_text(canvas, "Task", layout.task_caption, {theme::body, theme::quiet});
    draw_text(canvas, "Preset", layout.preset_caption, {theme::body, theme::quiet});
    draw_field(canvas, layout, scene, Widget::task);
    draw_field(canvas, layout, scene, Widget::preset);
    draw_plain_button(canvas, layout, scene, Widget::undo);
    draw_plain_button(canvas, layout, scene, Widget::redo);
    draw_switch(canvas, layout.of(Widget::compare), "Original", "Rendered", scene.value(Parameter::compare) < 0.5F,
                touch_of(Widget::compare, scene));
}

void draw_information(Canvas& canvas, const Layout& layout, const Scene& scene) {
    Rect room = layout.information;
    if (!visible(Widget::clear_marks, scene)) room.w = layout.of(Widget::forget).x - theme::margin - room.x;
    const words::Sentence gap = words::gap(scene);
    const auto lines = wrapped(canvas, gap.text, room.w, theme::body, 2);
    Rect rest = room.middle(theme::line * static_cast<float>(lines.size() + 1));
    for (const std::string& line : lines) draw_sentence(canvas, {line, gap.mood}, rest.cut_top(theme::line));
    draw_sentence(canvas, words::capture(scene), rest);
    for (const Widget widget : {Widget::clear_marks, Widget::forget, Widget::fit}) {
        draw_plain_button(canvas, layout, scene, widget);
    }
}

void draw_knobs(Canvas& canvas, const Layout& layout, const Scene& scene) {
    canvas.fill(layout.shape_panel, theme::panel, theme::radius);
    for (const Widget widget : {Widget::freedom, Widget::guidance, Widget::style, Widget::mix}) {
        const Parameter parameter = *parameter_of(widget);
        const std::string& entry = scene.state.entry;
        draw_knob(canvas, layout.of(widget), parameter, scene.value(parameter), touch_of(widget, scene),
                  scene.state.focus == widget ? std::string_view{entry} : std::string_view{});
    }
}

void draw_render(Canvas& canvas, const Layout& layout, const Scene& scene) {
    canvas.fill(layout.render_panel, theme::panel, theme::radius);
    draw_text(canvas, words::render_caption(scene), layout.render_caption, {theme::small, theme::quiet});
    const bool cancels = busy(scene.snapshot.job);
    draw_button(canvas, layout.of(Widget::render), words::render_button(scene), touch_of(Widget::render, scene),
                !cancels);
    draw_progress(canvas, layout.progress, scene.snapshot.job);
    const words::Sentence job = words::job(scene);
    draw_wrapped(canvas, job.text, layout.job_text, {theme::small + 0.5F, colour_of(job.mood)});
}

void draw_song(Canvas& canvas, const Layout& layout, const Scene& scene) {
    draw_text(canvas, "Song", layout.song_caption, {theme::body, theme::quiet});
    draw_sentence(canvas, words::song(scene), layout.song_text);
    for (const Widget widget : {Widget::browse, Widget::clear_song, Widget::reveal}) {
        draw_plain_button(canvas, layout, scene, widget);
    }
    draw_text(canvas, "Position", layout.position_caption, {theme::body, theme::quiet, Align::right});
    draw_field(canvas, layout, scene, Widget::position);
}

void draw_over(Canvas& canvas, const Layout& layout, const Scene& scene) {
    const UiState& state = scene.state;
    if (state.focus_visible && !state.menu && visible(state.focus, scene)) draw_focus(canvas, layout.of(state.focus));
    if (state.menu) {
        draw_menu(canvas, layout, *state.menu, words::choices(state.menu->owner, scene),
                  chosen_of(state.menu->owner, scene));
    } else if (state.tip && visible(state.hover, scene)) {
        draw_tip(canvas, layout.window, layout.of(state.hover), words::tip(state.hover, scene));
    }
}

}  // namespace

void draw_screen(Canvas& canvas, const Layout& layout, const Scene& scene) {
    canvas.fill(layout.window, theme::window);
    draw_header(canvas, layout, scene);
    draw_notice(canvas, layout.notice, words::notice(scene));
    draw_ruler(canvas, layout, scene);
    draw_waveform(canvas, layout, scene);
    draw_scrollbar(canvas, layout.of(Widget::scrollbar), scene);
    draw_information(canvas, layout, scene);
    draw_knobs(canvas, layout, scene);
    draw_render(canvas, layout, scene);
    draw_takes(canvas, layout, scene);
    draw_plain_button(canvas, layout, scene, Widget::remove);
    draw_song(canvas, layout, scene);
    draw_status(canvas, layout, scene);
    draw_over(canvas, layout, scene);
}

}  // namespace segue::plugin::ui
