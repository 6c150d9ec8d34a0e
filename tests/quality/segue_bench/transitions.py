"""Transitions of random pairs of held-out tracks: ours against a plain, a beat-aligned and an EQ cross-fade.

``python -m segue_bench.transitions MUSIC OUT.jsonl --pairs 100`` goes on where it was stopped: each pair is a line.
``--page docs/transitions.md`` writes the tables into that page, between its marks, and the figure beside it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from segue.clip.clip import MODEL_RATE, Clip
from segue.clip.files import AudioFile
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.embedders.musicnn import Musicnn
from segue.joint.fades import cross_fade
from segue.joint.job import joined
from segue.joint.plan import JoinPlan, Side, TrackFacts
from segue.joint.propose import plan_transition
from segue.joint.ramp import extended
from segue.joint.settings import JointSettings
from segue.joint.track import Heard, listen
from segue.prior.contract import REFERENCE_RMS
from segue.render.jobs import Job
from segue.render.region import Take
from segue.render.renderer import Rendered, Renderer
from segue.render.settings import RenderSettings
from segue.tasks.plan import Stereo
from segue.tasks.regenerate import paper_freedom
from segue_bench.contract import Excerpt
from segue_bench.listener import EAR_SAMPLES, ear_window
from segue_bench.manifest import load
from segue_bench.music import Loader, loader
from segue_bench.scores.beat import Times, beat_phase_error_ms, known_grid
from segue_bench.scores.onsets import EDGE, HOP, onset_strength
from segue_bench.scores.seams import loudness_dip_lu
from segue_bench.tools import EAR
from segue_export.train.measures import mel_db

METHODS = ("plain", "beat-aligned", "EQ", "ours")
OVERLAP = 2.5
POINTS = 10
"""Parts of the overlap over which the distance to the first track is averaged."""

_LASTS = 60 * MODEL_RATE  # samples of the left track's end and of the right one's start that are joined
_AROUND = 4 * MODEL_RATE  # samples on each side of the gap that measures hear
_SETTINGS = JointSettings(bars=4, search_seconds=45.0)

Embedding = Float[np.ndarray, " features"]


@dataclass(frozen=True, eq=False)
class Joined:
    """A transition by one method: ``audio`` around the gap; ``first`` (2, gap): the left track alone as it would be;
    ``beats``: seconds of ``audio`` at which each track's beats fall.
    """

    audio: Stereo
    gap: Span
    first: Stereo
    beats: tuple[Times, Times]


def pairs(count: int, seed: int = 7) -> list[tuple[Excerpt, Excerpt]]:
    """Random ordered pairs of different held-out tracks, none twice; each stands for its whole track."""
    tracks = list({(e.package, e.file): e for e in load().excerpts}.values())
    ordered = [(a, b) for a in tracks for b in tracks if a is not b]
    chosen = np.random.default_rng(seed).permutation(len(ordered))[:count]
    return [ordered[i] for i in chosen]


@dataclass(frozen=True, eq=False)
class Minute:
    """The last or the first minute of a track, and what is heard of it; :class:`Minutes` keeps them."""

    file: AudioFile
    heard: Heard


@dataclass(frozen=True, eq=False)
class Minutes:
    """The minutes of held-out tracks, each read and listened to once: 21 MB each."""

    tracks: Loader
    _kept: dict[tuple[str, str, bool], Minute] = field(default_factory=dict, repr=False)

    def of(self, excerpt: Excerpt, *, end: bool) -> Minute:
        """The last (``end``) or first minute of the track an excerpt is of."""
        key = (excerpt.package, excerpt.file, end)
        if key not in self._kept:
            track = self.tracks(excerpt)
            minute = (track[:, -_LASTS:] if end else track[:, :_LASTS]).copy()
            file = AudioFile.of(Clip(minute, MODEL_RATE), "left" if end else "right")
            self._kept[key] = Minute(file, listen(file, _SETTINGS.search_seconds, end=end))
        return self._kept[key]


def measure(left: Minute, right: Minute, renderer: Renderer, ear: Musicnn) -> dict[str, Any]:
    """One pair, by every method; "notes" alone where it has no beat to align."""
    a, b = left.file, right.file
    plan = plan_transition(a, b, _SETTINGS, overlap=OVERLAP, heard=(left.heard, right.heard))
    facts = {"notes": list(plan.notes), "ratio": plan.ratio, "matched": list(plan.matched)}
    if any(one.tempo is None for one in plan.facts):
        return facts
    job = joined(a, b, plan, paper_freedom())
    rendered = renderer.render(job.plan, RenderSettings())
    ranks = [_ranked(job, take, ear) for take in rendered.regions[0].takes]
    scores = {name: _scores(one, ear) for name, one in _by_method(a, b, plan, job, rendered).items()}
    return {**facts, "ranks": ranks, "methods": scores}


def _ranked(job: Job, take: Take, ear: Musicnn) -> dict[str, Any]:
    """What ranked a take, and what the ear hears of it: enough to weigh the ranking anew without rendering."""
    gap, measured = job.plan.regions[0].gap, take.scores
    return {
        "method": take.method,
        "total": measured.total,
        "realism": measured.realism,
        "strays": measured.strays,
        "embedding": _placed(*_in_place(job.plan.timeline, gap, take.audio), ear),
    }


def _by_method(a: AudioFile, b: AudioFile, plan: JoinPlan, job: Job, rendered: Rendered) -> dict[str, Joined]:
    region = job.plan.regions[0]
    gap = region.gap
    tail = job.plan.songs[0][:, -gap.length :]
    beats = plan.left.cut + _sounding(plan.left, plan.facts[0]), gap.start + _sounding(plan.right, plan.facts[1])
    made = dict(region.made)
    fills = {"beat-aligned": made["cross-fade"], "EQ": made["eq fade"], "ours": rendered.regions[0].takes[0].audio}
    found = {name: _around(job.plan.timeline, gap, fill, tail, beats) for name, fill in fills.items()}
    left, right, n = a.samples, b.samples, plan.overlap
    timeline = np.concatenate([left, right[:, n:]], axis=1, dtype=np.float32)
    faded = cross_fade(left[:, -n:], right[:, :n])
    own = [np.array(facts.beats) * MODEL_RATE for facts in plan.facts]
    beats = own[0], left.shape[1] - n + own[1]
    return {"plain": _around(timeline, Span(left.shape[1] - n, left.shape[1]), faded, left[:, -n:], beats), **found}


def _around(timeline: Stereo, gap: Span, fill: Stereo, first: Stereo, beats: tuple[Times, Times]) -> Joined:
    """``beats`` in samples of the timeline."""
    audio, at = _in_place(timeline, gap, fill)
    low = gap.start - at.start
    return Joined(audio, at, first, ((beats[0] - low) / MODEL_RATE, (beats[1] - low) / MODEL_RATE))


def _in_place(timeline: Stereo, gap: Span, fill: Stereo) -> tuple[Stereo, Span]:
    """The gap, filled, with what measures hear around it, and where it lies in that."""
    low, high = max(0, gap.start - _AROUND), min(timeline.shape[1], gap.stop + _AROUND)
    audio = timeline[:, low:high].astype(np.float32, copy=True)
    at = Span(gap.start - low, gap.stop - low)
    audio[:, at.start : at.stop] = fill
    return audio, at


def _scores(one: Joined, ear: Musicnn) -> dict[str, Any]:
    level = float(np.sqrt(np.mean(np.square(one.audio, dtype=np.float64)))) + 1e-9
    audio = (one.audio * np.float32(REFERENCE_RMS / level)).astype(np.float32)
    return {
        "embedding": _placed(one.audio, one.gap, ear),
        "beat_ms": _beat_ms(audio, one.gap, one.beats),
        "dip_lu": loudness_dip_lu(audio, one.gap),
        "curve": _curve(one),
    }


def _placed(audio: Stereo, gap: Span, ear: Musicnn) -> list[float]:
    window = ear_window(gap, audio.shape[1])
    return _embedded(audio[:, window.start : window.stop], ear)


def _embedded(audio: Stereo, ear: Musicnn) -> list[float]:
    with torch.no_grad():
        heard = ear.listen(torch.from_numpy(np.ascontiguousarray(audio[None], np.float32)))
    return [round(float(v), 5) for v in heard.embedding[0]]


def _beat_ms(audio: Stereo, gap: Span, beats: tuple[Times, Times]) -> float | None:
    """Beat phase of the gap against four seconds before it, by the left track's beats, and after it, by the right's.

    ``beats``: seconds of ``audio`` at which each track's beats fall or would, were it alone; their tempo may glide. The
    mean of the two; None where the gap is shorter than a beat.
    """
    strength = onset_strength(audio)
    times = np.arange(strength.shape[1]) * HOP / MODEL_RATE
    edge = EDGE * HOP / MODEL_RATE
    low, high = gap.start / MODEL_RATE, gap.stop / MODEL_RATE
    inside = (times > low + edge) & (times < high - edge)
    sides = ((times > edge) & (times < low - edge), (times > high + edge) & (times < times[-1] - edge))
    found = []
    for side, own in zip(sides, beats, strict=True):
        count = extended(times, own, np.arange(len(own), dtype=np.float64))
        error = beat_phase_error_ms(known_grid(count[side], strength[:, side], 1.0), count[inside], strength[:, inside])
        if error is None:
            return None
        found.append(error * float(np.ptp(times[inside]) / np.ptp(count[inside])))
    return float(np.mean(found))


def _sounding(side: Side, facts: TrackFacts) -> Times:
    """Samples of a side's stretch at which its track's beats sound; outside of the knots, as between the last."""
    knots = np.array(side.knots)
    return extended(np.array(facts.beats) * MODEL_RATE, knots[:, 0], knots[:, 1])


def _curve(one: Joined) -> list[float]:
    """Mel distance in dB to the left track going on alone, over the parts of the overlap."""
    inside = one.audio[:, one.gap.start : one.gap.stop]
    apart = np.abs(mel_db(inside) - mel_db(one.first)).mean((0, 1))
    return [round(float(part.mean()), 4) for part in np.array_split(apart, POINTS)]


def real_embeddings(tracks: Loader, ear: Musicnn) -> Iterator[tuple[str, list[float]]]:
    """What real music sounds like: three seconds at the centre of each excerpt."""
    for excerpt in load().excerpts:
        start = excerpt.centre - EAR_SAMPLES // 2
        yield excerpt.name, _embedded(tracks(excerpt)[:, start : start + EAR_SAMPLES], ear)


def run(music: Path, out: Path, count: int, seed: int) -> None:
    """Measure what ``out`` does not have yet; one line each.

    Raises:
        AudioFileError: a track is missing, or another than the manifest's.
    """
    known = {line["name"] for line in read(out)} if out.exists() else set()
    tracks, ear, renderer = loader(music), Musicnn.load(EAR), Renderer()
    minutes = Minutes(tracks)
    with out.open("a", encoding="utf-8") as file:

        def write(line: dict[str, Any]) -> None:
            file.write(json.dumps(line) + "\n")
            file.flush()

        if any(f"real {e.name}" not in known for e in load().excerpts):
            for name, embedding in real_embeddings(tracks, ear):
                if f"real {name}" not in known:
                    write({"name": f"real {name}", "embedding": embedding})
        for a, b in pairs(count, seed):
            name = f"{a.package}/{a.file} > {b.package}/{b.file}"
            if name in known:
                continue
            try:
                write({"name": name, **measure(minutes.of(a, end=True), minutes.of(b, end=False), renderer, ear)})
            except InvalidRequest as refused:
                write({"name": name, "notes": [f"refused: {refused}"]})


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a run.

    Raises:
        InvalidRequest: a line is not JSON: the run was cut off in the middle of one.
    """
    lines = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            lines.append(json.loads(text))
        except ValueError as error:
            raise InvalidRequest(f"{path}, line {number}, is not whole: delete it and run again") from error
    return lines


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="segue_bench.transitions", description=__doc__)
    parser.add_argument("music", type=Path, help="where the music is (segue-bench music)")
    parser.add_argument("out", type=Path, help="one line of JSON a pair; goes on where it was stopped")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7, help="of the pairs")
    parser.add_argument("--page", type=Path, help="a Markdown page to write the tables into")
    given = parser.parse_args()
    run(given.music, given.out, given.pairs, given.seed)
    if given.page is not None:
        from segue_bench.report.transitions import write_page

        write_page(read(given.out), given.page)


if __name__ == "__main__":
    main()
