#include "ui/layout.hpp"

#include "ui/theme.hpp"

namespace segue::plugin::ui {
namespace {

constexpr float header_height = 52.0F;
constexpr float control_height = 28.0F;
constexpr float ruler_height = 22.0F;
constexpr float scrollbar_height = 12.0F;
constexpr float notice_height = 52.0F;
constexpr float panel_padding = 12.0F;
constexpr float panels_height = 176.0F;
constexpr float caption_height = 22.0F;
constexpr float status_height = 56.0F;
constexpr float information_height = 3.0F * theme::line;
constexpr float knob_width = 88.0F;

void lay_header(Layout& layout, Rect row) {
    layout.header = row;
    row = row.inset(theme::margin).middle(control_height);
    layout.title = row.cut_left(72.0F, theme::gutter);
    layout.of(Widget::compare) = row.cut_right(172.0F, theme::margin);
    layout.of(Widget::redo) = row.cut_right(60.0F, theme::gutter / 2.0F);
    layout.of(Widget::undo) = row.cut_right(60.0F, theme::margin);
    const float captions = 34.0F + 48.0F + theme::gutter * 2.0F + theme::margin;
    const float width = std::min(190.0F, (row.w - captions) / 2.0F);
    layout.task_caption = row.cut_left(34.0F, theme::gutter);
    layout.of(Widget::task) = row.cut_left(width, theme::margin);
    layout.preset_caption = row.cut_left(48.0F, theme::gutter);
    layout.of(Widget::preset) = row.cut_left(width);
}

void lay_information(Layout& layout, Rect row) {
    layout.of(Widget::fit) = row.cut_right(56.0F, theme::gutter).middle(control_height);
    layout.of(Widget::forget) = row.cut_right(72.0F, theme::gutter).middle(control_height);
    layout.of(Widget::clear_marks) = row.cut_right(100.0F, theme::margin).middle(control_height);
    layout.information = row;
}

void lay_knobs(Layout& layout, Rect panel) {
    layout.shape_panel = panel;
    panel = {panel.x + panel_padding / 2.0F, panel.y + panel_padding, panel.w - panel_padding,
             panel.h - 2.0F * panel_padding};
    const float width = panel.w / 4.0F;
    for (const Widget knob : {Widget::freedom, Widget::guidance, Widget::style, Widget::mix}) {
        const Rect column = panel.cut_left(width);
        layout.of(knob) = {column.x + 2.0F, column.y, column.w - 4.0F, column.h};
    }
}

void lay_render(Layout& layout, Rect panel) {
    layout.render_panel = panel;
    panel = panel.inset(panel_padding);
    layout.render_caption = panel.cut_top(caption_height, 4.0F);
    layout.of(Widget::render) = panel.cut_top(36.0F, 10.0F);
    layout.progress = panel.cut_top(6.0F, 8.0F);
    layout.job_text = panel;
}

void lay_takes(Layout& layout, Rect panel) {
    layout.takes_panel = panel;
    panel = panel.inset(panel_padding);
    Rect caption = panel.cut_top(caption_height, 6.0F);
    layout.of(Widget::remove) = caption.cut_right(68.0F, theme::gutter);
    layout.takes_caption = caption;
    layout.takes_text = panel;
    const float height = (panel.h - 3.0F * 2.0F) / 4.0F;
    for (const Widget take : {Widget::take_1, Widget::take_2, Widget::take_3, Widget::take_4}) {
        layout.of(take) = panel.cut_top(height, 2.0F);
    }
}

void lay_song(Layout& layout, Rect row) {
    layout.of(Widget::reveal) = row.cut_right(92.0F, theme::margin);
    layout.of(Widget::position) = row.cut_right(104.0F, theme::gutter);
    layout.position_caption = row.cut_right(56.0F, theme::margin);
    layout.of(Widget::browse) = row.cut_right(76.0F, theme::gutter / 2.0F);
    layout.of(Widget::clear_song) = row.cut_right(60.0F, theme::gutter);
    layout.song_caption = row.cut_left(38.0F, theme::gutter);
    layout.song_text = row;
}

void lay_status(Layout& layout, Rect row) {
    layout.status = row;
    row = {row.x + theme::margin, row.y + theme::gutter, row.w - 2.0F * theme::margin, row.h - 2.0F * theme::gutter};
    layout.of(Widget::reconnect) = row.cut_right(96.0F, theme::margin).middle(control_height);
    Rect dot = row.cut_left(10.0F, theme::gutter);
    layout.status_dot = dot.cut_top(dot.h / 2.0F).middle(10.0F);
    layout.status_text = row.cut_top(row.h / 2.0F);
    layout.status_remedy = row;
}

}  // namespace

Widget Layout::hit(Point point) const noexcept {
    for (std::size_t each = 0; each < widget_count; ++each) {
        if (widgets[each].contains(point)) return static_cast<Widget>(each);
    }
    return Widget::none;
}

Layout make_layout(float width, float height, bool notice) {
    Layout layout;
    layout.window = {0.0F, 0.0F, width, height};
    Rect rest = layout.window;
    lay_header(layout, rest.cut_top(header_height, theme::gutter));
    lay_status(layout, rest.cut_bottom(status_height, theme::gutter));
    rest = {rest.x + theme::margin, rest.y, rest.w - 2.0F * theme::margin, rest.h};

    lay_song(layout, rest.cut_bottom(control_height, theme::gutter));
    Rect panels = rest.cut_bottom(panels_height, theme::gutter);
    lay_information(layout, rest.cut_bottom(information_height, theme::gutter / 2.0F));
    if (notice) layout.notice = rest.cut_top(notice_height, theme::gutter);

    layout.of(Widget::ruler) = rest.cut_top(ruler_height);
    layout.of(Widget::scrollbar) = rest.cut_bottom(scrollbar_height);
    layout.of(Widget::waveform) = rest;

    const float spare = panels.w - 2.0F * theme::gutter;
    lay_knobs(layout, panels.cut_left(std::min(4.0F * knob_width + panel_padding, spare * 0.42F), theme::gutter));
    const float takes = (panels.w - theme::gutter) * 0.6F;
    lay_takes(layout, panels.cut_right(takes, theme::gutter));
    lay_render(layout, panels);
    return layout;
}

}  // namespace segue::plugin::ui
