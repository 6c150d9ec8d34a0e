"""A text encoder as one ONNX graph: tokens in, conditioning out, no gradient."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto
from torch import Tensor, nn

from segue.errors import ExportMismatch, InvalidRequest
from segue.prior.runtime import Graph, SessionSettings, open_session
from segue.prior.signature import TextSignature
from segue_export.graphs.cut import Assembler, typed
from segue_export.graphs.decompositions import ExportFriendly
from segue_export.graphs.export import TOLERANCE
from segue_export.graphs.parity import relative_error
from segue_export.graphs.trace import save_onnx
from segue_export.graphs.weights import Storage, WeightsFile, round_weights

TEXT_WEIGHTS = "text.bin"


class _Positional(nn.Module):
    """The encoder, called as the exporter calls: one tuple of tensors, plain operators."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, *inputs: Tensor) -> Tensor:
        with ExportFriendly():
            output: Tensor = self.net(*inputs)
        return output


def export_text(
    module: nn.Module,
    folder: Path,
    signature: TextSignature,
    *,
    vocabulary: int,
    length: int | None,
    store: Storage,
    tolerance: float = TOLERANCE,
) -> float:
    """Write text.onnx and text.bin of ``module(token_ids, token_mask)``; the largest relative error against torch.

    ``vocabulary`` tokens there are; ``length`` is that of every prompt, None where it is free. The module is consumed:
    its weights are rounded in place.

    Raises:
        ExportMismatch: the graph differs from torch by more than ``tolerance``.
        InvalidRequest: more than one output.
    """
    if len(signature.outputs) != 1:
        raise InvalidRequest(f"expected a text encoder of one output, got {len(signature.outputs)}")
    module = module.eval().requires_grad_(False)
    round_weights(module, store)
    with tempfile.TemporaryDirectory(dir=folder) as scratch, torch.no_grad():
        whole = Path(scratch) / "text.onnx"
        example = _tokens(3, length or 59, vocabulary)
        save_onnx(
            _Positional(module).eval(), example, whole, inputs=signature.inputs, outputs=[signature.outputs[0].name]
        )
        model = onnx.load(whole, load_external_data=False)
        initializers = {t.name: t for t in model.graph.initializer}
        with WeightsFile(folder / TEXT_WEIGHTS) as weights:
            graph = Assembler(initializers, whole.parent, weights).model(
                signature.graph,
                list(model.graph.node),
                [typed(s, TensorProto.INT64) for s in signature.inputs],
                [typed(s) for s in signature.outputs],
            )
    path = folder / f"{signature.graph}.onnx"
    path.write_bytes(graph.SerializeToString(deterministic=True))
    return _check(module, path, signature, vocabulary, length, tolerance)


def _tokens(batch: int, length: int, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Random tokens, the second and later rows padded at the end."""
    generator = torch.Generator().manual_seed(length)
    ids = torch.randint(0, vocabulary, (batch, length), generator=generator)
    mask = torch.ones(batch, length, dtype=torch.int64)
    for row in range(1, batch):
        mask[row, max(1, length - 2 * row) :] = 0
    return ids, mask


def _check(
    module: nn.Module, path: Path, signature: TextSignature, vocabulary: int, length: int | None, tolerance: float
) -> float:
    session = open_session(Graph(signature.graph, path.read_bytes(), path.parent), SessionSettings(threads=1))
    worst = 0.0
    for batch, size in ((1, length or 1), (1, length or 33), (2, length or 12)):
        ids, mask = _tokens(batch, size, vocabulary)
        with torch.no_grad():
            expected = module(ids, mask)
        (found,) = session.run(None, {"token_ids": ids.numpy(), "token_mask": mask.numpy()})
        worst = max(worst, relative_error(torch.from_numpy(np.asarray(found)), expected))
    if not worst <= tolerance:
        raise ExportMismatch(
            f"{signature.graph}: expected a relative error of at most {tolerance:g} against torch, got {worst:.3g}: "
            "nothing was written"
        )
    return worst
