"""What a job works on, made ready: the plan at 44.1 kHz, the song, its features. Kept between jobs, within bounds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from segue.clip.files import AudioFile
from segue.clip.span import Span
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom
from segue.recall.song import Song
from segue.render import jobs
from segue.render.renderer import Renderer
from segue.service.header import Header


@dataclass(frozen=True, eq=False)
class Material:
    """A render job, its ``files`` by role, their ``digests`` as the header has them, and the song of its plan."""

    job: jobs.Job
    files: Mapping[str, AudioFile]
    digests: Mapping[str, str]
    song: Song

    @property
    def songs(self) -> tuple[AudioFile, ...]:
        """The further files."""
        return tuple(file for role, file in self.files.items() if role.startswith("song"))

    @property
    def nbytes(self) -> int:
        """Bytes it holds now; features are added to a song as they are needed."""
        arrays = [self.job.plan.timeline, *self.job.plan.songs, *(file.samples for file in self.files.values())]
        arrays += [region.x_bar for region in self.job.plan.regions if region.x_bar is not None]
        arrays += [] if self.job.plan.sound is None else [self.job.plan.sound]
        for song in {self.song, self.song.units}:
            arrays += [value for value in vars(song).values() if isinstance(value, np.ndarray)]
        owners = {id(_owner(array)): _owner(array).nbytes for array in arrays}
        return sum(owners.values())


def _owner(array: np.ndarray) -> np.ndarray:
    return array if not isinstance(array.base, np.ndarray) else _owner(array.base)


Files = Mapping[str, AudioFile]
Songs = tuple[AudioFile, ...]


def prepare(header: Header, files: Files, renderer: Renderer) -> Material:
    """The material of a job, from its header and audio by role.

    Raises:
        InvalidRequest: what the job asks for cannot be done.
    """
    names = dict(zip(header["audio"], header["names"], strict=False))
    named = {role: replace(files[role], name=names.get(role, role)) for role in header["audio"]}
    songs = tuple(file for role, file in named.items() if role.startswith("song"))
    job = jobs.sounding_like(BUILDERS[header["task"]](header, named, songs), named.get("sound"))
    digests = {role: about["digest"] for role, about in header["audio"].items()}
    return Material(job, named, digests, renderer.song(job.plan))


def _infill(header: Header, files: Files, songs: Songs) -> jobs.Job:
    return jobs.infill(files["clip"], _gaps(header), songs)


def _regenerate(header: Header, files: Files, songs: Songs) -> jobs.Job:
    return jobs.regenerate(files["clip"], _gaps(header), _freedom(header), songs)


def _restyle(header: Header, files: Files, songs: Songs) -> jobs.Job:
    return jobs.restyle(files["clip"], _gaps(header), _freedom(header), songs)


def _continuation(header: Header, files: Files, songs: Songs) -> jobs.Job:
    return jobs.extend(files["clip"], header["added"], header["backward"], songs)


def _transition(header: Header, files: Files, songs: Songs) -> jobs.Job:
    return jobs.transition(files["clip"], files["other"], header["overlap"], _freedom(header), songs)


BUILDERS: Mapping[str, Callable[[Header, Files, Songs], jobs.Job]] = {
    "infill": _infill,
    "regenerate": _regenerate,
    "continuation": _continuation,
    "transition": _transition,
    "restyle": _restyle,
}
"""How each task of :data:`segue.service.jobs.TASK_USES` becomes a render job."""


def _gaps(header: Header) -> tuple[Span, ...]:
    return tuple(Span(start, stop) for start, stop in header["gaps"])


def _freedom(header: Header) -> Freedom:
    return Freedom(Curve(tuple((t, v) for t, v in header["curves"]["freedom"])))


class MaterialCache:
    """Materials by key, at most ``limit`` bytes of them after each :meth:`trim`; the one used last stays longest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[str, ...], Material] = OrderedDict()

    def get(self, key: tuple[str, ...]) -> Material | None:
        """What is kept under a key."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def file(self, digest: str) -> AudioFile | None:
        """Audio that some material holds: a song whose gap has moved need not be sent again."""
        for material in self._kept.values():
            for role, held in material.digests.items():
                if held == digest:
                    return material.files[role]
        return None

    def put(self, key: tuple[str, ...], material: Material) -> None:
        """Keep it, at least until the next :meth:`trim`."""
        self._kept[key] = material
        self.trim()

    def trim(self) -> None:
        """Drop what was not used longest, until the rest is within the limit."""
        total = sum(material.nbytes for material in self._kept.values())
        while self._kept and total > self._limit:
            _, dropped = self._kept.popitem(last=False)
            total -= dropped.nbytes

    def clear(self) -> None:
        """Drop everything."""
        self._kept.clear()
