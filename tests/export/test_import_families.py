"""Bundles made of the families' own classes, against these classes, at sizes the export never saw."""

from __future__ import annotations

import copy
import math
import shutil
from pathlib import Path

import pytest

pytest.importorskip("diffusers", reason="the import extra is not installed: pip install segue[import]")

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from segue.errors import InvalidRequest
from segue.prior.manifest import PROMPTS as PROMPTS_FILE
from segue.prior.manifest import TOKENIZER
from segue.prior.runtime import SessionSettings, open_session
from segue.prior.signature import TensorSpec, denoiser_signature
from segue_export.graphs.export import TOLERANCE, export_denoiser, load_function
from segue_export.graphs.parity import ParityCases, relative_error
from segue_export.graphs.weights import Storage, round_weights
from segue_export.importers.contract import GIVEN, PROMPT
from segue_export.importers.registry import open_source
from segue_export.importing.prompts import encode, tokenize
from segue_export.importing.run import plausible
from tests.export import tiny_families
from tests.export.tiny_bundles import PROMPTS, folder, imported

FAMILIES = ["stable_audio_open", "stable_audio_3", "ace_step"]
IMPORTED = [FAMILIES[0], *(pytest.param(family, marks=pytest.mark.nightly) for family in FAMILIES[1:])]
# Prediction and gradient of rounded weights, against the weights as they were.
BOUNDS: dict[Storage, float] = {"fp16": 5e-3, "int8": 5e-2}


def _torch_denoiser(family: str) -> nn.Module:
    found, source = open_source(folder(family))
    tokens = found.tokens(source)
    with tiny_families.quiet():
        return found.denoiser(source, encode(found.text_encoder(source), tokens, "")).eval()


def _inputs(family: str, batch: int, frames: int, tokens: int) -> dict[str, Tensor]:
    found, source = open_source(folder(family))
    facts = found.facts(source)
    generator = torch.Generator().manual_seed(frames)
    signature = denoiser_signature(facts.channels, [TensorSpec(n, s) for n, s in facts.conditioning])
    values = {s.name: torch.randn(s.sizes(batch, frames, tokens), generator=generator) for s in signature.inputs}
    return {**values, **plausible(facts)(batch, frames, generator), "time": torch.linspace(0.05, 1.0, batch)}


def _prediction_and_gradient(function: nn.Module, inputs: dict[str, Tensor], cot: Tensor) -> tuple[Tensor, Tensor]:
    x_t = inputs["x_t"].clone().requires_grad_(True)
    output = function(x_t, **{n: v for n, v in inputs.items() if n != "x_t"})
    return output.detach(), torch.autograd.grad(output, x_t, cot)[0]


@pytest.mark.parametrize("family", IMPORTED)
def test_prediction_and_gradient_are_those_of_the_familys_own_network(family: str) -> None:
    made = imported(family)
    manifest = made.bundle.manifest
    function = load_function(manifest.denoiser(), made.bundle.folder)
    module = _torch_denoiser(family)
    for batch, units, tokens in ((1, 20, 3), (2, 33, 9)):
        inputs = _inputs(family, batch, units * manifest.latent_multiple, tokens)
        cot = torch.randn(inputs["x_t"].shape, generator=torch.Generator().manual_seed(7))
        inputs[GIVEN] = torch.tensor([[1.0], [0.0]])[:batch]
        wrapped = lambda x_t, **others: function(x_t, others)  # noqa: E731
        found = _prediction_and_gradient(wrapped, inputs, cot)  # type: ignore[arg-type]
        for mine, theirs in zip(found, _prediction_and_gradient(module, inputs, cot), strict=True):
            assert relative_error(mine, theirs) < TOLERANCE
            assert theirs.norm() > 0.1 * cot.norm()


@pytest.mark.parametrize("family", FAMILIES)
def test_rounded_weights_predict_and_pull_back_within_the_stated_bounds(family: str) -> None:
    exact = _torch_denoiser(family)
    inputs = _inputs(family, 2, 32, 5)
    cot = torch.randn(inputs["x_t"].shape, generator=torch.Generator().manual_seed(7))
    expected = _prediction_and_gradient(exact, inputs, cot)
    for storage, bound in BOUNDS.items():
        rounded = copy.deepcopy(exact)
        round_weights(rounded, storage)
        assert any(not torch.equal(a, b) for a, b in zip(exact.parameters(), rounded.parameters(), strict=True))
        for mine, theirs in zip(_prediction_and_gradient(rounded, inputs, cot), expected, strict=True):
            assert relative_error(mine, theirs) < bound, storage


@pytest.mark.parametrize(
    ("family", "storage"),
    [
        ("stable_audio_open", "fp16"),
        *(pytest.param(family, "fp16", marks=pytest.mark.nightly) for family in FAMILIES[1:]),
        *(pytest.param(family, "int8", marks=pytest.mark.nightly) for family in FAMILIES),
    ],
)
def test_a_denoiser_stored_in_fewer_bits_equals_its_rounded_self(tmp_path: Path, family: str, storage: Storage) -> None:
    """Prediction and gradient, to the exporter's own tolerance, whatever the weights were rounded to."""
    found, source = open_source(folder(family))
    facts = found.facts(source)
    report = export_denoiser(
        _torch_denoiser(family),
        tmp_path / "stored",
        channels=facts.channels,
        conditioning=facts.conditioning,
        latent_multiple=facts.latent_multiple,
        store=storage,
        cases=ParityCases(times=(0.1, 0.9), sizes=((1, 9), (2, 14))),
        sample=plausible(facts),
        consume=True,
    )
    assert 0 < report.largest < TOLERANCE
    whole = (imported(family).bundle.folder / "weights.bin").stat().st_size
    assert (tmp_path / "stored" / "weights.bin").stat().st_size < 0.6 * whole


def test_the_solver_is_the_one_that_stable_audio_opens_folder_names(tmp_path: Path) -> None:
    path = Path(shutil.copytree(folder("stable_audio_open"), tmp_path / "model"))
    family, source = open_source(path)
    assert family.facts(source).sampling["sampler"] == "dpmpp"
    tiny_families.edit_json(path / "model_index.json", scheduler=["diffusers", "CosineDPMSolverMultistepScheduler"])
    family, source = open_source(path)
    assert family.facts(source).sampling["sampler"] == "dpmpp-sde"
    tiny_families.edit_json(path / "scheduler" / "scheduler_config.json", sigma_schedule="karras")
    with pytest.raises(InvalidRequest, match="expected exponential noise levels"):
        family.facts(source)


@pytest.mark.parametrize("family", IMPORTED)
def test_the_codec_is_the_familys_own_both_ways_with_gradients(family: str) -> None:
    made = imported(family)
    found, source = open_source(made.folder)
    modules = found.codec(source)
    manifest = made.bundle.manifest
    for module, signature in zip(modules, manifest.functions()[1:], strict=True):
        function = load_function(signature, made.bundle.folder)
        x = torch.randn(signature.variable.sizes(2, 5 * manifest.latent_multiple)) * 0.3
        results = []
        for f in (module, lambda value, f=function: f(value, {})):
            value = x.clone().requires_grad_(True)
            output = f(value)
            results.append((output.detach(), torch.autograd.grad(output.square().sum(), value)[0]))
        for mine, theirs in zip(results[1], results[0], strict=True):
            assert relative_error(mine, theirs) < TOLERANCE


@pytest.mark.parametrize("family", IMPORTED)
def test_stored_prompts_are_what_the_bundles_own_tokenizer_and_text_graph_make(family: str) -> None:
    from tokenizers import Tokenizer

    made = imported(family)
    text = made.bundle.manifest.text
    assert text is not None
    graph = next(g for name, g in made.bundle._graphs.items() if name == "text")
    session = open_session(graph, SessionSettings(threads=1))
    tokenizer = Tokenizer.from_file(str(made.bundle.folder / TOKENIZER))
    stored = load_file(made.bundle.folder / PROMPTS_FILE)
    assert [p.name for p in made.bundle.manifest.prompts] == list(PROMPTS)
    for index, prompt in enumerate(PROMPTS.values()):
        ids = tokenizer.encode(text.template.format(prompt=prompt, seconds=30)).ids
        mask = [1] * len(ids) + [0] * ((text.pad_to or len(ids)) - len(ids))
        ids += [text.pad_id] * (len(mask) - len(ids))
        (found,) = session.run(
            None, {"token_ids": torch.tensor([ids]).numpy(), "token_mask": torch.tensor([mask]).numpy()}
        )
        assert relative_error(torch.from_numpy(found), stored[f"{index}.{PROMPT}"]) < TOLERANCE


@torch.no_grad()
def test_stable_audio_open_predicts_as_its_pipeline_calls_it() -> None:
    """v at sigma / alpha of the family's scheduler, the tokens of both seconds appended; no prompt is zero tokens."""
    from diffusers import StableAudioPipeline

    with tiny_families.quiet():
        pipe = StableAudioPipeline.from_pretrained(folder("stable_audio_open"), local_files_only=True)
        prompt = pipe.encode_prompt("warm pads", torch.device("cpu"), False)
    start, end = pipe.encode_duration(0.0, 2.5, torch.device("cpu"), False, 1)
    from diffusers.models.embeddings import get_1d_rotary_pos_embed

    x_t, time = torch.randn(1, 8, 24), torch.tensor([0.3])
    rotary = get_1d_rotary_pos_embed(pipe.rotary_embed_dim, 25, use_real=True, repeat_interleave_real=False)
    found, source = open_source(folder("stable_audio_open"))
    denoiser = found.denoiser(source, None)
    for given in (1.0, 0.0):
        tokens = torch.cat([prompt, start, end], 1) * given
        v = pipe.transformer(
            x_t,
            time,
            encoder_hidden_states=tokens,
            global_hidden_states=torch.cat([start, end], 2),
            rotary_embedding=rotary,
            return_dict=False,
        )[0]
        angle = 0.3 * math.pi / 2
        expected = math.cos(angle) * x_t - math.sin(angle) * v
        x0_hat = denoiser(
            x_t, time, prompt_text=prompt, prompt_given=torch.tensor([[given]]), seconds=torch.tensor([[0.0, 2.5]])
        )
        assert relative_error(x0_hat, expected) < 1e-5


@pytest.mark.parametrize("tau", [0.1, 0.9, 1.0])
@torch.no_grad()
def test_ace_step_repaints_as_its_pipeline_does(tau: float) -> None:
    """The pipeline's own context latents and condition tokens, in the flow's variables."""
    from diffusers import AceStepPipeline

    path = folder("ace_step")
    with tiny_families.quiet():
        pipe = AceStepPipeline.from_pretrained(path, local_files_only=True)
        encoded = pipe.encode_prompt(
            ["warm pads"],
            [""],
            torch.device("cpu"),
            audio_duration=30.0,
            instruction="Repaint the mask area based on the given conditions:",
        )
    silence = pipe.condition_encoder.silence_latent
    timbre = silence[:, : math.ceil(30 * pipe.latents_per_second)]
    tokens, _ = pipe.condition_encoder(*encoded, timbre, torch.zeros(1, dtype=torch.long))
    frames, found = 24, torch.randn(1, 24, 8)
    chunk = torch.zeros(1, frames, 8)
    chunk[:, 8:15] = 1
    context = torch.cat([torch.where(chunk > 0.5, silence[:, :frames], found), chunk], -1)
    x_flow = torch.randn(1, frames, 8)
    t = torch.tensor([tau])
    v = pipe.transformer(x_flow, t, t, tokens, context, return_dict=False)[0]

    family, source = open_source(path)
    facts = family.tokens(source)
    text = family.text_encoder(source)(*tokenize(facts, "warm pads"))
    time = torch.atan2(t, 1 - t) * 2 / math.pi
    scale = math.hypot(tau, 1 - tau)
    x0_hat = family.denoiser(source, None)(
        x_flow.transpose(1, 2) / scale,
        time,
        mask=1 - chunk[:, :, :1].transpose(1, 2),
        context=(found * (1 - chunk)).transpose(1, 2),
        prompt_text=text,
        prompt_given=torch.ones(1, 1),
    )
    assert relative_error(x0_hat, (x_flow - tau * v).transpose(1, 2)) < 2e-5


@pytest.mark.nightly
def test_manifests_say_how_each_family_is_sampled() -> None:
    tables = {family: imported(family).bundle.manifest for family in FAMILIES}
    open_, three, ace = (tables[f] for f in FAMILIES)
    assert (open_.sample_rate, three.sample_rate, ace.sample_rate) == (44100, 44100, 48000)
    assert (open_.sampling.schedule, three.sampling.schedule, ace.sampling.schedule) == ("edm", "log_snr", "flow")
    assert open_.sampling.low == pytest.approx(-math.log(500)) and open_.sampling.high == pytest.approx(-math.log(0.3))
    assert (three.sampling.sampler, three.sampling.steps) == ("pingpong", 8)
    assert (ace.sampling.sampler, ace.sampling.steps, ace.sampling.shift, ace.latent_multiple) == ("ddim", 8, 3.0, 2)
    assert (open_.prompting.scale, three.prompting.scale, ace.prompting.scale) == (7.0, 1.0, 1.0)
    assert open_.min_window == open_.window == 64
    for manifest in tables.values():
        assert manifest.origin is not None and manifest.origin.licence_accepted and manifest.origin.licence_url
