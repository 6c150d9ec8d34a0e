"""ONNX Runtime sessions: how one is made from checked bytes. Imports no torch, so that the quarantine can use it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import onnxruntime as ort

from segue.errors import BundleRejected, InvalidRequest, ResourceError

Device = Literal["cpu", "cuda"]

_CUDA = {"use_tf32": "0", "cudnn_conv_algo_search": "DEFAULT"}
"""As exact as on a CPU (TF32 keeps 10 bits of a mantissa), and the same algorithms each time, not the fastest tried."""

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


@dataclass(frozen=True)
class SessionSettings:
    """Where graphs run: ``device`` and its index; ``threads`` within an operator (None: one for each physical core)."""

    device: Device = "cpu"
    threads: int | None = None
    index: int = 0

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise InvalidRequest(f"threads must be at least 1, or None for all cores, got {self.threads}")


@dataclass(frozen=True)
class Graph:
    """A graph as it was checked: the very bytes, and the folder its weights lie in.

    Sessions are made from these bytes and not from the file, so that nobody can swap it after the check.
    """

    name: str
    model: bytes
    folder: Path


def open_session(graph: Graph, settings: SessionSettings) -> ort.InferenceSession:
    """A session for a graph that has passed ``segue.prior.checks``.

    Raises:
        ResourceError: the device is asked for, but this installation of onnxruntime cannot use it.
        BundleRejected: ONNX Runtime cannot load the graph.
    """
    provider = _PROVIDERS[settings.device]
    if provider not in ort.get_available_providers():
        raise ResourceError(
            f"device {settings.device!r} needs onnxruntime's {provider}, this installation has "
            f"{ort.get_available_providers()}: install segue[gpu], or choose device 'cpu'"
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.threads or 0
    options.log_severity_level = 3  # errors come as exceptions; shape notices are no use to a musician
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(graph.folder))
    # Weights stored as int8 become float32 when they are loaded: left as they are, ONNX Runtime would also round what
    # they are multiplied with (0.5 % of each product), and be no faster for it on a CPU.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    # torch works between our runs: threads that spin on after a run would take its cores.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.use_deterministic_compute = settings.device == "cuda"  # on a CPU runs agree anyway
    own = dict(_CUDA, device_id=str(settings.index)) if settings.device == "cuda" else {}
    try:  # without the fallback, a session that cannot be made on its device is none
        session = ort.InferenceSession(
            graph.model, options, providers=[provider], provider_options=[own], enable_fallback=0
        )
    except Exception as error:  # onnxruntime's exceptions share no base but Exception
        raise BundleRejected(f"MODEL_REJECTED {graph.name}: ONNX Runtime cannot load the graph: {error}") from error
    if provider not in session.get_providers():
        raise ResourceError(
            f"device {settings.device!r}: onnxruntime has its {provider}, but cannot load it: check the driver, and "
            "that CUDA and cuDNN are the versions it was built for, or choose device 'cpu'"
        )
    return session
