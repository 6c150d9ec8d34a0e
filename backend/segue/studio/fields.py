"""The page's fields: what they are called, where they stand, what they begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from segue.clip.files import READABLE
from segue.studio.orders import FILL, TASKS
from segue.style.preset import preset_paths

MOST_CANDIDATES = 4
"""Takes side by side on the page; the command line renders more."""

AUDIO = list(READABLE)

Component = Any
"""One of Gradio's, which are made by class decorators that no type checker follows."""


@dataclass(frozen=True)
class Clips:
    """What is loaded, heard and marked."""

    clip: Component
    second: Component
    about: Component
    player: Component
    picture: Component
    near: Component
    edge: Component
    start: Component
    stop: Component
    mark: Component


@dataclass(frozen=True)
class Asking:
    """What is asked for."""

    task: Component
    seconds: Component
    backward: Component
    overlap: Component
    matched: Component
    freedom: Component
    curve: Component
    curve_picture: Component
    clear: Component
    preset: Component
    amount: Component
    tags: Component
    references: Component
    songs: Component
    sound: Component
    candidates: Component
    seed: Component
    steps: Component
    method: Component


@dataclass(frozen=True)
class Take:
    """One candidate's place."""

    place: Component
    player: Component
    picture: Component
    about: Component
    download: Component


@dataclass(frozen=True)
class Outcome:
    """How it goes, and what came of it."""

    render: Component
    cancel: Component
    status: Component
    takes: Sequence[Take]
    details: Component
    report: Component


def make_clips() -> Clips:
    """The upper part of the page."""
    with gr.Row():
        clip = gr.File(label="Clip", file_types=AUDIO, elem_id="clip", height=110)
        second = gr.File(label="Second clip", file_types=AUDIO, elem_id="second", height=110, visible=False)
    about = gr.HTML(elem_id="about")
    player = gr.Audio(label="Listen", interactive=False, buttons=[], elem_id="player", visible=False)
    picture = gr.Image(
        label="Waveform and spectrogram",
        show_label=False,
        interactive=False,
        format="png",
        buttons=[],
        elem_id="picture",
        visible=False,
    )
    with gr.Row():
        start = gr.Textbox("", label="Gap from", placeholder="12.5 or 1:02.5", elem_id="start")
        stop = gr.Textbox("", label="to", placeholder="14.0", elem_id="stop")
        edge = gr.Radio(["start", "end"], value="start", label="A click in the picture sets the", elem_id="edge")
        near = gr.Checkbox(label="Show the gap from near", elem_id="near")
    mark = gr.HTML(elem_id="mark")
    return Clips(clip, second, about, player, picture, near, edge, start, stop, mark)


def make_asking() -> Asking:
    """The middle of the page."""
    task = gr.Radio(list(TASKS.items()), value=FILL, label="Task", elem_id="task")
    with gr.Row():
        seconds = gr.Number(4.0, label="Seconds to add", minimum=0.0, visible=False, elem_id="seconds")
        backward = gr.Checkbox(label="before the start", visible=False, elem_id="backward")
        matched = gr.Checkbox(True, label="Beat to beat, tempo and loudness matched", visible=False, elem_id="matched")
        overlap = gr.Number(2.5, label="Seconds both clips share", minimum=0.0, visible=False, elem_id="overlap")
    with gr.Column(visible=False) as freedom:
        gr.HTML("Freedom, 0 keeps and 1 invents: click to set a point, click a point to take it away.", padding=True)
        curve_picture = gr.Image(
            label="Freedom",
            show_label=False,
            interactive=False,
            format="png",
            buttons=[],
            elem_id="curve-picture",
        )
        curve = gr.Textbox(
            "", label="The same as lines of seconds,value; empty: the preset's, or 0.85", lines=3, elem_id="curve"
        )
        clear = gr.Button("Clear the curve", size="sm", elem_id="clear")
    with gr.Row():
        preset = gr.Dropdown([("none", ""), *((name, name) for name in preset_paths())], label="Preset", value="")
        amount = gr.Slider(0.0, 1.0, 1.0, label="How much of the style", elem_id="amount")
        tags = gr.Textbox("", label="Tags", placeholder="rock, guitar:0.8", elem_id="tags")
        candidates = gr.Slider(1, MOST_CANDIDATES, 1, step=1, label="Takes to compare", elem_id="candidates")
    with gr.Accordion("References, further material, sampling", open=False):
        with gr.Row():
            files = {"file_types": AUDIO, "file_count": "multiple", "height": 110}
            references = gr.File(label="Music it should sound like", elem_id="references", **files)
            songs = gr.File(label="Other files to recall sounds from", elem_id="songs", **files)
            sound = gr.File(
                label="A song whose sounds play what is made",
                file_types=AUDIO,
                type="filepath",
                height=110,
                elem_id="sound",
            )
        with gr.Row():
            seed = gr.Number(0, label="Seed", precision=0, minimum=0, elem_id="seed")
            steps = gr.Number(0, label="Steps; 0: the bundle's", precision=0, minimum=0, elem_id="steps")
            method = gr.Textbox(
                "", label="Takes of one kind only", placeholder="splice, generated, ...", elem_id="method"
            )
    return Asking(
        task, seconds, backward, overlap, matched, freedom, curve, curve_picture, clear,
        preset, amount, tags, references, songs, sound, candidates, seed, steps, method,
    )  # fmt: skip


def make_outcome() -> Outcome:
    """The lower part of the page."""
    with gr.Row():
        render = gr.Button("Render", variant="primary", elem_id="render")
        cancel = gr.Button("Cancel", variant="stop", interactive=False, elem_id="cancel")
    status = gr.HTML(elem_id="status")
    takes = [_make_take(number) for number in range(1, MOST_CANDIDATES + 1)]
    with gr.Accordion("Report", open=False, visible=False) as details:
        report = gr.JSON(show_label=False, elem_id="report")
    return Outcome(render, cancel, status, takes, details, report)


def _make_take(number: int) -> Take:
    with gr.Column(visible=False, elem_id=f"take-{number}") as place:
        player = gr.Audio(label=f"Take {number}", interactive=False, buttons=[])
        picture = gr.Image(label=f"Take {number}", show_label=False, interactive=False, format="png", buttons=[])
        about = gr.HTML(padding=True)
        download = gr.DownloadButton(f"Download take {number}, its recipe inside", elem_id=f"download-{number}")
    return Take(place, player, picture, about, download)
