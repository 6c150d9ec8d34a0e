"""Segue fills a gap in a track with music that fits.

``segue.fill(audio, rate, gap=(12.0, 14.0))`` on arrays, ``segue.fill_file("in.wav", "out.wav", gaps=["12.0:14.0"])`` on
files; likewise ``extend``, ``regenerate``, ``restyle``, ``transition``. ``segue.Renderer(bundle)`` keeps sessions warm;
``segue.Client()`` has the same verbs rendered by ``segue serve``, here or on another machine. What can go wrong is
drawn as a tree in :mod:`segue.errors`. Importing the package is quick: torch and onnxruntime load with the first verb
used, and never with a client and its settings.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from segue import errors

if TYPE_CHECKING:
    from segue.api import (
        Curve,
        FileResult,
        JoinPlan,
        JointSettings,
        Progress,
        Renderer,
        RenderSettings,
        Result,
        Style,
        extend,
        extend_file,
        fill,
        fill_file,
        plan_transition_file,
        regenerate,
        regenerate_file,
        rerun_file,
        restyle,
        restyle_file,
        transition,
        transition_file,
    )
    from segue.client import Client

__all__ = [
    "Client",
    "Curve",
    "FileResult",
    "JoinPlan",
    "JointSettings",
    "Progress",
    "RenderSettings",
    "Renderer",
    "Result",
    "Style",
    "errors",
    "extend",
    "extend_file",
    "fill",
    "fill_file",
    "plan_transition_file",
    "regenerate",
    "regenerate_file",
    "rerun_file",
    "restyle",
    "restyle_file",
    "transition",
    "transition_file",
]

_WITHOUT_TORCH = {
    "Client": "segue.client",
    "Curve": "segue.guidance.curve",
    "FileResult": "segue.render.settings",
    "JointSettings": "segue.joint.settings",
    "Progress": "segue.render.settings",
    "RenderSettings": "segue.render.settings",
    "Result": "segue.result",
    "Style": "segue.style.style",
}
"""Where the names lie that clients use too; the rest of the surface is :mod:`segue.api`."""


def __getattr__(name: str) -> Any:
    """Load the surface when it is first used."""
    if name not in __all__:
        raise AttributeError(f"module 'segue' has no attribute {name!r}")
    return getattr(importlib.import_module(_WITHOUT_TORCH.get(name, "segue.api")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
