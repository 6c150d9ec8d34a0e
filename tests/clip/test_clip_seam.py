"""Joining a patch to its surroundings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, lfilter, sosfilt

from segue.clip.analysis import seam_reference, seam_z
from segue.clip.seam import Joined, SeamSettings, join
from segue.clip.span import Span
from segue.errors import InvalidRequest
from tests.songs import loop_song

RATE, SECONDS, MARGIN = 44100, 3, SeamSettings().margin
GAP = Span(60_000, 100_000)
COVERS = Span(GAP.start - MARGIN, GAP.stop + MARGIN)
EXCERPT = Path(__file__).parents[2] / "examples" / "music" / "upbeat.flac"


def tone(frequency: float = 440.0) -> np.ndarray:
    t = np.arange(SECONDS * RATE) / RATE
    return np.stack([0.3 * np.sin(2 * np.pi * frequency * t), 0.2 * np.sin(2 * np.pi * frequency * t + 1)]).astype("f4")


def music(seed: int = 0) -> np.ndarray:
    """Coloured noise and three partials in stereo: correlated over milliseconds, like music, not over seconds."""
    noise = lfilter([1], [1, -0.95], np.random.default_rng(seed).standard_normal((2, SECONDS * RATE)))
    return (0.02 * noise + 0.2 * tone(220) + 0.1 * tone(1333) + 0.1 * tone(5000)).astype(np.float32)


def cut(audio: np.ndarray, span: Span) -> np.ndarray:
    return audio[:, span.start : span.stop]


def filled(audio: np.ndarray, inside: np.ndarray) -> np.ndarray:
    return np.concatenate([audio[:, : GAP.start], inside, audio[:, GAP.stop :]], axis=1)


@pytest.mark.parametrize("shift", [-88, -1, 0, 1, 50, 88])
@pytest.mark.parametrize("make", [tone, music])
def test_the_true_patch_shifted_within_two_milliseconds_gives_the_original(make: object, shift: int) -> None:
    audio = make()  # type: ignore[operator]
    patch = audio[:, COVERS.start - shift : COVERS.stop - shift]
    joined = join(audio, GAP, patch, COVERS)
    assert joined.left is not None
    assert joined.right is not None
    assert (joined.left.shift, joined.right.shift) == (shift, shift)
    assert joined.left.correlation == pytest.approx(1.0, abs=1e-6)
    assert np.abs(joined.samples - cut(audio, GAP)).max() < 1e-6


def test_a_tone_of_another_phase_is_turned_in_without_a_click_or_a_dip() -> None:
    audio = tone()
    joined = join(audio, GAP, -cut(audio, COVERS), COVERS)
    result = filled(audio, joined.samples)
    reference = seam_reference(audio, [GAP])
    assert reference is not None
    raw, z = (seam_z(filled(audio, x), GAP, reference) for x in (-cut(audio, GAP), joined.samples))
    assert raw is not None
    assert z is not None
    assert raw > 50
    assert z < 3
    blocks = result[0, GAP.start - 4410 : GAP.start + 8820].reshape(-1, 441)  # 4.4 periods each
    assert np.sqrt((blocks**2).mean(1)).min() > 0.9 * 0.3 / np.sqrt(2)


@pytest.mark.parametrize("seed", range(4))
def test_seams_of_a_foreign_patch_are_no_rougher_than_the_track_itself(seed: int) -> None:
    audio, other = music(seed), music(seed + 100)
    joined = join(audio, GAP, cut(other, COVERS), COVERS)
    reference = seam_reference(audio, [GAP])
    assert reference is not None
    true, z = (seam_z(filled(audio, x), GAP, reference) for x in (cut(audio, GAP), joined.samples))
    assert true is not None
    assert z is not None
    assert z < max(true, 3.0) + 1.0


def test_the_power_of_uncorrelated_noise_stays_even_through_the_fade() -> None:
    ratios = []
    for seed in range(16):
        noise = np.random.default_rng(seed)
        audio, other = (0.1 * noise.standard_normal((2, 30_000)).astype(np.float32) for _ in range(2))
        gap = Span(10_000, 20_000)
        joined = join(audio, gap, other[:, 5_000:25_000], Span(5_000, 25_000), SeamSettings(order=64))
        ratios.append((joined.samples.astype(np.float64) ** 2).mean(0) / 0.01)
    power = np.mean(ratios, axis=0)
    fades = np.concatenate([power[:882], power[-882:]]).reshape(4, -1).mean(1)
    assert 10 * np.log10(fades) == pytest.approx(0.0, abs=0.5)


def test_a_duller_and_softer_patch_is_brought_to_the_contexts_spectrum() -> None:
    noise = np.random.default_rng(3).standard_normal((2, SECONDS * RATE)) * 0.1
    audio = noise.astype(np.float32)
    shelf = sosfilt(butter(1, 4000, output="sos", fs=RATE), noise) * 0.5 + 0.35 * noise
    joined = join(audio, GAP, cut(shelf.astype(np.float32), COVERS), COVERS, SeamSettings(settle=1e6))

    def high(x: np.ndarray) -> float:
        spectrum = np.abs(np.fft.rfft(x[:, 5000:30000])) ** 2
        return float(10 * np.log10(spectrum[:, 5000:8000].mean()))

    true, before, after = high(cut(audio, GAP)), high(cut(shelf, GAP)), high(joined.samples)
    assert before - true < -6.0
    assert abs(after - true) < 0.35 * abs(before - true)
    assert joined.left is not None
    assert joined.left.gain_db <= 6.0


def test_gains_die_away_from_the_seams() -> None:
    """Noise at half its level: near a seam nearly doubled, as the context asks; a second away left as it was."""
    noise = np.random.default_rng(5).standard_normal((2, 5 * RATE)) * 0.1
    audio, gap = noise.astype(np.float32), Span(RATE, 4 * RATE)
    covers = Span(gap.start - MARGIN, gap.stop + MARGIN)
    settled = SeamSettings(settle=0.1)
    joined = join(audio, gap, np.float32(0.5) * cut(audio, covers), covers, settled).samples
    ratio = np.abs(joined / (0.5 * cut(audio, gap)))[:, np.abs(cut(audio, gap)).min(0) > 0.02]
    middle = slice(ratio.shape[1] // 3, 2 * ratio.shape[1] // 3)
    assert np.median(ratio[:, middle]) == pytest.approx(1.0, abs=0.001)
    near = np.abs(joined[:, 2000:3000]).mean() / np.abs(0.5 * cut(audio, gap)[:, 2000:3000]).mean()
    left = np.exp(-2500 / (0.1 * RATE))  # of what the gain adds to the patch
    assert near == pytest.approx(1.0 + left * 1.0, abs=0.2)


def test_gains_are_limited_and_can_be_switched_off() -> None:
    audio = music()
    quiet = 0.05 * cut(audio, COVERS)
    middle = slice(15_000, 25_000)
    for limit, expected in ((6.0, 0.05 * 10 ** (6 / 20)), (0.0, 0.05)):
        joined = join(audio, GAP, quiet, COVERS, SeamSettings(gain_limit_db=limit))
        assert np.abs(joined.samples[:, middle]).max() <= 1.01 * expected * np.abs(cut(audio, GAP)[:, middle]).max()


def test_sides_that_want_different_shifts_are_both_met() -> None:
    audio = music()
    middle = (GAP.start + GAP.stop) // 2
    patch = np.concatenate(
        [audio[:, COVERS.start - 40 : middle - 40], audio[:, middle + 30 : COVERS.stop + 30]], axis=1
    )
    joined = join(audio, GAP, patch, COVERS)
    assert joined.left is not None
    assert joined.right is not None
    assert (joined.left.shift, joined.right.shift) == (40, -30)
    apart = np.abs(joined.samples - cut(audio, GAP)).max(0)
    assert apart[:19_000].max() < 1e-5
    assert apart[-19_000:].max() < 1e-5


def test_the_seam_looks_at_nothing_outside_what_is_known() -> None:
    audio = music()
    known = Span(GAP.start - 3000, GAP.stop + 2000)
    patch = cut(music(9), Span(known.start, known.stop))
    one = join(audio, GAP, patch, known, known=known)
    torn = audio.copy()
    torn[:, : known.start] = 7.0
    torn[:, known.stop :] = -7.0
    torn[:, GAP.start : GAP.stop] = 3.0
    two = join(torn, GAP, patch, known, known=known)
    assert np.array_equal(one.samples, two.samples)


@settings(max_examples=80, deadline=None)
@given(
    left=st.integers(0, 300), length=st.integers(1, 300), right=st.integers(0, 300),
    silent=st.sampled_from(["none", "context", "patch", "both"]),
)  # fmt: skip
def test_any_gap_however_short_or_near_an_edge_gives_its_samples(
    left: int, length: int, right: int, silent: str
) -> None:
    noise = np.random.default_rng(left + 1000 * length)
    audio = (0.1 * noise.standard_normal((2, left + length + right))).astype(np.float32)
    patch = (0.1 * noise.standard_normal(audio.shape)).astype(np.float32)
    if silent in ("context", "both"):
        audio[:] = 0.0
    if silent in ("patch", "both"):
        patch[:] = 0.0
    whole = Span(0, audio.shape[1])
    joined = join(audio, Span(left, left + length), patch, whole)
    assert isinstance(joined, Joined)
    assert joined.samples.shape == (2, length)
    assert np.isfinite(joined.samples).all()
    assert np.abs(joined.samples).max() < 2.0
    assert (joined.left is None, joined.right is None) == (left == 0, right == 0)
    if silent == "both":
        assert not joined.samples.any()


def test_a_patch_without_context_on_either_side_is_taken_as_it_is() -> None:
    audio, patch = np.zeros((2, 5000), np.float32), cut(music(), Span(0, 5000))
    joined = join(audio, Span(0, 5000), patch, Span(0, 5000))
    assert np.abs(joined.samples - patch).max() < 1e-7


def test_too_little_margin_a_wrong_length_and_a_gap_outside_are_refused() -> None:
    audio = music()
    with pytest.raises(InvalidRequest, match="render more context"):
        join(audio, GAP, cut(audio, GAP), GAP)
    with pytest.raises(InvalidRequest, match="expected a patch of"):
        join(audio, GAP, cut(audio, GAP), COVERS)
    with pytest.raises(InvalidRequest, match="gap inside"):
        join(audio, Span(10, 10), audio, Span(0, audio.shape[1]))
    with pytest.raises(InvalidRequest, match="fade"):
        SeamSettings(fade=0.5)


@pytest.mark.parametrize("at", [3.5, 4.0, 4.5, 7.0])
def test_a_clean_tonal_context_does_not_blow_up_what_a_foreign_patch_has_wrong(at: float) -> None:
    """Its model has poles on the unit circle: a history it did not make rings a hundredfold."""
    song = loop_song(RATE, 9.0)
    gap = Span(round(at * RATE), round((at + 1.0) * RATE))
    covers = Span(gap.start - MARGIN, gap.stop + MARGIN)
    noise = np.random.default_rng(0).normal(0.0, 0.1, (2, covers.length)).astype(np.float32)
    for patch in (song[:, covers.start - 40_000 : covers.stop - 40_000], noise):
        joined = join(song, gap, patch, covers)
        assert np.abs(joined.samples).max() < 2.0 * max(np.abs(song).max(), np.abs(patch).max())


def test_another_place_of_real_music_is_joined_with_no_click() -> None:
    """12 gaps, each filled by what stands 1.1 s before and after: a model of the context let these click, z up to 6."""
    song, rate = soundfile.read(EXCERPT, dtype="float32", always_2d=True)
    song = np.ascontiguousarray(song.T)
    assert rate == RATE
    found = []
    for start in np.linspace(60_000, song.shape[1] - 200_000, 12).astype(int):
        gap = Span(int(start), int(start) + 40_000)
        reference = seam_reference(song, [gap])
        assert reference is not None
        for away in (-50_000, 50_000):
            covers = Span(gap.start - MARGIN, gap.stop + MARGIN)
            joined = join(song, gap, song[:, covers.start + away : covers.stop + away], covers)
            result = np.concatenate([song[:, : gap.start], joined.samples, song[:, gap.stop :]], axis=1)
            found.append(seam_z(result, gap, reference))
    z = np.array(found, float)
    assert z.mean() < 2.1
    assert z.max() < 5.0
