"""A Ray cluster on this machine, for tests: a head without CPUs, and nodes of one CPU that can be killed and added."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import Any

import psutil

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_worker_niceness": "0",  # as the processes they are compared with
}
STORE_BYTES = 80 << 20
NODE_PATIENCE = 240.0  # seconds; only a hang takes as long


class RayCluster:
    """Kept by a process of its own, so that Ray's threads and warnings are not the tests'; :meth:`close` it."""

    def __init__(self, nodes: int) -> None:
        self._folder = tempfile.mkdtemp(prefix="ray-")  # short: sockets are made in it
        self._keeper = subprocess.Popen(
            [sys.executable, __file__, str(nodes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **SETTINGS, "RAY_TMPDIR": self._folder},
        )
        self._family: set[psutil.Process] = set()
        try:
            self._told = self._hear()
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """Of the head."""
        return str(self._told["address"])

    @property
    def nodes(self) -> list[psutil.Process]:
        """Those that live, but for the head, in the order of their start."""
        known = [process for process in self._family if process.pid in self._told["nodes"]]
        return [node for node in known if node.is_running() and node.status() != psutil.STATUS_ZOMBIE]

    def add_node(self) -> None:
        self._say("add")

    def close(self) -> None:
        """End all of it, whatever state it is in."""
        self._note_family()
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        self._keeper.kill()
        self._keeper.wait()
        self._keeper.stdin.close()
        self._keeper.stdout.close()
        for process in self._family:
            if process.is_running():  # false where the number is another's by now
                process.kill()
        _, left = psutil.wait_procs(self._family, timeout=20)
        shutil.rmtree(self._folder, ignore_errors=True)
        assert not left, left

    def _say(self, word: str) -> None:
        assert self._keeper.stdin is not None
        self._keeper.stdin.write(f"{word}\n")
        self._keeper.stdin.flush()
        self._told = self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._keeper.stdout is not None
        line = self._keeper.stdout.readline()
        self._note_family()
        assert line, "the cluster ended; its own words are above"
        told: dict[str, Any] = json.loads(line)
        return told

    def _note_family(self) -> None:
        if self._keeper.poll() is None:
            self._family |= set(psutil.Process(self._keeper.pid).children(recursive=True))


def _keep(count: int) -> None:
    from ray.cluster_utils import Cluster

    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    head = {"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)

    def tell() -> None:
        raylets = [
            node.all_processes["raylet"][0].process.pid for node in cluster.list_all_nodes() if not node.is_head()
        ]
        print(json.dumps({"address": cluster.address, "nodes": raylets}), file=out, flush=True)

    for _ in range(count):
        _add_node(cluster)
    cluster.wait_for_nodes(NODE_PATIENCE)
    tell()
    for line in sys.stdin:
        assert line == "add\n", line
        _add_node(cluster)
        tell()
    cluster.shutdown()  # the tests are gone
    shutil.rmtree(os.environ["RAY_TMPDIR"], ignore_errors=True)


def _add_node(cluster: Any) -> None:
    """A node of one CPU, begun anew where Ray gives one up that is not there within 30 s: a loaded machine is slow."""
    others = set(psutil.Process().children(recursive=True))
    deadline = time.monotonic() + NODE_PATIENCE
    while True:
        try:
            cluster.add_node(wait=False, num_cpus=1, object_store_memory=STORE_BYTES)
        except Exception as error:
            if time.monotonic() > deadline:
                raise
            print(f"a node did not start ({error}): once more", file=sys.stderr)
            for late in set(psutil.Process().children(recursive=True)) - others:
                with suppress(psutil.NoSuchProcess):
                    late.kill()
        else:
            return


if __name__ == "__main__":
    _keep(int(sys.argv[1]))
