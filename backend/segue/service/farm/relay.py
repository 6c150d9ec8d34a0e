"""``python -m segue.service.farm.relay SETTINGS``: a render process whose work is done by an actor elsewhere.

It passes on bytes between its own pipes and those of the process that the actor keeps. Before it has an actor, it says
"alive", and "waits" where it found no machine for a while; "unfit" where there is no cluster. It ends when its stdin
does, or when the actor is lost; with it, whatever Ray does to programs that use it, and the actor, which is its own.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from concurrent.futures import Future
from io import BufferedIOBase
from typing import IO, Any, NoReturn

import ray
from ray.exceptions import RayError

from segue.clip.recipe import running_versions
from segue.errors import ResourceError, SegueError
from segue.service.farm import cluster
from segue.service.farm.farm import CONNECT_SECONDS, check_port
from segue.service.farm.pump import Pump
from segue.service.worker.frames import Frame, frame, own_streams, write_frame

_HOPE = 5.0  # seconds without a free machine, before the pool is told
_REMEDY = "start a node (ray start --address=...): it is used as soon as it has joined; then submit the job again"


class Relay:
    """The process."""

    def __init__(self, given: dict[str, Any], incoming: IO[bytes], outgoing: BufferedIOBase) -> None:
        """``given``: fields of a :class:`segue.service.farm.farm.FarmDevice`, its name, and the child's store."""
        self._given, self._outgoing = given, outgoing
        self._actor: Future[cluster.Actor] = Future()
        self._pump = Pump(incoming)
        self._since = time.monotonic()

    def run(self) -> NoReturn:
        """All of it."""
        self._pump.start()
        threading.Thread(target=self._feed, daemon=True).start()
        try:
            self._connect()
            actor, seat = self._begin()
        except SegueError as error:
            self._leave(f"unfit: {error}", frame("unfit", message=str(error)))
        place = f"{seat.kind} {seat.number} of the node {seat.address}"
        print(f"{self._given['name']} is {place}, {seat.cpus} threads", file=sys.stderr, flush=True)
        self._actor.set_result(actor)
        try:
            while block := ray.get(actor.read.remote()):
                self._write(block)
            end = ray.get(actor.ending.remote())
        except RayError as error:
            end = f"was lost with its node or actor ({cluster.told(error)})"
        self._leave(f"{place}: the process there {end}")

    def _connect(self) -> None:
        address = self._given["address"]
        late = threading.Timer(
            CONNECT_SECONDS, self._leave, (f"the Ray cluster at {address} did not answer in {CONNECT_SECONDS:g} s",)
        )
        late.daemon = True
        late.start()
        check_port(address)
        cluster.connect(address, self._given["farm"])
        late.cancel()

    def _begin(self) -> tuple[cluster.Actor, cluster.Seat]:
        """An actor whose process was begun.

        Raises:
            SegueError: the node is another than it should be.
        """
        render = self._given["render"]
        actor, seat = cluster.sit_down(self._given["number"], render["kind"], render["threads"], self._wait)
        about = {"device": {**render, "threads": max(1, seat.cpus)}, "store": self._given["store"]}
        try:
            refused = ray.get(actor.begin.remote(running_versions()["segue"], json.dumps(about)))
        except RayError as error:
            raise ResourceError(f"the node {seat.address} cannot render: {cluster.told(error)}") from error
        if refused:
            raise ResourceError(f"the node {seat.address} cannot render: {refused}")
        return actor, seat

    def _wait(self, why: str) -> None:
        if why and time.monotonic() - self._since > _HOPE:
            self._say(frame("waits", message=why, remedy=_REMEDY))
        else:
            self._say(frame("alive"))

    def _feed(self) -> None:
        """From the pool to the actor, on a thread of its own; ends the process when the pool is gone."""
        while block := self._pump.take():
            actor = self._actor.result()
            try:
                ray.get(actor.write.remote(block))
            except RayError:
                return  # who reads will say how it was lost
        os._exit(0)

    def _write(self, block: bytes) -> None:
        try:
            self._outgoing.write(block)
            self._outgoing.flush()
        except OSError:  # the pool is gone
            os._exit(0)

    def _say(self, said: Frame) -> None:
        try:
            write_frame(self._outgoing, said)
        except OSError:
            os._exit(0)

    def _leave(self, words: str, said: Frame | None = None) -> NoReturn:
        if said is not None:
            self._say(said)
        print(words, file=sys.stderr, flush=True)
        os._exit(1)  # an orderly end would wait for the cluster


if __name__ == "__main__":
    Relay(json.loads(sys.argv[1]), *own_streams()).run()
