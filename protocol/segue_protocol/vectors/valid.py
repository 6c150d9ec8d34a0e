"""Valid messages: each type with all its fields and with as few as it allows, and odd but allowed encodings."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import msgpack  # type: ignore[import-untyped]

from segue_protocol import limits
from segue_protocol import messages as m
from segue_protocol.codec import pack
from segue_protocol.messages import Sender
from segue_protocol.vectors.vector import CLIENT_NONCE, RENDERER_NONCE, Vector, plain

AUDIO = struct.pack("<6f", 0.0, 0.5, -1.0, 1.0, -0.25, 2.0**-149)
REPORT = b'{"task":"infill","gaps":[]}'
JOB: dict[str, Any] = {"job": "job-1", "generation": 7}
BUNDLE = m.Bundle(name="embedded", version="0.1.0", kind="latent", commercial=True)
LIMITS = m.Limits(
    max_job_bytes=1 << 30,
    max_seconds=3600.0,
    max_jobs=8,
    max_chunk_bytes=limits.MAX_PAYLOAD_BYTES,
    max_steps=1000,
    max_candidates=16,
    credits=16,
)
TRACK = m.Stream(role="track", name="Guitar", rate=44_100, channels=2, samples=441_000)
SUBMIT = m.Submit(**JOB, task="infill", settings=m.Settings(), streams=(TRACK,), gaps=((88_200, 132_300),), credits=16)


def messages() -> Iterator[tuple[str, str, m.Message, bytes]]:
    """(name, what it shows, message, payload)."""
    yield from _handshake()
    yield from _jobs()
    yield from _answers()
    yield from _finals()
    yield from _around()


def _handshake() -> Iterator[tuple[str, str, m.Message, bytes]]:
    yield "hello", "opens a session", m.Hello(nonce=CLIENT_NONCE, client="Segue plug-in 0.1.0"), b""
    lists: dict[str, Any] = {
        "tasks": ("infill", "continuation"),
        "samplers": ("ddpm", "ding"),
        "presets": ("warm tape",),
    }
    both: dict[str, Any] = {
        "nonce": RENDERER_NONCE,
        "client_nonce": CLIENT_NONCE,
        "renderer": "0.1.0",
        "limits": LIMITS,
    }
    yield "welcome", "answers HELLO", m.Welcome(**both, **lists, bundles=(BUNDLE,)), b""
    empty: dict[str, Any] = {"tasks": (), "samplers": (), "presets": (), "bundles": ()}
    yield "welcome-empty", "a renderer that can do nothing", m.Welcome(**both, **empty), b""
    newer = m.Hello(protocol="1.9", nonce=CLIENT_NONCE, client="")
    yield "hello-newer-minor", "a newer minor version is welcome", newer, b""


def _jobs() -> Iterator[tuple[str, str, m.Message, bytes]]:
    yield "submit-infill", "the least an infill says", SUBMIT, b""
    settings = m.Settings(
        seed=limits.MAX_SEED,
        candidates=16,
        steps=1000,
        sampler="ding",
        method="regenerated splice",
        bundle="embedded",
        preset="warm tape",
        prompt="drums, brushed – 90 bpm ♪",
    )
    marked = TRACK.model_copy(update={"digest": "0f" * 32, "marks": (m.Mark(kind="nonfinite", start=3, stop=9),)})
    song = m.Stream(role="song", name="Ensayo 2, mañana", rate=768_000, channels=1, samples=limits.MAX_SAMPLES)
    curves = (
        m.Curve(name="freedom", points=((0.0, 0.25), (2.0, 0.25), (2.0, 1.0))),
        m.Curve(name="guidance", points=((0.5, 3e-2),)),
        m.Curve(name="style", points=((-1.5, 1.0), (1e-9, -0.0))),
    )
    full = m.Submit(
        **JOB,
        task="regenerate",
        settings=settings,
        streams=(song, marked),
        gaps=((0, 1), (10, 20), (400_000, 441_000)),
        curves=curves,
        deadline=90.5,
        credits=0,
    )
    yield "submit-regenerate", "several gaps, all settings, curves, a song to recall from, a flagged span", full, b""
    longer = SUBMIT.model_copy(update={"task": "continuation", "gaps": (), "added": 44_100, "backward": True})
    yield "submit-continuation", "backwards", longer, b""
    right = m.Stream(role="right", name="B", rate=44_100, channels=2, samples=100_000)
    joined = {"task": "transition", "gaps": (), "overlap": 110_250, "streams": (TRACK, right)}
    yield "submit-transition", "two tracks", SUBMIT.model_copy(update=joined), b""
    chunk = m.Chunk(**JOB, stream=0, offset=131_072, samples=3, channels=2)
    yield "chunk", "three samples of two channels", chunk, AUDIO
    last = m.Chunk(**JOB, stream=(1 << 32) - 1, offset=limits.MAX_COUNT, samples=1, channels=1)
    yield "chunk-largest-numbers", "one sample, at the largest offset", last, AUDIO[:4]
    yield "credit", "16 more chunks", m.Credit(**JOB, chunks=16), b""
    yield "cancel", "stop the job", m.Cancel(**JOB), b""


def _answers() -> Iterator[tuple[str, str, m.Message, bytes]]:
    yield "accepted", "both streams wanted", m.Accepted(**JOB, credits=16, needs=(0, 1), waiting=2), b""
    yield "accepted-known", "all audio is there already", m.Accepted(**JOB, credits=0, needs=(), waiting=0), b""
    yield "busy", "come again", m.Busy(**JOB, retry_after=2.5, message="8 jobs wait"), b""
    halfway = m.Progress(**JOB, stage="sample", step=12, steps=25, fraction=0.5, seconds_left=4.25, message="gap 1")
    yield "progress", "halfway", halfway, b""
    begun = m.Progress(**JOB, stage="recall", step=0, steps=1, fraction=0.0)
    yield "progress-unknown", "time left not known yet", begun, b""
    patches = (m.Patch(stream=0, gap=0, start=88_200, samples=44_100), m.Patch(stream=1, gap=1, start=-10, samples=10))
    take: dict[str, Any] = {"method": "regenerated splice", "rate": 44_100, "channels": 2}
    shown: dict[str, Any] = {"how": "switched 0.41 s in", "score": -1.5, "seed": 3}
    taken = m.Candidate(**JOB, candidate=2, rank=1, patches=patches, **take, **shown)
    yield "candidate", "two gaps", taken, b""
    yield "candidate-least", "no score yet", m.Candidate(**JOB, candidate=0, rank=1, patches=patches[:1], **take), b""
    yield "recipe", "to be kept byte for byte", m.CandidateRecipe(**JOB, candidate=2, bytes=len(REPORT)), REPORT


def _finals() -> Iterator[tuple[str, str, m.Message, bytes]]:
    result = m.Result(**JOB, ranking=(2, 0), stored=False, bytes=len(REPORT))
    yield "result", "two candidates, best first", result, REPORT
    failed = m.Failed(**JOB, code="NONFINITE", message="step 3", remedy="try another seed")
    yield "failed", "why, and what to do", failed, b""
    yield "failed-new-code", "a code this version does not know", failed.model_copy(update={"code": "NEW_CODE"}), b""
    yield "cancelled", "as asked", m.Cancelled(**JOB, message="stopped at step 3 of 25"), b""
    yield "timeout", "too late", m.Timeout(**JOB, message="90 s passed", remedy="give a later deadline"), b""


def _around() -> Iterator[tuple[str, str, m.Message, bytes]]:
    error: dict[str, Any] = {"message": "expected a seal, got 1 frame", "remedy": "update the client"}
    yield "error", "about no job", m.Error(code="MALFORMED", **error), b""
    yield "error-job", "about a job", m.Error(code="INVALID", job="job-1", **error), b""
    yield "error-hello", "refuses a HELLO", m.Error(code="VERSION", nonce=CLIENT_NONCE, **error), b""
    yield "ping", "alive?", m.Ping(token=limits.MAX_COUNT), b""
    yield "pong", "alive", m.Pong(token=0), b""
    yield "status", "asks", m.Status(), b""
    device = m.Device(name="cuda:0", kind="cuda", state="busy", memory_used=1 << 33, memory_total=1 << 37)
    job = m.JobStatus(job="job-1", client="plug-in", task="infill", state="running", fraction=0.25)
    known: dict[str, Any] = {"renderer": "0.1.0", "uptime": 12.5, "max_jobs": 8}
    cpu = m.Device(name="cpu", kind="cpu", state="idle")
    full = m.StatusReply(**known, waiting=1, clients=2, devices=(device, cpu), jobs=(job,), bundles=(BUNDLE,))
    yield "status-reply", "at work", full, b""
    idle = m.StatusReply(**known, waiting=0, clients=0, devices=(), jobs=(), bundles=())
    yield "status-reply-idle", "nothing to do", idle, b""
    yield "goodbye", "leaves", m.Goodbye(reason="the session was closed"), b""


def odd() -> Iterator[tuple[str, str, Sender, list[bytes], str]]:
    """Allowed, but not as our packers write it: (name, what it shows, sender, frames, type)."""
    client = Sender.CLIENT
    ping = {"type": "PING", "token": 5}
    yield "odd-unknown-field", "ignored", client, [msgpack.packb({**ping, "mood": [1, {"a": None}]})], "PING"
    yield "odd-order", "fields in another order", client, [msgpack.packb(dict(reversed(ping.items())))], "PING"
    wide = b"\x82" + msgpack.packb("token") + b"\xcf" + (5).to_bytes(8, "big") + b"\xa4type\xdb\0\0\0\x04PING"
    yield "odd-wide", "numbers and strings longer than need be", client, [wide], "PING"
    nil = {"type": "GOODBYE", "reason": "x", "job": None}
    yield "odd-nil", "an unknown field that is nil", client, [msgpack.packb(nil)], "GOODBYE"
    busy = {"type": "BUSY", **JOB, "retry_after": 2, "message": ""}
    yield "odd-whole-seconds", "a whole number for seconds", Sender.RENDERER, [msgpack.packb(busy)], "BUSY"
    single = {**busy, "retry_after": 2.5}
    short = msgpack.packb(single, use_single_float=True)
    yield "odd-single", "a float of 32 bits", Sender.RENDERER, [short], "BUSY"
    optional = {"type": "PROGRESS", **JOB, "stage": "seam", "step": 0, "steps": 1, "fraction": 0.5}
    null = msgpack.packb({**optional, "seconds_left": None})
    yield "odd-nil-field", "nil for a field that may be left out", Sender.RENDERER, [null], "PROGRESS"
    deep = {**ping, "deep": [[[[[[[]]]]]]]}
    yield "odd-depth-8", "as deep as allowed", client, [msgpack.packb(deep)], "PING"
    longest = msgpack.packb({**ping, "pad": "x" * (limits.MAX_HEADER_BYTES - 25)})
    yield "odd-longest", "a header of exactly 64 KiB", client, [longest], "PING"


def vectors() -> Iterator[Vector]:
    """All valid ones."""
    for name, about, message, payload in messages():
        sender = Sender.CLIENT if Sender.CLIENT in message.SENDER else Sender.RENDERER
        yield Vector(name, about, sender, plain(pack(message, payload)), type=message.TYPE, canonical=True)
    for name, about, sender, frames, kind in odd():
        yield Vector(name, about, sender, tuple(frames), type=kind)
