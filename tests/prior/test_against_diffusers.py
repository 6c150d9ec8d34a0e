"""The same noise, prompt and mask through diffusers' own pipelines and through ours: the same latents, the same audio.

The classes are the families' own, tiny and with random weights. What an importer makes of them runs here in torch, as
the export's own tests prove that bundles give the same; all else is what renders a gap.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segue.clip.span import Span
from segue.guidance.cfg import Projected, PromptGuidance
from segue.prior.manifest import TextEncoder
from segue.prior.prompted import Prompted
from segue.prior.prompts import Prompts
from segue.prior.runtime import Graph, SessionSettings
from segue.prior.signature import TensorSpec, TextSignature
from segue.prior.text import PromptEncoder
from segue.render.generate import SampleSettings, sample_latents
from segue.render.scene import Scene
from segue.render.windows import Layout
from segue.sampling.contract import Latents, Prior, Step
from segue.sampling.spacing import Spacing

pytest.importorskip("diffusers", reason="the import extra is not installed: pip install segue[import]")

from segue_export.importers.registry import open_source
from tests.export.tiny_bundles import folder
from tests.export.tiny_families import quiet

CPU = torch.device("cpu")
FRAMES, BOUND, SEED, PROMPT = 64, 1e-3, 5, "dusty upright piano"
SILENCE = 80  # frames of ACE-Step's silence that its timbre is heard of, in both; all 15000 take half a minute
KNOWN = torch.cat([torch.ones(24), torch.zeros(FRAMES - 40), torch.ones(16)])


@dataclass(frozen=True, eq=False)
class Network:
    """An importer's module as the renderer binds a bundle's."""

    module: nn.Module
    inputs: tuple[str, ...]
    device: torch.device = CPU

    def bind(self, conditioning: Mapping[str, Tensor]) -> Prior:
        def prior(x_t: Latents, t: Tensor) -> Latents:
            return self.module(x_t, t, **conditioning)  # type: ignore[no-any-return]

        return prior


class Words(Prompts):
    """Prompts through the run time's own tokens and the importer's text encoder."""

    def __init__(self, tokens: PromptEncoder, encoder: nn.Module) -> None:
        self.specs = {"prompt_text": TensorSpec("prompt_text", ("batch", "tokens", 1))}
        self._tokens, self._meaning = tokens, encoder

    def encode(self, prompt: str, seconds: float) -> dict[str, Tensor]:
        ids, mask = self._tokens.tokens(prompt, seconds)
        with torch.no_grad():
            return {"prompt_text": self._meaning(torch.from_numpy(ids), torch.from_numpy(mask))}


@dataclass(frozen=True, eq=False)
class Model:
    """All of a tiny family: ours, imported, and ``pipeline``, theirs."""

    facts: Any
    denoiser: Network
    words: Words
    encoder: nn.Module
    decoder: nn.Module
    pipeline: Any

    @property
    def token(self) -> int:
        """Samples of a latent frame at 44.1 kHz."""
        return int(self.facts.token * 44100 // self.facts.sample_rate)

    def sound(self) -> Tensor:
        generator = torch.Generator().manual_seed(SEED + 1)
        return 0.1 * torch.randn(1, 2, FRAMES * self.facts.token, generator=generator)

    def scene(self, known: Tensor | None = None) -> Scene:
        """A window at the timeline's start; without ``known`` latents nothing is known."""
        mask = torch.zeros(1, 1, FRAMES) if known is None else KNOWN[None, None]
        context = torch.zeros(1, self.facts.channels, FRAMES) if known is None else known * mask
        return Scene(Layout(self.token, 0, FRAMES, (Span(0, FRAMES),)), mask, context, None, None, None)

    def sample(self, scene: Scene, prompt: str = PROMPT, **changes: Any) -> Tensor:
        """Latents as the sampler left them, known frames included, which a render then takes from the context."""
        own, seen = {**self.facts.sampling, **changes}, list[Tensor]()

        def watch(step: Step) -> None:
            seen.append(step.x_s.float())

        spacing = Spacing(own["schedule"], own.get("low", -6.0), own.get("high", 2.0), own.get("shift", 1.0))
        denoiser = Prompted(self.denoiser, self.words, prompt, PromptGuidance(**self.facts.prompting))
        settings = SampleSettings(own["sampler"], own["steps"], spacing=spacing)
        with torch.no_grad():
            sample_latents(denoiser, scene, settings, (SEED,), callback=watch)
        return seen[-1]


@functools.cache
def model(name: str) -> Model:
    from diffusers import DiffusionPipeline

    with quiet(), pytest.MonkeyPatch.context() as patch:
        family, source = open_source(folder(name))
        facts, tokens = family.facts(source), family.tokens(source)
        heard = (SILENCE - 0.5) * facts.token / facts.sample_rate
        patch.setattr("segue_export.importers.ace_step._TIMBRE_SECONDS", heard)
        text = family.text_encoder(source).eval()
        ids = [tokens.tokenizer.encode(tokens.template.format(prompt="", seconds=0)).ids]
        padded = torch.tensor([ids[0] + [tokens.pad_id] * ((tokens.pad_to or len(ids[0])) - len(ids[0]))])
        with torch.no_grad():
            unprompted = text(padded, (torch.arange(padded.shape[1]) < len(ids[0])).long()[None])
        network = family.denoiser(source, unprompted).eval()
        encoder, decoder = family.codec(source)
        pipeline = DiffusionPipeline.from_pretrained(folder(name))
    pipeline.set_progress_bar_config(disable=True)
    if hasattr(pipeline, "condition_encoder"):
        pipeline.condition_encoder.silence_latent = pipeline.condition_encoder.silence_latent[:, :SILENCE].clone()
    given = {key: getattr(tokens, key) for key in ("max_length", "pad_to", "pad_id", "template")}
    file = folder(name) / "tokenizer" / "tokenizer.json"
    nowhere = Graph("text", b"", Path())
    reader = PromptEncoder(
        TextEncoder(**given, outputs=("prompt_text",)), TextSignature(()), nowhere, file, SessionSettings()
    )
    inputs = tuple(name for name, _ in facts.conditioning)
    return Model(facts, Network(network, inputs), Words(reader, text), encoder.eval(), decoder.eval(), pipeline)


def apart(x: Tensor, y: Tensor) -> float:
    return float((x - y).norm() / y.norm())


def assert_the_same(made: Tensor, theirs: Tensor, of: Model) -> None:
    """Latents, and the audio of both decoders."""
    assert theirs.shape == made.shape and bool(torch.isfinite(theirs).all())
    assert apart(made, theirs) < BOUND
    with torch.no_grad():
        assert apart(of.decoder(made), of.pipeline.vae.decode(theirs).sample) < BOUND


def test_inpainting_is_that_of_stable_audio_3s_pipeline() -> None:
    """Ping-pong: its noise of each step, too, comes from the generator that drew the first."""
    tiny = model("stable_audio_3")
    assert tiny.facts.sampling["sampler"] == "pingpong"
    audio, seconds = tiny.sound(), FRAMES * tiny.token / 44100
    given = {"audio": audio, "mask": KNOWN[None, None], "duration": seconds, "prompt": PROMPT}
    theirs = tiny.pipeline(**given, generator=torch.Generator().manual_seed(SEED), output_type="latent").audios
    with torch.no_grad():
        known = tiny.encoder(audio)
    assert_the_same(tiny.sample(tiny.scene(known)), theirs, tiny)


def test_repainting_is_that_of_ace_steps_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """48 kHz, 8 Euler steps of a shifted flow; the pipeline's own encoding is made to give its mean."""
    from diffusers.models.autoencoders.autoencoder_oobleck import OobleckDiagonalGaussianDistribution as Encoded

    monkeypatch.setattr(Encoded, "sample", lambda self, generator=None: self.mode())
    tiny = model("ace_step")
    audio, frame = tiny.sound(), tiny.facts.token / 48000
    repainted = {"task_type": "repaint", "repainting_start": 24.1 * frame, "repainting_end": (FRAMES - 15.9) * frame}
    start = torch.randn(tiny.facts.channels, FRAMES, generator=torch.Generator().manual_seed(SEED)).T[None]
    steps = {"num_inference_steps": 8, "shift": 3.0, "guidance_scale": 1.0}
    pipeline = tiny.pipeline
    theirs = pipeline(PROMPT, lyrics="", src_audio=audio, latents=start, output_type="latent", **repainted, **steps)
    with torch.no_grad():
        known = tiny.encoder(audio)
    assert_the_same(tiny.sample(tiny.scene(known)), theirs.audios.transpose(1, 2), tiny)


@pytest.mark.parametrize("prompt", [PROMPT, "warm pads"])
def test_text_to_audio_is_that_of_stable_audio_opens_pipeline(monkeypatch: pytest.MonkeyPatch, prompt: str) -> None:
    """Its scheduler's stochastic solver, with our draws in place of a Brownian tree; classifier-free guidance of 7."""
    if importlib.util.find_spec("torchsde") is None:  # the Brownian tree alone needs it
        monkeypatch.setitem(sys.modules, "torchsde", ModuleType("torchsde"))
    from diffusers.schedulers import scheduling_cosine_dpmsolver_multistep as module

    tiny, generator = model("stable_audio_open"), torch.Generator().manual_seed(SEED)
    start = torch.randn(tiny.facts.channels, FRAMES, generator=generator)[None]

    class Draws:
        def __init__(self, x: Tensor, **_: object) -> None:
            self.shape = x.shape[1:]

        def __call__(self, sigma: Tensor, following: Tensor) -> Tensor:
            return torch.randn(self.shape, generator=generator)[None]

    monkeypatch.setattr(module, "BrownianTreeNoiseSampler", Draws)
    monkeypatch.setattr(
        tiny.pipeline,
        "scheduler",
        module.CosineDPMSolverMultistepScheduler(
            sigma_schedule="exponential", sigma_min=0.3, sigma_max=500, sigma_data=1.0
        ),
    )
    given = {"num_inference_steps": 12, "guidance_scale": 7.0, "latents": start, "output_type": "latent"}
    theirs = tiny.pipeline(prompt, **given).audios
    assert_the_same(tiny.sample(tiny.scene(), prompt, sampler="dpmpp-sde", steps=12), theirs, tiny)


def test_projected_guidance_is_that_of_ace_steps_base_weights() -> None:
    """Against diffusers' own function over three steps of one run, in the layout its pipeline uses."""
    from diffusers.guiders.adaptive_projected_guidance import MomentumBuffer, normalized_guidance

    draws, rule, buffer = torch.Generator().manual_seed(1), Projected(7.0, -0.75, 2.5), MomentumBuffer(-0.75)
    for time in (0.9, 0.6, 0.2):
        x_t, prompted, plain = (torch.randn(2, 4, 9, generator=draws, dtype=torch.float64) for _ in range(3))
        t = torch.full((2,), time, dtype=torch.float64)
        a, s = (t * torch.pi / 2).cos()[:, None, None], (t * torch.pi / 2).sin()[:, None, None]
        tau, flow = s / (a + s), x_t / (a + s)
        with_prompt, without = (((flow - x0_hat) / tau).transpose(1, 2) for x0_hat in (prompted, plain))
        v = normalized_guidance(
            with_prompt, without, 6.0, buffer, 0.0, 2.5, use_original_formulation=True, norm_dim=(1,)
        )
        expected = flow - tau * v.transpose(1, 2)
        assert apart(rule(prompted, plain, x_t, t), expected) < 1e-9
