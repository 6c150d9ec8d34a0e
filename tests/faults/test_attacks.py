"""All attacks of tests/faults/attacks, one after the other, against a live renderer, which must outlast them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from segue_protocol.messages import Status, StatusReply
from tests.faults.attacks.run import ATTACKS, run
from tests.renderers import Peer, RunningRenderer, impatient_renderer, until

FOLDER = Path(__file__).parent / "attacks"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRenderer]:
    """A renderer that does nothing else, so that its memory is that of the attacks."""
    made = RunningRenderer(tmp_path_factory.mktemp("attacked"), "--queue", "4", "--stall", "60", "--drain", "0")
    yield made
    made.kill()


@pytest.mark.parametrize("name", ATTACKS)
def test_the_renderer_survives(name: str, attacked: RunningRenderer) -> None:
    renderer = impatient_renderer() if name == "half_jobs" else attacked
    before = renderer.rss_mb
    assert run(name, renderer.content)
    assert renderer.process.poll() is None
    assert until(lambda: renderer.rss_mb < before + 24)
    with Peer(renderer.content) as peer:
        peer.send(Status())
        reply = peer.await_(StatusReply, 10.0)
        assert [device.name for device in reply.devices] == ["cpu"]
    assert until(lambda: renderer.counts()["clients"] == 0)


def test_every_attack_is_in_the_readme_and_runs_by_name() -> None:
    scripts = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "run"}
    told = {line.split("`")[1] for line in (FOLDER / "README.md").read_text().splitlines() if line.startswith("| `")}
    assert scripts == set(ATTACKS) == {name.removesuffix(".py") for name in told}
