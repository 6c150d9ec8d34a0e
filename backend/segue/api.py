"""The Python surface: the verbs on arrays and on files, and the renderer that keeps sessions warm."""

from segue.arrays import extend, fill, regenerate, restyle, transition
from segue.files import (
    extend_file,
    fill_file,
    plan_transition_file,
    regenerate_file,
    rerun_file,
    restyle_file,
    transition_file,
)
from segue.guidance.curve import Curve
from segue.joint.plan import JoinPlan
from segue.joint.settings import JointSettings
from segue.render.renderer import Renderer
from segue.render.settings import FileResult, Progress, RenderSettings
from segue.result import Result
from segue.style.style import Style

__all__ = [
    "Curve",
    "FileResult",
    "JoinPlan",
    "JointSettings",
    "Progress",
    "RenderSettings",
    "Renderer",
    "Result",
    "Style",
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
