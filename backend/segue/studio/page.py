"""The page: fields, and what happens when they are touched."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import gradio as gr

from segue.errors import SegueError
from segue.plain import jsonable
from segue.render.settings import FileResult, Progress
from segue.studio import texts
from segue.studio.clips import clip_of, facts, marked_picture, picture_of, playable, silence_in
from segue.studio.curve import Points, as_text, clicked, read_curve
from segue.studio.fields import Asking, Clips, Outcome, make_asking, make_clips, make_outcome
from segue.studio.jobs import Desk
from segue.studio.orders import (
    CONTINUE,
    TRANSITION,
    USES_FREEDOM,
    USES_GAP,
    Order,
    gap_seconds,
    rendered_stretches,
    work_of,
)
from segue.studio.pictures import Stretch, draw_curve, value_at
from segue.tasks.regenerate import PAPER_K

Updates = dict[Any, Any]
"""By component: what changes."""


@dataclass(frozen=True)
class Studio:
    """The handlers of the page's events. ``folder``: its private folder; ``bundle``: that of all renders."""

    folder: Path
    desk: Desk
    bundle: str | None
    clips: Clips
    asking: Asking
    outcome: Outcome

    def loaded(self, path: str | None) -> Updates:
        """A clip was loaded, or taken away."""
        shown: Updates = dict.fromkeys((self.clips.start, self.clips.stop), "")
        shown |= {part: gr.update(visible=False) for part in (self.clips.player, self.clips.picture)}
        if path is None:
            return shown | {self.clips.about: ""}
        try:
            gap, text = silence_in(path), texts.note(facts(path))
        except SegueError as error:
            return shown | {self.clips.about: texts.refused(error)}
        if gap is not None:
            text += texts.note(f"Its longest silence, {gap[0]:.3f} to {gap[1]:.3f} s, is marked as the gap.")
            shown |= {self.clips.start: f"{gap[0]:.6f}", self.clips.stop: f"{gap[1]:.6f}"}
        return shown | {
            self.clips.about: text,
            self.clips.player: gr.update(value=playable(path, self.folder), visible=True),
            self.clips.picture: gr.update(visible=True),
            self.clips.edge: "start",
        }

    def drawn(self, path: str | None, start: str, stop: str, near: bool, curve: str) -> Updates:
        """The pictures, after the clip, the gap or the curve changed."""
        if path is None:
            return {self.clips.mark: "", self.clips.picture: None, self.asking.curve_picture: None}
        gaps: tuple[Stretch, ...] = ()
        points: Points = ((0.0, PAPER_K),)
        said = ""
        try:
            clip_of(path)
        except SegueError:  # said where it was loaded
            return {self.clips.mark: ""}
        try:
            gap = gap_seconds(start, stop, clip_of(path))
            gaps = () if gap is None else (gap,)
            read = read_curve(curve)
            points = points if read is None else read.points
        except SegueError as error:
            said = texts.alarm(str(error))
        picture, marked = marked_picture(path, gaps, near)
        return {
            self.clips.mark: said,
            self.clips.picture: marked.pixels,
            self.asking.curve_picture: draw_curve(points, picture.shown, gaps),
        }

    def pointed(self, path: str, start: str, stop: str, near: bool, edge: str, at: gr.SelectData) -> Updates:
        """The picture was clicked: an edge of the gap."""
        seconds = f"{self._shown(path, start, stop, near).seconds_at(at.index[0]):.3f}"
        if edge == "start":
            return {self.clips.start: seconds, self.clips.edge: "end"}
        return {self.clips.stop: seconds, self.clips.edge: "start"}

    def bent(self, path: str, start: str, stop: str, near: bool, curve: str, at: gr.SelectData) -> Updates:
        """The curve's picture was clicked: one point more, or less."""
        picture = self._shown(path, start, stop, near)
        try:
            read = read_curve(curve)
        except SegueError as error:
            return {self.clips.mark: texts.alarm(str(error))}
        column, row = at.index
        points = clicked(() if read is None else read.points, picture.seconds_at(column), value_at(row), picture.shown)
        return {self.asking.curve: as_text(points)}

    def _shown(self, path: str, start: str, stop: str, near: bool) -> Any:
        """The picture that stands on the page now, unmarked."""
        gaps: tuple[Stretch, ...] = ()
        try:
            gap = gap_seconds(start, stop, clip_of(path))
            gaps = () if gap is None else (gap,)
        except SegueError:  # shown in words; the picture then is of the whole clip
            pass
        return picture_of(path, gaps, near)

    def turned(self, task: str) -> Updates:
        """Another task: only its own fields are shown."""
        clips, asking = self.clips, self.asking
        wanted = {
            clips.second: task == TRANSITION,
            asking.overlap: task == TRANSITION,
            asking.matched: task == TRANSITION,
            asking.seconds: task == CONTINUE,
            asking.backward: task == CONTINUE,
            asking.freedom: task in USES_FREEDOM,
            **dict.fromkeys((clips.start, clips.stop, clips.edge, clips.near), task in USES_GAP),
        }
        return {component: gr.update(visible=visible) for component, visible in wanted.items()}

    def render(self, request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Render was pressed; told step by step."""
        order, outcome = Order(*values), self.outcome
        hidden = {take.place: gr.update(visible=False) for take in outcome.takes}
        yield hidden | {
            outcome.status: texts.note("starting"),
            outcome.render: gr.update(interactive=False),
            outcome.cancel: gr.update(interactive=True),
            outcome.details: gr.update(visible=False),
        }
        ended = {outcome.render: gr.update(interactive=True), outcome.cancel: gr.update(interactive=False)}
        try:
            folder = Path(tempfile.mkdtemp(dir=self.folder, prefix="takes-"))
            job = self.desk.start(str(request.session_hash), work_of(order, folder, self.bundle))
            for event in job.events():
                if isinstance(event, Progress):
                    yield {outcome.status: texts.progress(event)}
                elif isinstance(event, FileResult):
                    yield ended | self._result(order, event)
                else:
                    raise event
        except Exception as error:  # told on the page, whatever it is
            yield ended | {outcome.status: texts.refused(error)}

    def _result(self, order: Order, result: FileResult) -> Updates:
        outcome, gaps = self.outcome, rendered_stretches(order, result)
        shown: Updates = {
            outcome.status: texts.done(result),
            outcome.details: gr.update(visible=True),
            outcome.report: jsonable(result.report),
        }
        for rank, (take, path) in enumerate(zip(outcome.takes, result.paths, strict=False)):
            _, marked = marked_picture(str(path), gaps, near=True)
            shown |= {
                take.place: gr.update(visible=True),
                take.player: playable(str(path), path.parent),
                take.picture: marked.pixels,
                take.about: texts.take(result, rank),
                take.download: str(path),
            }
        return shown

    def cancelled(self, request: gr.Request) -> None:
        """Cancel was pressed; the render itself then says so."""
        self.desk.cancel(str(request.session_hash))

    def left(self, request: gr.Request) -> None:
        """The page was closed."""
        self.desk.leave(str(request.session_hash))


def make_page(folder: Path, desk: Desk, bundle: str | None = None) -> gr.Blocks:
    """The page, all of whose files are kept in ``folder``; nothing of it speaks to any other machine."""
    with gr.Blocks(title="Segue studio", analytics_enabled=False) as page:
        gr.HTML("<h1>Segue studio</h1>")
        studio = Studio(folder, desk, bundle, make_clips(), make_asking(), make_outcome())
        _wire(page, studio)
    return page


def _wire(page: gr.Blocks, studio: Studio) -> None:
    clips, asking, outcome = studio.clips, studio.asking, studio.outcome
    seen = [clips.clip, clips.start, clips.stop, clips.near]
    quick: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last"}
    drawing = (studio.drawn, [*seen, asking.curve], [clips.mark, clips.picture, asking.curve_picture])
    # not at the clip's change, which Gradio tells more than once: the marks made since would be lost
    loaded = [clips.about, clips.player, clips.picture, clips.start, clips.stop, clips.edge]
    gr.on([clips.clip.upload, clips.clip.clear], studio.loaded, clips.clip, loaded, **quick).then(*drawing, **quick)
    gr.on([part.change for part in (clips.start, clips.stop, clips.near, asking.curve)], *drawing, **quick)
    clips.picture.select(studio.pointed, [*seen, clips.edge], [clips.start, clips.stop, clips.edge], **quick)
    asking.curve_picture.select(studio.bent, [*seen, asking.curve], [asking.curve, clips.mark], **quick)
    asking.clear.click(lambda: "", None, asking.curve)
    dependent = [clips.second, clips.start, clips.stop, clips.edge, clips.near]
    dependent += [asking.overlap, asking.matched, asking.seconds, asking.backward, asking.freedom]
    asking.task.change(studio.turned, asking.task, dependent, show_progress="hidden")
    takes = [part for take in outcome.takes for part in _parts(take)]
    shown = [outcome.render, outcome.cancel, outcome.status, *takes, outcome.details, outcome.report]
    outcome.render.click(studio.render, _order(clips, asking), shown, show_progress="hidden", concurrency_limit=None)
    outcome.cancel.click(studio.cancelled, concurrency_limit=None)
    page.unload(studio.left)


def _parts(part: Any) -> list[Any]:
    """The components of a dataclass of them."""
    return [getattr(part, field.name) for field in fields(part)]


def _order(clips: Clips, asking: Asking) -> list[Any]:
    """The components whose values make an :class:`Order`, in its order."""
    by_name = {name: getattr(part, name) for part in (clips, asking) for name in part.__dataclass_fields__}
    return [by_name[field.name] for field in fields(Order)]
