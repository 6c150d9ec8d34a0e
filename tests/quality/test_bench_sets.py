"""Scores of whole sets against closed forms: gap-KAD, Frechet distance, realism, diversity."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from segue.errors import InvalidRequest
from segue_bench.scores.diversity import embedding_diversity, mel_diversity
from segue_bench.scores.frechet import gap_fad
from segue_bench.scores.kad import bandwidth_of, gap_kad
from segue_bench.scores.realism import realism, relative_realism


def gaussian(clips: int, seed: int, features: int = 6, shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    """Rows of N(shift e_1, scale^2 I)."""
    rows = scale * np.random.default_rng(seed).standard_normal((clips, features))
    rows[:, 0] += shift
    return rows


def kernel_mean(features: int, bandwidth: float, variances: float, shift: float = 0.0) -> float:
    """E exp(-|u|^2 / (2 h^2)) for u ~ N(shift e_1, variances I), by completing the square."""
    total = bandwidth**2 + variances
    return (bandwidth**2 / total) ** (features / 2) * np.exp(-(shift**2) / (2 * total))


@pytest.mark.parametrize(("shift", "scale"), [(0.7, 1.0), (0.0, 1.4), (1.0, 0.7)])
def test_kad_of_two_gaussians_is_the_closed_form(shift: float, scale: float) -> None:
    h = 2.5
    within = kernel_mean(6, h, 2.0), kernel_mean(6, h, 2.0 * scale**2)
    truth = 1000.0 * (sum(within) - 2.0 * kernel_mean(6, h, 1.0 + scale**2, shift))
    found = gap_kad(gaussian(900, 0), gaussian(900, 1, shift=shift, scale=scale), bandwidth=h, resamples=200)
    assert found.low < truth < found.high
    assert found.value == pytest.approx(truth, rel=0.15)


def test_kad_of_equal_distributions_is_unbiased_around_zero() -> None:
    found = [gap_kad(gaussian(12, s), gaussian(12, 1000 + s), bandwidth=2.5, resamples=1).value for s in range(300)]
    assert abs(np.mean(found)) < 3.0 * np.std(found) / np.sqrt(300)
    assert min(found) < 0.0 < max(found)


def test_kad_of_a_set_against_itself_is_zero_without_a_doubt() -> None:
    real = gaussian(20, 0)
    found = gap_kad(real, real.copy())
    assert (found.low, found.value, found.high) == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)


def test_kad_is_unbiased_for_clips_that_share_their_context() -> None:
    # real and rendered gaps of one clip are alike, as their embeddings hear the same context: that is no merit
    found = []
    for s in range(200):
        shared = gaussian(12, s)
        found.append(gap_kad(shared + gaussian(12, 1000 + s), shared + gaussian(12, 2000 + s), resamples=1).value)
    assert abs(np.mean(found)) < 3.0 * np.std(found) / np.sqrt(200)


def test_kad_intervals_cover_the_truth() -> None:
    h, shift = 2.5, 0.8
    truth = 1000.0 * 2.0 * (kernel_mean(6, h, 2.0) - kernel_mean(6, h, 2.0, shift))
    covered = 0
    for s in range(100):
        found = gap_kad(gaussian(50, s), gaussian(50, 500 + s, shift=shift), bandwidth=h, resamples=300)
        covered += found.low <= truth <= found.high
    assert covered >= 87


def test_kad_grows_with_the_distance_and_takes_its_bandwidth_from_the_references() -> None:
    real = gaussian(60, 0)
    assert bandwidth_of(real) == pytest.approx(np.median(cdist(real, real)[np.triu_indices(60, 1)]))
    found = [gap_kad(real, gaussian(60, 1, shift=shift), resamples=50).value for shift in (0.0, 1.0, 2.0, 4.0)]
    assert found == sorted(found)
    scaled = gap_kad(10 * real, 10 * gaussian(60, 1, shift=2.0), resamples=50)
    assert scaled.value == pytest.approx(found[2])


def test_seeds_of_one_clip_in_a_group_neither_shift_nor_sharpen_kad() -> None:
    real, rendered = gaussian(25, 0), gaussian(25, 1, shift=0.5)
    once = gap_kad(real, rendered)
    real_thrice, rendered_thrice = np.tile(real, (3, 1)), np.tile(rendered, (3, 1))
    clip = np.tile(np.arange(25), 3)
    same = gap_kad(real_thrice, rendered_thrice, groups=clip, bandwidth=bandwidth_of(real))
    assert (same.low, same.value, same.high) == pytest.approx((once.low, once.value, once.high))


def test_kad_refuses_what_it_cannot_compare() -> None:
    with pytest.raises(InvalidRequest, match="one rendered row a real one"):
        gap_kad(gaussian(5, 0), gaussian(4, 1))
    with pytest.raises(InvalidRequest, match="at least 2 independent clips"):
        gap_kad(gaussian(3, 0), gaussian(3, 1), groups=np.zeros(3, int))
    with pytest.raises(InvalidRequest, match="bandwidth"):
        gap_kad(np.ones((4, 3)), gaussian(4, 0, 3))


def test_frechet_distance_of_two_gaussians_is_the_closed_form() -> None:
    a, b = gaussian(20_000, 0, 3), gaussian(20_000, 1, 3, shift=2.0, scale=1.5)
    assert gap_fad(a, b) == pytest.approx(2.0**2 + 3 * (1.5 - 1.0) ** 2, rel=0.03)
    assert gap_fad(a, a) == pytest.approx(0.0, abs=1e-9)
    stretched = a * np.array([1.0, 3.0, 1.0])
    assert gap_fad(a, stretched) == pytest.approx((3.0 - 1.0) ** 2, rel=0.03)


def test_frechet_distance_is_refused_below_a_thousand_clips() -> None:
    with pytest.raises(InvalidRequest, match=r"at least 1000 clips.*got 1000 and 999"):
        gap_fad(gaussian(1000, 0), gaussian(999, 1))


def test_a_point_inside_the_manifold_is_more_realistic_than_one_outside() -> None:
    real = gaussian(200, 0, 4)
    found = realism(real, np.array([[0.0] * 4, [2.0, 0.0, 0.0, 0.0], [8.0, 0.0, 0.0, 0.0], [80.0, 0.0, 0.0, 0.0]]))
    assert list(found) == sorted(found, reverse=True)
    assert found[0] > 1.0
    assert found[2] < 0.3


def test_realism_is_radius_over_distance() -> None:
    # on a line with spacing 1 the third neighbour of an inner point is at 2, and the ends are the outliers left out
    line = np.arange(20.0)[:, None] * np.array([[1.0, 0.0]])
    assert realism(line, np.array([[10.0, 4.0]])) == pytest.approx([2.0 / 4.0])
    assert realism(line, np.array([[10.0, 0.5]])) == pytest.approx([2.0 / 0.5])


def test_a_real_gap_among_the_references_does_not_vouch_for_itself() -> None:
    real = gaussian(100, 0, 4)
    of_itself = realism(real, real)
    assert np.isfinite(of_itself).all()
    far = np.vstack([real, np.full((1, 4), 50.0)])
    assert realism(far, far[-1:])[0] < 0.1


def test_relative_realism_is_one_for_the_cross_fade_and_scales() -> None:
    cross_fade = np.random.default_rng(0).uniform(0.5, 1.5, 40)
    same = relative_realism(cross_fade, cross_fade)
    assert (same.low, same.value, same.high) == pytest.approx((1.0, 1.0, 1.0))
    assert relative_realism(0.9 * cross_fade, cross_fade).value == pytest.approx(0.9)
    noisy = cross_fade + 0.2 * np.sin(np.arange(len(cross_fade)))
    twice, of_both = (np.repeat(x, 2) for x in (noisy, cross_fade))
    once, doubled = relative_realism(noisy, cross_fade), relative_realism(twice, of_both, np.arange(len(twice)) // 2)
    assert (doubled.low, doubled.high) == pytest.approx((once.low, once.high))  # a track twice says nothing new
    with pytest.raises(InvalidRequest, match="each of 40 clips, got 39"):
        relative_realism(cross_fade, cross_fade[1:])
    with pytest.raises(InvalidRequest, match="at least 8 real embeddings"):
        realism(gaussian(7, 0), gaussian(1, 0))


def test_equal_seeds_have_no_diversity_and_independent_ones_that_of_music() -> None:
    real = gaussian(60, 0)
    assert embedding_diversity([np.tile(clip, (3, 1)) for clip in real[:5]], real) == 0.0
    assert embedding_diversity([gaussian(8, 100 + k) for k in range(10)], real) == pytest.approx(1.0, abs=0.08)
    assert embedding_diversity([gaussian(8, 100 + k, scale=0.5) for k in range(10)], real) == pytest.approx(
        0.5, abs=0.05
    )


def test_mel_diversity_counts_cases_with_several_seeds_only() -> None:
    def noise(seed: int, level: float = 0.3) -> np.ndarray:
        return (level * np.random.default_rng(seed).standard_normal((2, 8192))).astype(np.float32)

    real = [noise(seed) for seed in range(6)]
    assert mel_diversity([[noise(10), noise(11), noise(12)], [noise(13)]], real) == pytest.approx(1.0, abs=0.05)
    assert mel_diversity([[noise(10), noise(10)]], real) == 0.0
    with pytest.raises(InvalidRequest, match="render more seeds"):
        mel_diversity([[noise(10)]], real)
    with pytest.raises(InvalidRequest, match="gaps of one length"):
        mel_diversity([[noise(10), noise(11)[:, 1:]]], real)
