"""Torch tensors in and out of an ONNX Runtime session, on the device they are on, without a copy.

The one place that knows about devices. Tensors are bound by address; what is not asked for as a tensor stays an
OrtValue on the device, so that saved activations never cross to the host.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnxruntime as ort
import torch
from torch import Tensor

from segue.errors import ResourceError
from segue.prior.runtime import Graph, SessionSettings, open_session


def torch_device(settings: SessionSettings) -> torch.device:
    """The device as torch names it."""
    return torch.device("cuda", settings.index) if settings.device == "cuda" else torch.device("cpu")


def check_device(settings: SessionSettings) -> None:
    """Refuse a device that torch cannot hold tensors on.

    Raises:
        ResourceError: it is CUDA, and torch has none or fewer devices.
    """
    if settings.device != "cuda":
        return
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if settings.index >= count:
        raise ResourceError(
            f"expected CUDA device {settings.index}, torch {torch.__version__} finds {count}: "
            "install torch with CUDA and the driver it wants, or choose device 'cpu'"
        )


class TensorSession:
    """One session whose inputs and outputs are contiguous float32 tensors on its device, or OrtValues."""

    def __init__(self, graph: Graph, settings: SessionSettings) -> None:
        self._session = open_session(graph, settings)
        check_device(settings)
        self._settings = settings
        self.inputs: tuple[str, ...] = tuple(i.name for i in self._session.get_inputs())
        self.outputs: tuple[str, ...] = tuple(o.name for o in self._session.get_outputs())

    def run(self, inputs: Mapping[str, Tensor | ort.OrtValue], into: Mapping[str, Tensor]) -> dict[str, ort.OrtValue]:
        """Run once. Outputs named in ``into`` are written there; the others are returned."""
        binding = self._session.io_binding()
        for name in self.inputs:
            value = inputs[name]
            if isinstance(value, Tensor):
                binding.bind_input(name, *self._place(value))
            else:
                binding.bind_ortvalue_input(name, value)
        for name in self.outputs:
            if name in into:
                binding.bind_output(name, *self._place(into[name]))
            else:
                binding.bind_output(name, self._settings.device, self._settings.index)
        if (
            self._settings.device == "cuda"
        ):  # ONNX Runtime has a stream of its own and ends each run in step with the host
            torch.cuda.current_stream(self._settings.index).synchronize()
        self._session.run_with_iobinding(binding)
        return {n: v for n, v in zip(self.outputs, binding.get_outputs(), strict=True) if n not in into}

    def _place(self, tensor: Tensor) -> tuple[str, int, type[np.float32], list[int], int]:
        assert tensor.dtype == torch.float32 and tensor.is_contiguous() and tensor.device.type == self._settings.device
        return self._settings.device, self._settings.index, np.float32, list(tensor.shape), tensor.data_ptr()
