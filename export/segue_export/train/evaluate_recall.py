"""How well recall fills real gaps: copy, splice and mosaic on held-out music, with the true spectrum as the target.

``python -m segue_export.train.evaluate_recall MUSIC [--per-track 5] [--seconds 2] [--figures FOLDER]``: the mosaic's
scores are its ceiling, since its target is the real mel of the gap. ``--figures`` draws the spectrogram of each result.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from segue.clip.span import Span
from segue.prior.codecs.mel import MelCodec, MelSettings
from segue.recall.features import mel_frames
from segue.recall.mosaic import Mosaic, MosaicSettings, mosaic
from segue.recall.song import Song
from segue.recall.splice import copy, splice
from segue_export.train.corpus import held_out, music_files, read_track
from segue_export.train.measures import mel_db, mel_distance, seam_flux

Stereo = Float[np.ndarray, "2 _samples"]

RATE, HOP = 44100, 512
FADE = 882  # the results are laid into the contexts over 20 ms
AROUND = 2 * RATE  # context on each side that the measures see
HARD_DB = 7.0


@dataclass(frozen=True)
class Case:
    """One gap: the track and its name, the gap, the song with the gap hidden."""

    name: str
    track: Stereo
    gap: Span
    song: Song


@dataclass(frozen=True)
class Score:
    """Measures of one filled gap.

    ``mel``: mean distance in dB in 80 bands; ``seam``: flux at the seams in dB, over that of the original; ``onsets``:
    attacks of the result that the original has not; ``missed``: the reverse.
    """

    mel: float
    seam: float
    onsets: float
    missed: float


def onsets(audio: Stereo) -> Float[np.ndarray, " n"]:
    """Times (s) of attacks: peaks of the rise of the log-mel, over its running median."""
    mel = np.maximum(mel_db(audio, 1024, 128, 60), -40.0).mean(0)
    rise = np.maximum(mel[:, 4:] - mel[:, :-4], 0.0).mean(0)
    wide = np.lib.stride_tricks.sliding_window_view(np.pad(rise, 17, mode="edge"), 35)
    peak = (rise >= np.lib.stride_tricks.sliding_window_view(np.pad(rise, 8, mode="edge"), 17).max(1)) & (
        rise > np.median(wide, 1) + 2.0
    )
    return (np.flatnonzero(peak) + 2) * 128 / RATE


def unmatched(found: Float[np.ndarray, " n"], among: Float[np.ndarray, " m"], within: float = 0.025) -> int:
    """How many times of ``found`` have none of ``among`` near."""
    if not len(among):
        return len(found)
    return int((np.abs(found[:, None] - among).min(1) > within).sum())


def lay_in(case: Case, filling: Stereo, margin: int) -> Stereo:
    """The gap's surroundings with ``filling`` (gap and ``margin`` on both sides) faded in just outside the gap."""
    low, high = case.gap.start - AROUND, case.gap.stop + AROUND
    result = case.track[:, low:high].copy()
    ramp = np.sin(np.linspace(0, np.pi / 2, FADE, dtype=np.float32)) ** 2
    weight = np.concatenate([ramp, np.ones(case.gap.length, np.float32), ramp[::-1]])
    at = slice(AROUND - FADE, AROUND + case.gap.length + FADE)
    result[:, at] = result[:, at] * (1 - weight) + filling[:, margin - FADE : filling.shape[1] - margin + FADE] * weight
    return result


def score(case: Case, result: Stereo) -> Score:
    """Measures of a filled excerpt."""
    truth = case.track[:, case.gap.start - AROUND : case.gap.stop + AROUND]
    inside = slice(AROUND, AROUND + case.gap.length)
    seams = (AROUND, AROUND + case.gap.length)
    heard, real = onsets(result[:, inside]), onsets(truth[:, inside])
    flux = seam_flux(result, *seams) - seam_flux(truth, *seams)
    return Score(
        mel_distance(result[:, inside], truth[:, inside]), flux, unmatched(heard, real), unmatched(real, heard)
    )


def held_out_tracks(music: Path) -> list[tuple[str, Stereo]]:
    """The test tracks below ``music``."""
    names = held_out()["test"]
    chosen = [p for p, _ in music_files(music) if any(n in p.name for n in names)]
    return [(p.stem, t) for p in chosen if (t := read_track(p)) is not None]


def codec_of(tracks: list[tuple[str, Stereo]]) -> MelCodec:
    """The mel codec, standardised by the statistics of the tracks themselves."""
    bands = MelSettings().bands
    raw = MelCodec(MelSettings(), torch.zeros(bands), torch.ones(bands))
    sample = torch.from_numpy(np.concatenate([mel_frames(t, raw)[::37] for _, t in tracks]))
    return MelCodec(MelSettings(), sample.mean(0), sample.std(0).clamp_min(0.2))


def cases(tracks: list[tuple[str, Stereo]], codec: MelCodec, per_track: int, seconds: float) -> Iterator[Case]:
    """Gaps at places drawn from a fixed seed, none in near silence."""
    rng = np.random.default_rng(5)
    length = int(seconds * RATE) // HOP * HOP
    for name, track in tracks:
        made = 0
        while made < per_track:
            start = int(rng.integers(5 * RATE, track.shape[1] - 5 * RATE - length))
            gap = Span(start, start + length)
            if float(np.sqrt(np.mean(track[:, gap.start : gap.stop] ** 2))) < 0.01:
                continue
            made += 1
            yield Case(name, track, gap, Song.of(track, [gap], codec))


def true_mosaic(case: Case, settings: MosaicSettings) -> tuple[Mosaic, Float[np.ndarray, "target bands"]]:
    """The mosaic whose target is the real mel of the gap, and that target."""
    codec, gap = case.song.codec, case.gap
    known = np.float32(case.song.gain) * case.track[:, gap.start - 8 * HOP : gap.stop + 8 * HOP]
    target = mel_frames(known, codec)[8 : 8 + gap.length // HOP]
    left, right = case.song.context_frames(gap, 2)
    before, after = case.song.context(gap, RATE)
    made = mosaic(
        case.song.audio, case.song.frames, target, case.song.blocked, left, right, settings,
        left_audio=before, right_audio=after,
    )  # fmt: skip
    if made is None:
        sys.exit(f"{case.name}: no place of the song is free for a unit")
    return made, target


def with_gain(case: Case, made: Mosaic, target: Float[np.ndarray, "target bands"]) -> Stereo:
    """The mosaic decoded as an excitation: its band gains moved to the target's."""
    codec, pad = case.song.codec, 8 * HOP
    gain = np.float32(case.song.gain)
    laid = lay_in(case, made.audio / gain, made.fade) * gain
    excitation = torch.from_numpy(laid[None, :, AROUND - pad :][..., : case.gap.length + 2 * pad])
    excitation = excitation[..., : excitation.shape[-1] // codec.settings.token * codec.settings.token]
    frames = codec.frames(excitation)
    frames[:, 8 : 8 + len(target)] = torch.from_numpy(target)
    audio = codec.decode(codec.to_tokens(frames), excitation)[0].numpy()
    return audio[:, pad - FADE : pad + case.gap.length + FADE]


@dataclass(frozen=True)
class Outcome:
    """Context distance in dB, scores by method, runs of the mosaic and the seconds it took; the excerpts themselves."""

    distance_db: float
    scores: dict[str, Score]
    joins: tuple[int, ...]
    seconds: float
    results: dict[str, Stereo]


def evaluate(case: Case, settings: MosaicSettings) -> Outcome:
    """Fill one gap in every way."""
    song, gap, gain = case.song, case.gap, np.float32(case.song.gain)
    pair = song.donors(gap)
    if pair is None:
        sys.exit(f"{case.name}: no donors")
    results = {"copy": lay_in(case, copy(song, pair, gap, FADE) / gain, FADE)}
    results["splice"] = lay_in(case, splice(song, pair, gap, FADE)[0] / gain, FADE)
    _ = song.frames
    begun = time.perf_counter()
    made, target = true_mosaic(case, settings)
    took = time.perf_counter() - begun
    results["mosaic"] = lay_in(case, made.audio / gain, made.fade)
    results["mosaic and gain"] = lay_in(case, with_gain(case, made, target) / gain, FADE)
    scores = {k: score(case, v) for k, v in results.items()}
    return Outcome(pair.distance_db, scores, tuple(r.start for r in made.runs[1:]), took, results)


def draw(case: Case, outcome: Outcome, path: Path) -> None:
    """Spectrograms of the original and each result; the gap in white, the mosaic's joins dotted."""
    from matplotlib.figure import Figure  # noqa: PLC0415  (only where figures are asked for)

    truth = case.track[:, case.gap.start - AROUND : case.gap.stop + AROUND]
    excerpts = {"original": truth, **outcome.results}
    figure = Figure(figsize=(14, 3 * len(excerpts)), layout="constrained")
    for axes, (name, audio) in zip(figure.subplots(len(excerpts)), excerpts.items(), strict=True):
        mel = mel_db(audio, 2048, 128, 128).mean(0)
        axes.imshow(mel, origin="lower", aspect="auto", vmin=-60, vmax=20, cmap="magma")
        axes.set_title(f"{case.name}: {name}")
        for seam in (AROUND, AROUND + case.gap.length):
            axes.axvline(seam / 128, color="white", linewidth=0.8)
        for at in outcome.joins if name.startswith("mosaic") else ():
            axes.axvline((AROUND + at) / 128, color="cyan", linewidth=0.6, linestyle=":")
    figure.savefig(path, dpi=70)


def report(rows: list[Outcome], write: Callable[[str], None]) -> None:
    """The table: all gaps, and those whose context distance says they are hard to recall."""
    hard = [r for r in rows if r.distance_db >= HARD_DB]
    write(f"{len(rows)} gaps, {len(hard)} hard; runs a gap {np.mean([len(r.joins) + 1 for r in rows]):.1f}; "
          f"mosaic {np.median([r.seconds for r in rows]):.2f} s")  # fmt: skip
    write(f"{'':16}{'mel dB':>8}{'seam dB':>9}{'extra':>7}{'missed':>8}{'hard mel':>10}{'seam':>7}")
    for method in rows[0].scores:
        every = [r.scores[method] for r in rows]
        far = [r.scores[method] for r in hard]
        mean = {k: np.mean([getattr(x, k) for x in every]) for k in ("mel", "seam", "onsets", "missed")}
        rest = [np.mean([getattr(x, k) for x in far]) if far else float("nan") for k in ("mel", "seam")]
        write(f"{method:16}{mean['mel']:8.2f}{mean['seam']:9.2f}{mean['onsets']:7.2f}{mean['missed']:8.2f}"
              f"{rest[0]:10.2f}{rest[1]:7.2f}")  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("--per-track", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--figures", type=Path, help="folder for spectrograms (PNG) of every result")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tracks = held_out_tracks(options.music)
    codec = codec_of(tracks)
    rows = []
    for number, case in enumerate(cases(tracks, codec, options.per_track, options.seconds)):
        outcome = evaluate(case, MosaicSettings())
        if options.figures is not None:
            options.figures.mkdir(parents=True, exist_ok=True)
            draw(case, outcome, options.figures / f"{number:02d}.png")
        rows.append(replace(outcome, results={}))
    report(rows, print)


if __name__ == "__main__":
    main()
