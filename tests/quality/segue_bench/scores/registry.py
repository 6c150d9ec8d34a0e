"""All scores in the order of the report: a new one needs a file of its own, an import and an entry here."""

from __future__ import annotations

from typing import Final

from segue.errors import InvalidRequest
from segue_bench.scores.balance import high_band_error_db, loudness_error_lu, side_error_db
from segue_bench.scores.beat import beat_phase_error_ms
from segue_bench.scores.chroma import chroma_cosine
from segue_bench.scores.contract import ClipScore, Score
from segue_bench.scores.control import freedom_control
from segue_bench.scores.heard import Heard
from segue_bench.scores.log_spectral import log_spectral_distance
from segue_bench.scores.multiscale import gap_mr
from segue_bench.scores.onsets import onset_f_measure
from segue_bench.scores.seams import loudness_dip_lu, worst_jump_db, worst_seam_z
from segue_bench.scores.surroundings import Surroundings
from segue_bench.scores.tag_divergence import gap_kld
from segue_export.train.measures import mel_distance


def _chroma(_: Surroundings, real: Heard, rendered: Heard) -> float | None:
    if real.chroma is None or rendered.chroma is None:
        return None
    return chroma_cosine(real.chroma, rendered.chroma)


def _beat(known: Surroundings, _: Heard, rendered: Heard) -> float | None:
    return None if known.beat is None else beat_phase_error_ms(known.beat, *rendered.rhythm)


def _seam(known: Surroundings, _: Heard, rendered: Heard) -> float | None:
    if known.usual_seam is None:
        return None
    return worst_seam_z(rendered.audio, rendered.seams, known.usual_seam)


def _copied(known: Surroundings, _: Heard, rendered: Heard) -> float | None:
    return known.material.copied(rendered.inside)


def _control(known: Surroundings, _: Heard, rendered: Heard) -> float | None:
    region = known.case.plan.regions[0]
    if region.freedom is None or region.x_bar is None:
        return None
    x_bar = region.x_bar * known.gain
    return freedom_control(region.freedom.curve, region.gap.start, x_bar.astype("float32"), rendered.inside)


def _dip(known: Surroundings, _: Heard, rendered: Heard) -> float | None:
    return loudness_dip_lu(rendered.audio, rendered.gap) if known.case.task == "transition" else None


SCORES: Final[tuple[ClipScore, ...]] = (
    ClipScore(
        "gap_kld",
        "nats",
        "lower",
        "how differently a tagger hears the 3 s around the gap: sum over 50 tags of the Bernoulli KL",
        lambda _, real, rendered: gap_kld(real.logits, rendered.logits),
    ),
    ClipScore(
        "gap_mr",
        "log10",
        "lower",
        "log-mel difference of the gap at seven time scales, summed",
        lambda _, real, rendered: gap_mr(real.scales, rendered.scales),
    ),
    ClipScore(
        "mel_distance",
        "dB",
        "lower",
        "mean difference of the gap's log-mel",
        lambda _, real, rendered: mel_distance(rendered.inside, real.inside),
    ),
    ClipScore(
        "log_spectral_distance",
        "dB",
        "lower",
        "RMS difference of the gap's spectrum up to 22 kHz",
        lambda _, real, rendered: log_spectral_distance(real.spectrum, rendered.spectrum),
    ),
    ClipScore(
        "loudness_error",
        "LU",
        "zero",
        "loudness against the real gap; below 0 is quieter",
        lambda _, real, rendered: loudness_error_lu(real.inside, rendered.inside),
    ),
    ClipScore(
        "high_band_error",
        "dB",
        "zero",
        "energy from 8 to 16 kHz against the real gap; below 0 is duller",
        lambda _, real, rendered: high_band_error_db(real.inside, rendered.inside),
    ),
    ClipScore(
        "side_error",
        "dB",
        "zero",
        "side against mid, compared with the real gap; below 0 is narrower",
        lambda _, real, rendered: side_error_db(real.inside, rendered.inside),
    ),
    ClipScore(
        "chroma_cosine", "", "higher", "same pitch classes at the same time as the real gap: 1 is equal", _chroma
    ),
    ClipScore(
        "onset_f",
        "",
        "higher",
        "beginnings of sounds within 50 ms of the real gap's: F-measure",
        lambda _, real, rendered: onset_f_measure(real.onsets, rendered.onsets),
    ),
    ClipScore("beat_phase_error", "ms", "lower", "early or late against the beat of the context", _beat),
    ClipScore(
        "seam_z",
        "",
        "lower",
        "worst click or break at a seam, in standard deviations of the track",
        _seam,
        against_real=False,
    ),
    ClipScore(
        "loudness_jump",
        "LU",
        "lower",
        "largest step of loudness across a seam",
        lambda _, __, rendered: worst_jump_db(rendered.audio, rendered.seams),
        against_real=False,
    ),
    ClipScore(
        "loudness_dip",
        "LU",
        "lower",
        "transitions: deepest dip of loudness between the tracks",
        _dip,
        against_real=False,
    ),
    ClipScore(
        "copied",
        "",
        "none",
        "largest correlation of the whole gap with any place it could be copied from: 1 is a copy",
        _copied,
        against_real=False,
    ),
    ClipScore(
        "control",
        "",
        "higher",
        "departure from the original follows the drawn freedom: Pearson",
        _control,
        against_real=False,
    ),
)
"""Scores of one rendering."""

SET_SCORES: Final[tuple[Score, ...]] = (
    Score("gap_kad", "x1000", "lower", "distance of all rendered gaps to all real ones in the ear's embedding: MMD^2"),
    Score("gap_fad", "", "lower", "Frechet distance of the same embeddings; from 1,000 clips up"),
    Score("realism", "", "higher", "how deep in the manifold of real music, against the cross-fade's"),
    Score("embedding_diversity", "", "higher", "distance between seeds, against that between real segments"),
    Score("mel_diversity", "", "higher", "mel distance between seeds, against that between real segments"),
)
"""Scores of a method over its clips; each is a function of its own file: kad, frechet, realism, diversity."""


def score_named(name: str) -> Score:
    """The clip or set score of this name.

    Raises:
        InvalidRequest: there is none.
    """
    known = {score.name: score for score in (*SCORES, *SET_SCORES)}
    if name not in known:
        raise InvalidRequest(f"unknown score {name!r}; expected one of {', '.join(known)}")
    return known[name]
