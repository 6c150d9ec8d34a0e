"""Where two tracks cross: the course from one to the other, what is led in and out, and how near a take keeps to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.signal import butter, sosfilt

from segue.clip.span import Span
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom
from segue.joint.fades import cross_fade
from segue.joint.job import arch, joined
from segue.prior.bundle import Bundle
from segue.recall.song import Song
from segue.render.crossing import Crossing
from segue.render.jobs import Job
from segue.render.renderer import Renderer
from segue.render.scene import make_scene
from segue.render.settings import RenderSettings
from segue.render.windows import WindowRange
from segue.tasks.plan import Region, Stereo
from tests.joint.drum_tracks import RATE, drum_track
from tests.joint.planned import LEFT, RIGHT, planned

GAP = Span(3 * RATE, round(5.5 * RATE))


def coloured(seed: int, kind: str) -> Stereo:
    """Noise below or above 1 kHz, for 9 s."""
    noise = np.random.default_rng(seed).normal(size=(2, 9 * RATE))
    made = sosfilt(butter(2, 1000.0, kind, fs=RATE, output="sos"), noise)
    return (0.1 * made / np.sqrt(np.mean(made**2))).astype(np.float32)


def crossing_of(left: Stereo, right: Stereo) -> Crossing:
    """The second track comes in where the first goes out; both at the level they have."""
    timeline = np.concatenate([left[:, : GAP.start], np.zeros((2, GAP.length), np.float32), right[:, GAP.stop :]], 1)
    tail, head = (track[:, GAP.start : GAP.stop] for track in (left, right))
    codec = Bundle.open(None).codec()
    song = replace(Song.of(timeline, [GAP], codec), gain=1.0, audio=timeline)  # type: ignore[arg-type]
    found = Crossing.of(Region(GAP, cross_fade(tail, head), Freedom(Curve.constant(0.5)), crossing=(tail, head)), song)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def drums() -> Crossing:
    left, right = (drum_track(120.0, 6, first=0.5, tonic=t).audio[:, : 9 * RATE] for t in (0, 5))
    return crossing_of(left, right)


@pytest.fixture(scope="module")
def noises() -> Crossing:
    return crossing_of(coloured(1, "low"), coloured(2, "high"))


def test_the_course_begins_as_the_one_track_ends_as_the_other_and_is_their_mean_half_way(noises: Crossing) -> None:
    codec = Bundle.open(None).codec()
    left, right = coloured(1, "low"), coloured(2, "high")
    timeline = left.copy()
    timeline[:, GAP.stop :] = right[:, GAP.stop :]
    layout = WindowRange(16, 512, 8).lay_out(GAP, codec.token)
    scene = make_scene(layout, codec, timeline, (GAP,), None, None, GAP)
    course = noises.course(scene, codec, timeline, GAP)
    alone = []
    for track in (left, right):
        whole = timeline.copy()
        whole[:, GAP.start : GAP.stop] = track[:, GAP.start : GAP.stop]
        alone.append(make_scene(layout, codec, whole, (), None, None, GAP).context)
    known = scene.mask[0, 0] > 0.5
    assert torch.equal(course[..., known], scene.context[..., known])
    share = np.clip((layout.seconds(RATE) - GAP.start / RATE) / (GAP.length / RATE), 0.0, 1.0)
    unknown = np.flatnonzero(~known.numpy())
    for at in unknown[3:-3]:
        expected = (1.0 - share[at]) * alone[0][..., at] + share[at] * alone[1][..., at]
        assert float((course[..., at] - expected).abs().max()) < 1e-3


def test_a_take_between_the_tracks_is_led_in_and_out_at_constant_power(noises: Crossing) -> None:
    rng = np.random.default_rng(5)
    take = (0.1 * rng.normal(size=noises.faded.shape)).astype(np.float32)
    woven = noises.woven(take)
    assert np.allclose(woven[:, 0], noises.leaving[:, 0], atol=1e-4)
    assert np.allclose(woven[:, -1], noises.entering[:, -1], atol=1e-4)
    middle = woven.shape[1] // 2
    assert np.allclose(woven[:, middle], take[:, middle], atol=1e-4)
    levels = [float(np.sqrt(np.mean(part**2))) for part in np.array_split(woven, 8, axis=1)]
    assert max(levels) / min(levels) < 1.1


def test_a_take_that_dips_is_brought_to_the_cross_fade_s_level(noises: Crossing) -> None:
    dipped = noises.faded * (1.0 - 0.6 * np.hanning(noises.faded.shape[1])).astype(np.float32)
    back = noises.levelled(dipped.astype(np.float32))
    assert float(np.abs(back - noises.faded).max()) < 0.1 * float(np.abs(noises.faded).max())
    silent = noises.levelled(np.zeros_like(noises.faded))
    assert not silent.any(), "silence stays silence, and finite"


def test_an_even_course_on_the_beat_strays_less_than_a_late_one_and_than_either_track_alone(drums: Crossing) -> None:
    kept = drums.strays(drums.faded)
    assert kept < drums.strays(np.roll(drums.faded, round(0.06 * RATE), axis=1)) - 0.3
    assert kept < drums.strays(drums.leaving) - 0.3
    assert kept < drums.strays(drums.entering) - 0.3
    even = np.mean((np.arange(10) + 0.5) ** 2) / 100
    assert drums.strays(drums.leaving) > 2.0 * np.sqrt(even) - 1e-6, "it never sets out"


def test_silence_strays_and_is_finite(drums: Crossing) -> None:
    assert 1.0 <= drums.strays(np.zeros_like(drums.faded)) < 3.0


@pytest.fixture(scope="module")
def job() -> Job:
    """Of two drummed tracks; freedom 0.8."""
    return joined(LEFT.file("a.wav"), RIGHT.file("b.wav"), planned(bars=2), Freedom(Curve.constant(0.8)))


def test_freedom_comes_and_goes_with_the_fade(job: Job) -> None:
    curve = arch(GAP)
    at = np.array([3.0, 3.625, 4.25, 5.5])
    assert curve.at(at) == pytest.approx([0.0, np.sqrt(0.5), 1.0, 0.0], abs=0.01)
    region = job.plan.regions[0]
    assert region.freedom is not None and region.crossing is not None
    seconds = np.array([region.gap.start, (region.gap.start + region.gap.stop) / 2, region.gap.stop]) / RATE
    assert region.freedom.k(seconds) == pytest.approx([0.0, 0.8, 0.0], abs=1e-3)
    assert np.array_equal(dict(region.made)["cross-fade"], cross_fade(*region.crossing))


def test_a_planned_transition_is_made_anew_and_the_fades_stand_beside_it(job: Job) -> None:
    """Between two tracks of one kind no fade is plainly better than what was asked for."""
    (region,) = Renderer().render(job.plan, RenderSettings(steps=1)).regions
    methods = [take.method for take in region.takes]
    assert sorted(methods) == ["cross-fade", "eq fade", "regenerated", "regenerated", "reshaped", "reshaped"]
    assert methods[0] in ("regenerated", "reshaped")
    assert all(take.scores.strays is not None for take in region.takes)
    gap, tail = region.gap, job.plan.songs[0][:, -region.gap.length :]
    assert all(take.audio.shape == (2, gap.length) for take in region.takes)
    woven = next(take for take in region.takes if take.method == "regenerated")
    near = round(0.02 * RATE)
    alike = float(np.corrcoef(woven.audio[0, :near], tail[0, :near])[0, 1])
    assert alike > 0.9, "it begins as the track that leaves"
