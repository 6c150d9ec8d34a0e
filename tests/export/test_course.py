"""A run of training, course after course, on a tiny network."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from segue.errors import InvalidRequest
from segue_export.models.mel_transformer import MelTransformer, MelTransformerSettings
from segue_export.train import checkpoint
from segue_export.train.batches import Batch
from segue_export.train.checkpoint import averaged_weights, seeds
from segue_export.train.course import Average, RunSettings, Trainer, TrainSettings, train_network
from segue_export.train.feed import drawn_ahead

TINY = MelTransformerSettings(channels=8, width=32, layers=1, head=16, time_width=16)
SETTINGS = TrainSettings(warm_up=1)
ONE_STEP = RunSettings(minutes=1e-9)


def batch(seed: int = 0) -> Batch:
    mask = torch.ones(2, 1, 12)
    mask[..., 4:8] = 0.0
    x_0 = torch.randn(2, 8, 12, generator=torch.Generator().manual_seed(seed))
    return Batch(x_0, mask, torch.zeros(2, 16, 12), torch.zeros(2, 2, 12))


def batches() -> Iterator[Batch]:
    while True:
        yield batch()


def network(settings: MelTransformerSettings = TINY) -> MelTransformer:
    torch.manual_seed(0)
    return MelTransformer(settings)


def course(run: Path, net: MelTransformer | None = None) -> MelTransformer:
    """One step; the network that it left."""
    net, start = net or network(), checkpoint.read(run)
    train_network(net, batches(), [batch(1)], run=run, hours=0.25, r=ONE_STEP, settings=SETTINGS, start=start)
    return net


def rows(run: Path) -> list[list[str]]:
    with (run / "curve.csv").open(newline="") as f:
        return list(csv.reader(f))


def test_two_courses_of_a_step_learn_what_one_of_two_steps_learns(tmp_path: Path) -> None:
    whole = Trainer(network(), SETTINGS)
    for seed in (0, 1):
        torch.manual_seed(seed)
        whole.step(batch(), 0.0)
    for seed in (0, 1):
        net = network()
        torch.manual_seed(seed)
        course(tmp_path, net)
    for name, value in whole.net.state_dict().items():
        assert torch.equal(net.state_dict()[name], value), name
    for name, value in whole.average.weights.items():
        assert torch.equal(averaged_weights(tmp_path)[name], value), name


def test_the_curve_counts_on_from_course_to_course(tmp_path: Path) -> None:
    for _ in range(3):
        course(tmp_path)
    assert [row[0] for row in rows(tmp_path)] == ["1", "2", "3"]
    assert [float(row[2]) for row in rows(tmp_path)] == [0.25, 0.5, 0.75]
    assert sorted(seconds := [float(row[1]) for row in rows(tmp_path)]) == seconds
    found = checkpoint.read(tmp_path)
    assert found is not None
    assert found.courses == 3


def test_each_course_has_noise_and_examples_of_its_own(tmp_path: Path) -> None:
    drawn = [seeds(0, checkpoint.read(tmp_path))]
    for _ in range(2):
        course(tmp_path)
        drawn.append(seeds(0, checkpoint.read(tmp_path)))
    assert len({seed for pair in drawn for seed in pair}) == 6
    assert seeds(1, None) != seeds(0, None) == drawn[0]


def test_weights_alone_are_gone_on_from_with_a_new_optimiser(tmp_path: Path) -> None:
    weights = network().state_dict()
    torch.save(weights, tmp_path / checkpoint.FILE)  # as runs left it before
    found = checkpoint.read(tmp_path)
    assert found is not None
    assert (found.courses, found.progress) == (0, None)
    assert averaged_weights(tmp_path).keys() == weights.keys()
    course(tmp_path)
    assert [row[0] for row in rows(tmp_path)] == ["1"]


def test_a_network_that_grew_goes_on_with_a_new_optimiser_and_settings_are_those_of_now(tmp_path: Path) -> None:
    course(tmp_path)
    start = checkpoint.read(tmp_path)
    assert start is not None
    larger = Trainer(network(replace(TINY, layers=2)), SETTINGS)
    assert larger.go_on(start).steps == larger.steps == 0
    same = Trainer(network(), replace(SETTINGS, weight_decay=0.5))
    assert same.go_on(start).steps == same.steps == 1
    assert {group["weight_decay"] for group in same.optimizer.param_groups} == {0.5}


def test_a_run_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="train into"):
        averaged_weights(tmp_path)


def poisoned() -> Batch:
    return replace(batch(), x_0=batch().x_0 * float("nan"))


def test_a_batch_that_is_not_finite_stops_training_before_the_weights_are_touched() -> None:
    trainer = Trainer(network(), SETTINGS)
    trainer.step(batch(), 0.0)
    before = {name: value.clone() for name, value in trainer.net.state_dict().items()}
    with pytest.raises(InvalidRequest, match=r"after 1 steps: .* got a loss of nan"):
        trainer.step(poisoned(), 0.0)
    assert all(torch.equal(value, before[name]) for name, value in trainer.net.state_dict().items())


def test_a_run_that_diverged_keeps_its_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course(tmp_path)
    good = (tmp_path / checkpoint.FILE).read_bytes()
    update = Average.update

    def spoiled(average: Average, net: MelTransformer) -> None:
        update(average, net)
        average.weights["embed.weight"][0, 0] = float("nan")

    with monkeypatch.context() as patched:
        patched.setattr(Average, "update", spoiled)
        with pytest.raises(InvalidRequest, match="last checkpoint"):
            course(tmp_path)
    start = checkpoint.read(tmp_path)
    with pytest.raises(InvalidRequest, match="held-out errors"):
        train_network(
            network(), batches(), [poisoned()], run=tmp_path, hours=1.0, r=ONE_STEP, settings=SETTINGS, start=start
        )
    assert (tmp_path / checkpoint.FILE).read_bytes() == good
    assert len(rows(tmp_path)) == 1


def test_what_drawing_a_batch_raises_is_raised_where_the_batch_is_taken() -> None:
    def failing() -> Iterator[int]:
        yield from range(3)
        raise OSError("a feature file vanished")

    with drawn_ahead(failing()) as take:
        assert [take() for _ in range(3)] == [0, 1, 2]
        with pytest.raises(OSError, match="vanished"):
            take()
    with drawn_ahead(iter(())) as take_none, pytest.raises(InvalidRequest, match="without end"):
        take_none()


def test_drawing_ends_with_the_run(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    course(tmp_path)
    with pytest.raises(InvalidRequest):
        train_network(network(), iter([poisoned()]), [batch()], run=tmp_path, hours=1.0, r=ONE_STEP, settings=SETTINGS)
    assert set(threading.enumerate()) <= before
