"""The denoiser as torch sees it: values, gradients, conditioning and refusals, against the torch original."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from segue.errors import BundleRejected, InvalidRequest, ResourceError
from segue.prior.bundle import Bundle
from segue.prior.contract import Denoiser
from segue.prior.onnx_function import OnnxDenoiser, OnnxFunction
from segue.prior.runtime import SessionSettings
from segue.render.renderer import Renderer
from tests.tiny_models import CACHE, CHANNELS, tiny_bundle, tiny_denoiser

ONE = SessionSettings(threads=1)
FRAMES = 20


def _denoiser() -> OnnxDenoiser:
    return Bundle.open(tiny_bundle(), cache=CACHE).denoiser(ONE)


def _tensors(batch: int) -> tuple[Tensor, Tensor, Tensor]:
    """x_t, time, mask."""
    generator = torch.Generator().manual_seed(batch)
    x_t = torch.randn(batch, CHANNELS, FRAMES, generator=generator)
    mask = (torch.rand(batch, 1, FRAMES, generator=generator) > 0.5).float()
    return x_t, torch.rand(batch, generator=generator), mask


def test_prediction_equals_torch() -> None:
    x_t, time, mask = _tensors(3)
    prior = _denoiser().bind({"mask": mask})
    torch.testing.assert_close(prior(x_t, time), tiny_denoiser()(x_t, time, mask), rtol=1e-5, atol=1e-6)


def test_a_guidance_loss_has_the_gradient_torch_would_give() -> None:
    x_t, time, mask = _tensors(2)
    y = torch.randn(2, CHANNELS, FRAMES, generator=torch.Generator().manual_seed(9))
    module, prior = tiny_denoiser(), _denoiser().bind({"mask": mask})

    def gradient(denoise: object) -> Tensor:
        x = x_t.clone().requires_grad_(True)
        distance = ((denoise(x, time) - y) * mask).square().sum()  # type: ignore[operator]
        return torch.autograd.grad(distance, x)[0]

    expected = gradient(lambda x, t: module(x, t, mask))
    torch.testing.assert_close(gradient(prior), expected, rtol=1e-4, atol=1e-5)


def test_the_gradient_is_the_slope_of_the_prediction() -> None:
    x_t, time, mask = _tensors(1)
    prior = _denoiser().bind({"mask": mask})
    cot, direction = (torch.randn(x_t.shape, generator=torch.Generator().manual_seed(i)) for i in (1, 2))
    x = x_t.requires_grad_(True)
    (g,) = torch.autograd.grad(prior(x, time), x, cot)
    h = 1e-2
    with torch.no_grad():
        ahead, behind = prior(x_t + h * direction, time).double(), prior(x_t - h * direction, time).double()
    slope = ((ahead - behind) * cot).sum() / (2 * h)
    assert float((g * direction).sum()) == pytest.approx(float(slope), rel=2e-3)


def test_one_forward_may_be_pulled_back_twice() -> None:
    x_t, time, mask = _tensors(1)
    x = x_t.requires_grad_(True)
    x0_hat = _denoiser().bind({"mask": mask})(x, time)
    first, second = torch.randn(2, *x_t.shape, generator=torch.Generator().manual_seed(3))
    (g1,) = torch.autograd.grad(x0_hat, x, first, retain_graph=True)
    (g2,) = torch.autograd.grad(x0_hat, x, second, retain_graph=True)
    (both,) = torch.autograd.grad(x0_hat, x, first + second)
    torch.testing.assert_close(g1 + g2, both, rtol=1e-4, atol=1e-5)


def test_conditioning_of_batch_one_serves_every_item() -> None:
    x_t, time, mask = _tensors(3)
    shared = _denoiser().bind({"mask": mask[:1]})
    alone = [shared(x_t[i : i + 1], time[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(shared(x_t, time), torch.cat(alone), rtol=1e-5, atol=1e-6)


def test_bound_conditioning_is_not_changed_by_later_batches() -> None:
    x_t, time, mask = _tensors(3)
    prior = _denoiser().bind({"mask": mask[:1]})
    before = prior(x_t[:1], time[:1])
    prior(x_t, time)
    assert torch.equal(prior(x_t[:1], time[:1]), before)


def test_without_gradients_the_other_graphs_are_never_loaded() -> None:
    bundle = Bundle.open(tiny_bundle(), cache=CACHE)
    graphs = {n: g if n == "denoise" else replace(g, model=b"not ONNX") for n, g in bundle._graphs.items()}
    function = OnnxFunction(bundle.manifest.denoiser(), graphs, ONE)
    x_t, time, mask = _tensors(1)
    prior = OnnxDenoiser(function).bind({"mask": mask})
    with torch.no_grad():
        prior(x_t.requires_grad_(True), time)
    with pytest.raises(BundleRejected, match="MODEL_REJECTED fw"):
        prior(x_t, time)


def test_strided_tensors_are_read_as_torch_reads_them() -> None:
    x_t, time, mask = _tensors(2)
    turned = x_t.transpose(1, 2).contiguous().transpose(1, 2)
    prior = _denoiser().bind({"mask": mask})
    assert not turned.is_contiguous()
    assert torch.equal(prior(turned, time), prior(x_t, time))


def test_several_threads_may_share_a_prior() -> None:
    x_t, time, mask = _tensors(1)
    prior = _denoiser().bind({"mask": mask})

    def gradient(_: int) -> Tensor:
        x = x_t.clone().requires_grad_(True)
        return torch.autograd.grad(prior(x, time).sum(), x)[0]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(gradient, range(12)))
    assert all(torch.equal(result, results[0]) for result in results)


def test_it_is_a_denoiser_by_contract() -> None:
    denoiser = _denoiser()
    assert isinstance(denoiser, Denoiser)
    assert denoiser.inputs == ("mask",)


@pytest.mark.parametrize(
    ("conditioning", "message"),
    [
        ({}, r"missing \['mask'\]"),
        ({"mask": torch.ones(1, 1, 8), "donors": torch.ones(1, 1, 8)}, r"unknown \['donors'\]"),
        ({"mask": torch.ones(1, 2, 8)}, r"\(batch, 1, frames\), got \(1, 2, 8\)"),
        ({"mask": torch.ones(1, 1, 8, dtype=torch.float64)}, "float32"),
        ({"mask": torch.ones(1, 8)}, "expected shape"),
    ],
)
def test_conditioning_that_does_not_fit_is_refused_when_bound(conditioning: dict[str, Tensor], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        _denoiser().bind(conditioning)


def test_inputs_that_do_not_fit_what_was_bound_are_refused() -> None:
    x_t, time, mask = _tensors(2)
    prior = _denoiser().bind({"mask": mask})
    with pytest.raises(InvalidRequest, match="float32"):
        prior(x_t.double(), time)
    with pytest.raises(InvalidRequest, match=f"{FRAMES - 1} frames"):
        prior(x_t[..., 1:], time)
    with pytest.raises(InvalidRequest, match="batch 1"):
        prior(x_t[:1], time[:1])
    with pytest.raises(InvalidRequest, match="time"):
        prior._function(x_t, {"time": time[:1], "mask": mask})
    with pytest.raises(InvalidRequest, match="x_t"):
        prior(x_t[:, 1:], time)


def test_a_device_that_is_not_there_is_refused_with_the_way_out() -> None:
    bundle = Bundle.open(tiny_bundle(), cache=CACHE)
    function = OnnxFunction(bundle.manifest.denoiser(), bundle._graphs, SessionSettings(device="cuda"))
    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    with pytest.raises(ResourceError, match=r"segue\[gpu\]"):
        function._session("denoise")


def test_a_renderer_on_such_a_device_says_so_when_it_is_loaded_and_a_cpu_that_it_is_ready() -> None:
    Renderer(session=ONE).load()
    with pytest.raises(ResourceError, match="or choose device 'cpu'"):
        Renderer(session=SessionSettings(device="cuda", index=99)).load()


def test_what_a_gradient_kept_is_gone_with_its_tensors_and_waits_for_no_collector() -> None:
    x_t, time, mask = _tensors(1)
    prior = _denoiser().bind({"mask": mask})
    gc.disable()
    try:
        output = prior(x_t.requires_grad_(True), time)
        node = output.grad_fn
        assert node is not None
        kept = [weakref.ref(value) for value in node.values.values() if isinstance(value, Tensor)]  # type: ignore[attr-defined]
        (g,) = torch.autograd.grad(output.sum(), x_t)
        assert bool(torch.isfinite(g).all()) and kept
        del output, node, g, x_t
        assert all(value() is None for value in kept)
    finally:
        gc.enable()


def test_no_threads_at_all_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="at least 1"):
        SessionSettings(threads=0)
