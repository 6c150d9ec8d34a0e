"""Exported graphs against the torch modules they come from, at sizes the export never saw."""

from __future__ import annotations

import functools
import math
import tempfile
from pathlib import Path

import onnx
import onnxruntime as ort
import pytest
import torch
from torch import Tensor, nn

from segue.errors import InvalidRequest
from segue.prior.onnx_function import OnnxFunction
from segue.prior.signature import TensorSpec, denoiser_signature
from segue_export.graphs.export import TOLERANCE, export_denoiser, load_function
from segue_export.graphs.parity import ParityReport, relative_error
from segue_export.graphs.weights import round_to_half
from segue_export.models.mel_transformer import MelTransformer, MelTransformerSettings
from tests.tiny_models import MASK, UNet, randomised

C = 6
MEL_CONDITIONING = [
    MASK,
    ("context", ("batch", C, "frames")),
    ("donors", ("batch", 2 * C, "frames")),
    ("presence", ("batch", 2, "frames")),
]
_scratch = tempfile.TemporaryDirectory(prefix="segue-export-")


@functools.cache
def _transformer() -> nn.Module:
    return randomised(MelTransformer(MelTransformerSettings(C, width=32, layers=1, head=16, time_width=16)))


@functools.cache
def _exported(name: str) -> tuple[nn.Module, OnnxFunction, ParityReport, Path]:
    """Module as stored, its exported function, the export's report and folder."""
    folder = Path(_scratch.name) / name
    if name == "transformer":
        module = _transformer()
        report = export_denoiser(module, folder, channels=C, conditioning=MEL_CONDITIONING, store="fp16")
        specs = [TensorSpec(n, s) for n, s in MEL_CONDITIONING]
        round_to_half(module)
        return module, load_function(denoiser_signature(C, specs), folder), report, folder
    module = randomised(UNet())
    report = export_denoiser(module, folder, channels=5, conditioning=[MASK], latent_multiple=4, store="fp32")
    return module, load_function(denoiser_signature(5, [TensorSpec(*MASK)], 4), folder), report, folder


def _inputs(function: OnnxFunction, batch: int, frames: int) -> tuple[Tensor, dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(batch * 1000 + frames)
    signature = function.signature
    others = {s.name: torch.randn(s.sizes(batch, frames), generator=generator) for s in signature.others}
    others["time"] = torch.rand(batch, generator=generator)
    others["mask"] = (others["mask"] > 0).float()
    return torch.randn(signature.variable.sizes(batch, frames), generator=generator), others


@pytest.mark.parametrize("name", ["transformer", "unet"])
@pytest.mark.parametrize(("batch", "units"), [(1, 2), (4, 5), (2, 33), (1, 80)])
def test_prediction_and_gradient_equal_torch_at_unseen_sizes(name: str, batch: int, units: int) -> None:
    module, function, _, _ = _exported(name)
    x_t, others = _inputs(function, batch, units * function.signature.frames_multiple)
    cot = torch.randn(x_t.shape, generator=torch.Generator().manual_seed(7))
    results = []
    for f in (lambda x: module(x, **others), lambda x: function(x, others)):
        x = x_t.clone().requires_grad_(True)
        output = f(x)
        results.append((output.detach(), *torch.autograd.grad(output, x, cot)))
    (y, g), (y_graph, g_graph) = results
    assert g.norm() > 0.1 * cot.norm()
    assert relative_error(function(x_t, others), y) < TOLERANCE
    assert relative_error(y_graph, y) < TOLERANCE
    assert relative_error(g_graph, g) < TOLERANCE


@pytest.mark.parametrize("name", ["transformer", "unet"])
def test_the_report_holds_the_largest_error_of_all_cases(name: str) -> None:
    _, _, report, _ = _exported(name)
    assert 0.0 < report.plain <= report.largest
    assert 0.0 < report.gradient <= report.largest < TOLERANCE


def test_a_known_token_pulls_nothing_back() -> None:
    _, function, _, _ = _exported("transformer")
    x_t, others = _inputs(function, 2, 12)
    x = x_t.requires_grad_(True)
    (gradient,) = torch.autograd.grad(function(x, others).square().sum(), x)
    known = others["mask"].expand_as(gradient) == 1
    assert (gradient[known] == 0).all()
    assert (gradient[~known] != 0).all()


def test_lengths_off_the_multiple_are_refused() -> None:
    _, function, _, _ = _exported("unet")
    x_t, others = _inputs(function, 1, 18)
    with pytest.raises(InvalidRequest, match="multiple of 4"):
        function(x_t, others)


def test_all_graphs_share_one_file_and_large_weights_are_halves() -> None:
    _, _, _, folder = _exported("transformer")
    assert sorted(f.name for f in folder.iterdir()) == ["bw.onnx", "denoise.onnx", "fw.onnx", "weights.bin"]
    size, places = (folder / "weights.bin").stat().st_size, set()
    for name in ("denoise", "fw", "bw"):
        for tensor in onnx.load(folder / f"{name}.onnx", load_external_data=False).graph.initializer:
            if tensor.data_location == onnx.TensorProto.EXTERNAL:
                entry = {e.key: e.value for e in tensor.external_data}
                places.add((int(entry["offset"]), int(entry["length"])))
                large = math.prod(tensor.dims) >= 1024
                assert tensor.data_type == (onnx.TensorProto.FLOAT16 if large else onnx.TensorProto.FLOAT)
                assert entry["location"] == "weights.bin"
    assert 0 <= size - sum(length for _, length in places) < 64 * len(places)


def test_casts_of_stored_weights_are_folded_on_load(tmp_path: Path) -> None:
    _, _, _, folder = _exported("transformer")
    for name in ("denoise", "fw", "bw"):
        model = onnx.load(folder / f"{name}.onnx", load_external_data=False)
        halves = {t.name for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT16}
        assert halves
        options = ort.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
        options.log_severity_level = 3
        ort.InferenceSession(folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
        optimised = onnx.load(tmp_path / "optimised.onnx", load_external_data=False)
        assert not halves & {i for node in optimised.graph.node for i in node.input}


def test_graphs_carry_no_traces_of_the_machine_that_made_them() -> None:
    for name in ("transformer", "unet"):
        folder = _exported(name)[3]
        for graph in folder.glob("*.onnx"):
            model = onnx.load(graph, load_external_data=False)
            assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
            assert str(Path(__file__).parents[2]).encode() not in graph.read_bytes()


def test_weights_past_half_range_are_kept_whole() -> None:
    module = nn.Linear(64, 64)
    module.weight.data.fill_(1.0 / 3.0)
    module.weight.data[0, 0] = 1e5
    before = module.weight.detach().clone()
    round_to_half(module)
    assert torch.equal(module.weight, before)
    module.weight.data[0, 0] = 1.0
    round_to_half(module)
    assert torch.equal(module.weight, module.weight.half().float())
    assert not torch.equal(module.weight[1], before[1])


def test_an_export_over_existing_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fw.onnx").write_bytes(b"precious")
    with pytest.raises(InvalidRequest, match=r"fw\.onnx"):
        export_denoiser(randomised(UNet()), tmp_path, channels=5, conditioning=[MASK])
    assert [f.name for f in tmp_path.iterdir()] == ["fw.onnx"]
    assert (tmp_path / "fw.onnx").read_bytes() == b"precious"
