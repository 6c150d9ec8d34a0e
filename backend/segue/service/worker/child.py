"""The render process: ``python -m segue.service.worker.child SETTINGS``, frames on stdin and stdout.

It hears "render" (a job's header), "audio" (what it said it needs), "kept" (whether the pool has the result it seeks)
and "stop"; it says "ready" once, "opened" for each further bundle, "begun", "needs", "seeks" (where it cannot open the
store), the events of a job, "stopped" where it was told to stop, and "alive" twice a second. It ends when its stdin
does: no render outlives its pool.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import queue
import sys
import threading
import traceback
from collections import OrderedDict
from dataclasses import asdict, dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any, Literal

from segue.clip.clip import Clip
from segue.clip.files import AudioFile
from segue.clip.recipe import running_versions
from segue.errors import Cancelled, SegueError
from segue.prior.runtime import SessionSettings
from segue.render.renderer import Renderer
from segue.service.events import Event, Failed
from segue.service.header import Header, Identity, material_key, request_key, settings_of
from segue.service.settings import DeviceSettings, StorePlace
from segue.service.style import style_in
from segue.service.worker.frames import Frame, NoRoom, frame, own_streams, read_frame, write_frame
from segue.service.worker.material import Material, MaterialCache, prepare
from segue.service.worker.messages import to_frame
from segue.service.worker.render import Audition, Request, answer
from segue.service.worker.shelf import AskedShelf, OpenShelf, Shelf
from segue_protocol.errors import Code

ALIVE_SECONDS = 0.5
BUNDLES = 2
"""Kept open at once."""

_NO_MEMORY = ("allocate memory", "out of memory", "failed to allocate", "bad_alloc", "bad allocation")
_log = logging.getLogger(__name__)


def is_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python's error, or what torch and ONNX Runtime say instead of it."""
    if isinstance(error, SegueError):  # our own words may quote a limit; what they were raised from tells
        return error.__cause__ is not None and is_memory(error.__cause__)
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _NO_MEMORY)


class Pipe:
    """Both directions; writes from several threads, reads on a thread of its own."""

    def __init__(self, incoming: BufferedIOBase, outgoing: BufferedIOBase) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._lock = threading.Lock()
        self._stopped: set[str] = set()
        self.jobs: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[Frame] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin to read, and to say that the process is alive."""
        for work in (self._read, self._stay_alive):
            threading.Thread(target=work, daemon=True).start()

    def say(self, sent: Frame) -> None:
        """Send; where the pool is gone the process ends."""
        try:
            with self._lock:
                write_frame(self._outgoing, sent)
        except OSError:
            os._exit(0)

    def is_stopped(self, job: str) -> bool:
        """Whether the pool asked for a job to stop."""
        return job in self._stopped

    def forget(self, job: str) -> None:
        """A job has ended."""
        self._stopped.discard(job)

    def _read(self) -> None:
        try:
            self._read_all()
        except BaseException:
            traceback.print_exc()
            os._exit(1)  # without this thread the process would wait forever

    def _read_all(self) -> None:
        while True:
            try:
                received = read_frame(self._incoming)
            except NoRoom as error:
                received = Frame(error.header | {"room": False})
            except (OSError, EOFError):
                received = None
            if received is None:
                os._exit(0)  # threads of torch and ONNX Runtime would hold up an orderly end
            elif received.say == "stop":
                self._stopped.add(received.header["job"])
            else:
                (self.jobs if received.say == "render" else self.answers).put(received)

    def _stay_alive(self) -> None:
        pause = threading.Event()
        while not pause.wait(ALIVE_SECONDS):
            self.say(frame("alive"))


@dataclass(frozen=True)
class _Bench:
    """A bundle, open, and who it makes this process."""

    renderer: Renderer
    identity: Identity


class Child:
    """Renders jobs, one after the other."""

    def __init__(self, settings: DeviceSettings, store: StorePlace | Literal["asked"] | None, pipe: Pipe) -> None:
        """``store``: opened here, asked for through the pipe, or none."""
        self._settings, self._store, self._pipe = settings, store, pipe
        self._session = SessionSettings(settings.kind, settings.threads, settings.index)
        self._benches: OrderedDict[str | None, _Bench] = OrderedDict()
        self._materials = MaterialCache(settings.cache_mb << 20)

    def run(self) -> None:
        """Load, then work until the process ends."""
        try:
            self._open(None).renderer.load()
        except (SegueError, OSError, MemoryError) as error:
            self._pipe.say(frame("unfit", message=f"{type(error).__name__}: {error}"))
            return
        self._pipe.say(frame("ready"))
        while True:
            received = self._pipe.jobs.get()
            job = received.header["job"]
            self._pipe.say(frame("begun", job=job))
            final = self._finish(job, received.header["header"])
            self._pipe.say(frame("stopped", job=job) if final is None else to_frame(final, job))
            self._pipe.forget(job)
            self._materials.trim()

    def _finish(self, job: str, header: Header) -> Event | None:
        """The final event of a job, None where it was stopped."""
        audition = Audition(lambda event: self._pipe.say(to_frame(event, job)))
        try:
            try:
                return self._answer(job, header, audition, sparing=False)
            except Exception as error:
                if not is_memory(error):
                    raise
                _log.warning("out of memory: once more, with nothing else kept and one item at a time")
            self._materials.clear()
            gc.collect()
            return self._answer(job, header, audition, sparing=True)
        except Cancelled:
            return None
        except Exception as error:
            return _failure(error)

    def _answer(self, job: str, header: Header, audition: Audition, *, sparing: bool) -> Event:
        settings = settings_of(header)
        bench = self._open(header["settings"]["bundle"])
        material = self._material(job, header, bench)
        style = style_in(header, material.files)
        request = Request(material, settings, request_key(header, bench.identity), style)
        renderer = bench.renderer.one_by_one() if sparing else bench.renderer
        return answer(request, renderer, self._shelf(job), audition, lambda: self._pipe.is_stopped(job))

    def _shelf(self, job: str) -> Shelf:
        if self._store != "asked":
            return OpenShelf(self._store)

        def ask(key: str, request: str) -> bool:
            self._pipe.say(frame("seeks", job=job, key=key, request=request))
            return bool(self._pipe.answers.get().header["found"])

        return AskedShelf(ask)

    def _material(self, job: str, header: Header, bench: _Bench) -> Material:
        key = (material_key(header), bench.identity.bundle_digest)
        material = self._materials.get(key)
        if material is None:
            material = prepare(header, self._files(job, header), bench.renderer)
            self._materials.put(key, material)
        return material

    def _files(self, job: str, header: Header) -> dict[str, AudioFile]:
        """The job's audio by role, what is not at hand asked for."""
        held = {role: self._materials.file(about["digest"]) for role, about in header["audio"].items()}
        files = {role: file for role, file in held.items() if file is not None}
        if missing := [role for role in held if role not in files]:
            self._pipe.say(frame("needs", job=job, roles=missing))
            received = self._pipe.answers.get()
            if not received.header.get("room", True):
                raise MemoryError("no memory for the job's audio")
            for role, samples in zip(missing, received.arrays, strict=True):
                files[role] = AudioFile.of(Clip(samples, header["audio"][role]["rate"]), role)
        return files

    def _open(self, bundle: str | None) -> _Bench:
        """A bundle by the name jobs give it; None is the device's own, which stays open."""
        if bundle in self._benches:
            self._benches.move_to_end(bundle)
            return self._benches[bundle]
        renderer = Renderer(bundle or self._settings.bundle, self._session)
        named = renderer.bundle
        identity = Identity(named.manifest.name, named.digest, renderer.device, running_versions())
        bench = self._benches[bundle] = _Bench(renderer, identity)
        others = [name for name in self._benches if name is not None]
        if len(others) >= BUNDLES:
            del self._benches[others[0]]
        self._pipe.say(frame("opened", bundle=bundle, identity=asdict(identity)))
        return bench


def _failure(error: Exception) -> Failed:
    if is_memory(error):
        return Failed.of(Code.RESOURCE, f"memory ran out, also with one item at a time and nothing else kept: {error}")
    failed = Failed.by(error)
    if failed.code is Code.INTERNAL:
        _log.exception("a defect", exc_info=error)
    return failed


def _limit_memory(settings: DeviceSettings) -> None:
    if settings.address_space_mb is None:
        return
    import resource  # noqa: PLC0415  absent on Windows

    limit = settings.address_space_mb << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main(text: str) -> int:
    """The process; ``text``: JSON of the device's settings, and the store's folder and limit, "asked" or null."""
    given: dict[str, Any] = json.loads(text)
    settings = DeviceSettings(**given["device"])
    if settings.threads is not None:
        import torch  # noqa: PLC0415  imported by now; named here for what it is used for

        torch.set_num_threads(settings.threads)
    _limit_memory(settings)
    pipe = Pipe(*own_streams())
    pipe.start()
    store = given["store"]
    Child(settings, (Path(store["folder"]), store["limit"]) if isinstance(store, dict) else store, pipe).run()
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
