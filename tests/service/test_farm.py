"""Jobs through a pool whose render processes are on the nodes of a Ray cluster."""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from segue.clip.clip import Clip
from segue.errors import InvalidRequest, ResourceError
from segue.render.settings import RenderSettings
from segue.service.events import Cancelled, Event, Failed, Finished, Progressed, TimedOut
from segue.service.farm.farm import FarmSettings, find_farm
from segue.service.jobs import Job
from segue.service.pool import Pool
from segue.service.settings import Limits
from segue.service.store.store import Store
from segue_protocol.errors import Code
from tests.pools import (
    PATIENCE,
    RATE,
    Ear,
    close_shared_pool,
    ended,
    endless,
    fill,
    finished,
    same_audio,
    shared_pool,
    song,
)
from tests.ray_cluster import RayCluster
from tests.renderers import free_port, until


@dataclass(frozen=True)
class Farm:
    """A cluster of two nodes and the pool on it."""

    cluster: RayCluster
    pool: Pool

    @property
    def processes(self) -> dict[psutil.Process, psutil.Process]:
        """The render process on each node."""
        return {node: _render_process(node) for node in self.cluster.nodes}

    def await_idle(self, devices: int) -> None:
        assert until(lambda: sum(d.state == "idle" for d in self.pool.status().devices) == devices, PATIENCE)


def _render_process(node: psutil.Process) -> psutil.Process:
    (found,) = (p for p in node.children(recursive=True) if "segue.service.worker.child" in p.cmdline())
    return found


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    cluster = RayCluster(2)
    try:
        with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="segue-farm-") as folder:
            patch.setattr("segue.service.farm.farm.CONNECT_SECONDS", PATIENCE)
            devices = find_farm(cluster.address, FarmSettings(threads=1))
            with Pool(devices, Store(Path(folder)), Limits(waiting=4, silence=30.0, longest_pause=1.0)) as pool:
                yield Farm(cluster, pool)
    finally:
        cluster.close()
        close_shared_pool()


def long_job(seed: int) -> Job:
    """Of enough steps to be interrupted, few enough to be waited for."""
    return fill(settings=RenderSettings(seed, steps=24))


def test_a_job_comes_out_of_the_farm_as_out_of_a_process_here_and_is_heard_on_the_way(farm: Farm) -> None:
    far, near = Ear(), Ear()
    final = ended(farm.pool.submit(fill(settings=RenderSettings(3, steps=2)), far))
    here = ended(shared_pool().submit(fill(settings=RenderSettings(3, steps=2)), near))
    assert isinstance(final, Finished), final
    assert isinstance(here, Finished), here
    assert same_audio(final, here)
    assert final.ranking == here.ranking
    assert [c.audio.tobytes() for c in far.candidates] == [c.audio.tobytes() for c in near.candidates]
    stages = [event.progress.stage if isinstance(event, Progressed) else event for event in far.events]
    assert "sample" not in stages[: stages.index(far.candidates[0])], "the splice is heard first"


def test_the_store_is_asked_and_kept_by_the_pool_not_by_the_nodes(farm: Farm) -> None:
    first = finished(farm.pool, fill(seed=5))
    again = finished(farm.pool, fill(seed=5))
    other = song().samples.copy()
    other[:, 5 * RATE : 6 * RATE] = 0.5  # another request, which a node finds to be of the same recipe
    same = finished(farm.pool, fill(seed=5, clip=Clip(other, RATE)))
    assert [result.from_store for result in (first, again, same)] == [False, True, True]
    assert same_audio(first, again)
    assert same_audio(first, same)
    assert first.report == again.report == same.report
    assert first.note == same.note == ""


def test_cancel_and_deadline_stop_the_compute_within_a_step_and_bad_audio_is_refused(farm: Farm) -> None:
    ear = Ear()
    ticket = farm.pool.submit(endless(), ear)
    ear.wait_for_step(2)
    assert ticket.cancel()
    step = ear.progress[-1].step
    assert isinstance(ended(ticket), Cancelled)
    assert ear.progress[-1].step <= step + 1, "one may have been on its way to the listener"
    late = ended(farm.pool.submit(endless(deadline=1.0), lambda event: None))
    assert isinstance(late, TimedOut), late
    broken = song().samples.copy()
    broken[1, 100] = np.nan
    bad = ended(farm.pool.submit(fill(clip=Clip(broken, RATE)), lambda event: None))
    assert isinstance(bad, Failed)
    assert bad.code is Code.INVALID
    farm.await_idle(2)


def test_a_node_killed_in_mid_job_costs_time_alone(farm: Farm) -> None:
    farm.await_idle(2)
    ear, processes = Ear(), farm.processes
    before = {node: process.cpu_times().user for node, process in processes.items()}

    def stop_at_the_first_step(event: Event) -> None:
        first = isinstance(event, Progressed) and event.progress.stage == "sample" and not stopped
        if first:  # where it is must be found out before it is over
            stopped.extend(processes.values())
            for process in stopped:
                process.suspend()
        ear(event)

    stopped: list[psutil.Process] = []
    ticket = farm.pool.submit(long_job(8), stop_at_the_first_step)
    try:
        assert until(lambda: any(p.stage == "sample" for p in ear.progress), PATIENCE)
        heard = len(ear.candidates)
        lost = max(processes, key=lambda node: processes[node].cpu_times().user - before[node])
        lost.kill()
        next(process for node, process in processes.items() if node != lost).resume()
        final = ended(ticket)
    finally:
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.resume()  # to see that its actor is gone
    assert isinstance(final, Finished), final
    assert any(p.stage == "lost" and "begun on another" in p.message for p in ear.progress)
    assert heard > 0, "the splice was there"
    assert [c.number for c in ear.candidates] == list(range(len(ear.candidates))), "each once"
    assert same_audio(final, finished(shared_pool(), long_job(8)))
    assert ear.finals == [final]


def test_where_no_node_is_left_jobs_are_told_and_a_node_that_comes_back_is_used(farm: Farm) -> None:
    ear = Ear()
    ticket = farm.pool.submit(endless(9), ear)
    ear.wait_for_step(1)
    for node in farm.cluster.nodes:
        node.kill()
    final = ended(ticket)
    assert isinstance(final, Failed), final
    assert final.code is Code.LOST
    assert "no node" in final.message
    assert "ray start" in final.remedy
    assert all("no node" in device.reason for device in farm.pool.status().devices)
    farm.cluster.add_node()
    farm.await_idle(1)
    assert not finished(farm.pool, fill(seed=10)).from_store


def test_what_is_no_cluster_is_refused_before_anything_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("", "local", "http://a:1", "ray://", "host", "host:port", "a:1; rm", "user@a:1"):
        with pytest.raises(InvalidRequest, match="expected a Ray cluster as auto, HOST:PORT or ray://HOST:PORT"):
            find_farm(address)
    for address in (f"127.0.0.1:{free_port()}", f"ray://127.0.0.1:{free_port()}", "127.0.0.1:99999"):
        with pytest.raises(ResourceError, match="nothing answers there"):
            find_farm(address)
    monkeypatch.setattr("segue.service.farm.farm.CONNECT_SECONDS", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        began = time.monotonic()
        with pytest.raises(ResourceError, match="did not answer within 3 s"):
            find_farm(f"127.0.0.1:{mute.getsockname()[1]}")
        assert time.monotonic() - began < 20.0
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ResourceError, match=r"pip install segue\[farm\]"):
        find_farm("auto")


def test_a_cluster_without_room_is_refused(farm: Farm) -> None:
    with pytest.raises(ResourceError, match="64 free CPUs"):
        find_farm(farm.cluster.address, FarmSettings(threads=64))
