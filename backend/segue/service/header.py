"""A job as JSON without its audio, and the names made from it: of the material it works on, and of the request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from segue.clip.clip import Clip
from segue.guidance.curve import Curve
from segue.render.settings import RenderSettings
from segue.service.jobs import TASK_USES, Job
from segue.service.style import CURVES, style_of
from segue.style.preset import preset_text
from segue.style.resolve import freedom_for
from segue.tasks.regenerate import PAPER_K
from segue_protocol.streams import Shape, stream_digest

Header = dict[str, Any]

_SETTINGS = TypeAdapter(RenderSettings)


@dataclass(frozen=True)
class Identity:
    """What renders: a bundle by digest, the class of device, the versions; the same three give the same samples."""

    bundle: str
    bundle_digest: str
    device: str
    versions: dict[str, str]


def digest_of(clip: Clip) -> str:
    """The digest by which clients name audio too; the interpreter is free for others meanwhile."""
    payload = np.ascontiguousarray(clip.samples, "<f4").data.cast("B")
    return stream_digest(clip.rate, Shape(clip.channels, clip.length), payload)


def digests_of(job: Job) -> dict[str, str]:
    """Digests of a job's audio by role."""
    return {role: job.digests.get(role) or digest_of(clip) for role, clip in job.audio.items()}


def describe(job: Job, digests: dict[str, str]) -> Header:
    """All of a job that decides its result; audio by digest, rate and shape, a preset by its text.

    Raises:
        InvalidRequest: there is no such preset here.
    """
    return {
        "task": job.task,
        "audio": {
            role: {"digest": digests[role], "rate": clip.rate, "shape": list(clip.samples.shape)}
            for role, clip in job.audio.items()
        },
        "gaps": [[gap.start, gap.stop] for gap in job.gaps],
        "added": job.added,
        "backward": job.backward,
        "overlap": job.overlap,
        "curves": _points({"freedom": _freedom(job)} if "freedom" in TASK_USES[job.task].curves else {}),
        "names": list(job.names),
        "style": {
            "preset": job.preset,
            "text": None if job.preset is None else preset_text(job.preset),
            "prompt": job.prompt,
            "curves": _points({name: curve for name, curve in job.curves.items() if name in CURVES}),
        },
        "settings": _settings(job.settings),
    }


def _points(curves: Mapping[str, Curve]) -> dict[str, Any]:
    return {name: [list(point) for point in curve.points] for name, curve in curves.items()}


def _freedom(job: Job) -> Curve:
    """The job's own, else the preset's: part of what it works on, as the style otherwise is not."""
    return freedom_for(style_of(job.preset, None, (), job.curves), job.curves.get("freedom"), PAPER_K)


def _settings(settings: RenderSettings) -> Any:
    plain = _SETTINGS.dump_python(settings, mode="json")
    if isinstance(settings.bundle, Path):  # a path stays one: a bare name would be looked up elsewhere
        plain["bundle"] = str(settings.bundle.absolute())
    return plain


def settings_of(header: Header) -> RenderSettings:
    """The settings inside a header."""
    return _SETTINGS.validate_python(header["settings"])


def material_key(header: Header) -> str:
    """Names what a job works on: all but its settings and its style."""
    return _digest({name: value for name, value in header.items() if name not in ("settings", "style")})


def request_key(header: Header, identity: Identity) -> str:
    """Names a request and who would answer it: the store remembers which recipe it led to."""
    return _digest({**header, "identity": vars(identity)})


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()
