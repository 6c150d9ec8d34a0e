"""Between what travels (:mod:`segue_protocol`) and what is rendered (:class:`Job`): both directions, no sockets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from segue.clip.clip import Clip
from segue.clip.gaps import check_gaps
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.render.settings import RenderSettings
from segue.service.header import digest_of
from segue.service.jobs import TASK_USES, Job
from segue.style.preset import is_preset_name, load_preset
from segue_protocol import limits, messages
from segue_protocol.codec import Frame
from segue_protocol.errors import Code, ProtocolError

Audio = Float32[np.ndarray, "_channels _samples"]

EMBEDDED = "embedded"
"""What messages call the bundle inside the package."""

_ROLES = ("track", "right", "song", "sound", "reference")
"""Of streams, in the order of :attr:`Job.audio`."""

_TO_WIRE = {"clip": "track", "other": "right"}
_WORTH_A_DIGEST = 1 << 20  # bytes


def submit_of(job: Job, name: str, credits_: int, *, digests: bool = True) -> messages.Submit:
    """A job as SUBMIT; its streams are ``job.audio`` in order. ``name``: the id of the job in its session.

    ``digests``: name audio by digest too, so that the renderer may keep it and need not be sent it again.

    Raises:
        InvalidRequest: the bundle is given by path, which has no meaning on the renderer's machine.
    """
    names = job.names or ("clip",) * len(job.audio)
    streams = tuple(
        messages.Stream(
            role=_TO_WIRE.get(role, role.rstrip("0123456789")),
            name=own,
            rate=clip.rate,
            channels=clip.channels,
            samples=clip.length,
            digest=_digest(clip) if digests else None,
        )
        for own, (role, clip) in zip(names, job.audio.items(), strict=True)
    )
    return messages.Submit(
        job=name,
        generation=job.generation,
        task=job.task,
        settings=_settings_to_wire(job),
        streams=streams,
        gaps=tuple((gap.start, gap.stop) for gap in job.gaps),
        added=job.added or None,
        backward=job.backward,
        overlap=job.overlap or None,
        curves=tuple(messages.Curve(name=key, points=curve.points) for key, curve in job.curves.items()),
        deadline=job.deadline,
        credits=credits_,
    )


def _digest(clip: Clip) -> str | None:
    """Lets the renderer use what it was sent before; None where it would cost a copy of the audio, or saves little."""
    samples = clip.samples
    if samples.nbytes < _WORTH_A_DIGEST or not samples.flags.c_contiguous or samples.dtype != np.dtype("<f4"):
        return None
    return digest_of(clip)


def _settings_to_wire(job: Job) -> messages.Settings:
    settings = job.settings
    if settings.bundle is not None and not isinstance(settings.bundle, str):
        raise InvalidRequest(
            f"expected a bundle by a name the renderer lists, got the path {settings.bundle}: put it into the bundles "
            "folder of the renderer's machine"
        )
    return messages.Settings(
        seed=settings.seed,
        candidates=settings.candidates,
        steps=settings.steps,
        sampler=settings.sampler,
        method=settings.method,
        bundle=settings.bundle,
        preset=job.preset,
        prompt=job.prompt,
    )


@dataclass(frozen=True, eq=False)
class Incoming:
    """A job whose audio is still to come: ``rooms`` for it by stream, ``needs``: numbers of the streams to be sent.

    ``roles``: what the job calls each stream.
    """

    job: Job
    rooms: tuple[Audio, ...]
    needs: tuple[int, ...]
    roles: tuple[str, ...]


def incoming(
    submit: messages.Submit,
    bundles: Callable[[str], str | None],
    known: Callable[[messages.Stream], Audio | None] = lambda _: None,
) -> Incoming:
    """The job of a SUBMIT; all but the values of its audio is checked.

    ``bundles`` tells what jobs call a bundle that a client names, ``known`` which audio is there already. Room for
    audio is asked from the system but not touched: it costs nothing until chunks arrive.

    Raises:
        InvalidRequest, BundleRejected: what was asked cannot be done. ProtocolError: UNSUPPORTED. MemoryError: no room.
    """
    _check_supported(submit)
    numbers: dict[str, list[int]] = {role: [] for role in _ROLES}
    for number, stream in enumerate(submit.streams):
        numbers[stream.role].append(number)
    for role, what in (("right", "right track"), ("sound", "song to take the sound from")):
        if len(numbers[role]) > 1:
            raise InvalidRequest(f"expected one {what} at most, got {len(numbers[role])}")
    settings = _settings_from_wire(submit.settings, bundles)
    found = [known(stream) for stream in submit.streams]
    rooms = tuple(
        np.empty((stream.channels, stream.samples), np.float32) if one is None else one
        for stream, one in zip(submit.streams, found, strict=True)
    )
    clips = [Clip(room, stream.rate) for room, stream in zip(rooms, submit.streams, strict=True)]
    order = [number for same in numbers.values() for number in same]
    roles = ["clip", *["other"] * len(numbers["right"]), *(f"song{n}" for n in range(len(numbers["song"])))]
    roles += [*["sound"] * len(numbers["sound"]), *(f"reference{n}" for n in range(len(numbers["reference"])))]
    by_number = dict(zip(order, roles, strict=True))
    _check_preset(submit.settings.preset)
    digests = {by_number[n]: submit.streams[n].digest for n, one in enumerate(found) if one is not None}
    job = Job(
        task=submit.task,
        clip=clips[order[0]],
        settings=settings,
        gaps=tuple(Span(start, stop) for start, stop in submit.gaps),
        other=clips[numbers["right"][0]] if numbers["right"] else None,
        songs=tuple(clips[number] for number in numbers["song"]),
        sound=clips[numbers["sound"][0]] if numbers["sound"] else None,
        added=submit.added or 0,
        backward=submit.backward,
        overlap=submit.overlap or 0,
        curves={curve.name: Curve(curve.points) for curve in submit.curves},
        preset=submit.settings.preset,
        prompt=submit.settings.prompt,
        references=tuple(clips[number] for number in numbers["reference"]),
        names=tuple(submit.streams[number].name for number in order),
        digests={role: digest for role, digest in digests.items() if digest is not None},
        generation=submit.generation,
    )
    needs = tuple(number for number, one in enumerate(found) if one is None)
    return Incoming(job, rooms, needs, tuple(by_number[number] for number in range(len(order))))


def _check_preset(name: str | None) -> None:
    """Read a preset; the audio it is to sound like is for :func:`segue.service.jobs.complete`.

    Raises:
        InvalidRequest: no such preset, or a faulty one.
    """
    if name is None:
        return
    if not is_preset_name(name):  # a path would be looked up anywhere
        raise InvalidRequest(f"expected a preset by a name of WELCOME's, got {name!r}")
    load_preset(name)


def _check_supported(submit: messages.Submit) -> None:
    for what, known, given in (
        ("task", set(TASK_USES), {submit.task}),
        ("role of a stream", set(_ROLES), {stream.role for stream in submit.streams}),
    ):
        if unknown := given - known:
            expected, got = ", ".join(sorted(known)), ", ".join(sorted(unknown))
            raise ProtocolError(Code.UNSUPPORTED, f"expected as {what} one of {expected}, got {got}", job=submit.job)


def _settings_from_wire(settings: messages.Settings, bundles: Callable[[str], str | None]) -> RenderSettings:
    return RenderSettings(
        seed=settings.seed,
        steps=settings.steps,
        sampler=settings.sampler,
        candidates=settings.candidates,
        bundle=None if settings.bundle is None else bundles(settings.bundle),
        method=settings.method,
    )


def starts_of(job: Job) -> tuple[int, ...]:
    """Where the gaps of a job begin, in samples from the track's first one, in order of time."""
    if job.task == "continuation":
        return (-job.added,) if job.backward else (job.clip.length,)
    if job.task == "transition":
        return (job.clip.length - job.overlap,)
    return tuple(gap.start for gap in check_gaps(job.gaps, job.clip.length, elsewhere=True))


def assemble(job: Job, patches: Sequence[Audio]) -> Audio:
    """The output: the track, behind it the rest of the right one, and in each gap its patch, in order of time.

    Raises:
        ValueError: not one patch for each gap.
    """
    pieces = [(0, job.clip.samples), *zip(starts_of(job), patches, strict=True)]
    if job.other is not None:
        pieces.append((job.clip.length, job.other.samples[:, job.overlap :]))
    first = min(start for start, _ in pieces)
    length = max(start + piece.shape[1] for start, piece in pieces) - first
    out = np.empty((job.clip.channels, length), np.float32)
    for start, piece in pieces:  # patches come after the track, whose place they take
        out[:, start - first : start - first + piece.shape[1]] = piece
    return out


def chunk_of(audio: Audio, offset: int, samples: int) -> memoryview:
    """The payload of a CHUNK: float32, little-endian, channel after channel."""
    return np.ascontiguousarray(audio[:, offset : offset + samples], "<f4").data.cast("B")


def put_chunk(room: Audio, chunk: messages.Chunk, payload: Frame) -> None:
    """Write a CHUNK that an Intake has let through to its place.

    Raises:
        ProtocolError: NONFINITE.
    """
    samples = np.frombuffer(payload, "<f4").reshape(chunk.channels, chunk.samples)
    if not np.isfinite(samples).all():
        raise ProtocolError(
            Code.NONFINITE,
            f"expected finite samples, got NaN or Inf in stream {chunk.stream} after sample {chunk.offset}",
            "repair the track, or send zeros and mark the span",
            job=chunk.job,
        )
    room[:, chunk.offset : chunk.offset + chunk.samples] = samples


def fit(text: str, most: int = 2048) -> str:
    """At most ``most`` bytes of UTF-8, the end marked where it was cut."""
    raw = text.encode()
    return text if len(raw) <= most else raw[: most - 3].decode(errors="ignore") + "…"


def report_text(report: Mapping[str, object]) -> bytes:
    """A report as JSON that fits one message; of too long a one, each gap's first candidate and a note."""
    text = json.dumps(report, allow_nan=False).encode()
    if len(text) <= limits.MAX_PAYLOAD_BYTES:
        return text
    gaps = report.get("gaps")
    short = [{**gap, "candidates": gap["candidates"][:1]} for gap in gaps] if isinstance(gaps, list) else []
    note = f"the report of {len(text)} bytes was shortened to the best candidate of each gap"
    text = json.dumps({**report, "gaps": short, "note": note}, allow_nan=False).encode()
    return text if len(text) <= limits.MAX_PAYLOAD_BYTES else json.dumps({"note": note, "gaps": []}).encode()
