"""What a family tells the importer: what it is, where its weights come from, and how its parts become functions.

A family is one module of this package with a ``FAMILY``. Everything below ``facts`` may load weights; ``facts`` reads
configurations alone, so that a refusal and the estimate of time and memory come before any work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tokenizers import Tokenizer
from torch import Tensor, nn

from segue.prior.signature import Axis
from segue_export.importers.source import Part, Source

DENOISER = "transformer"
"""The part that holds the denoiser's network, in every family."""

PROMPT, GIVEN = "prompt_text", "prompt_given"
"""The prompt's tokens as the denoiser takes them, and (batch, 1): 1 where they count, 0 for "no prompt"."""


@dataclass(frozen=True)
class Licence:
    """Under what the family's weights are published; ``summary`` says in a sentence what that means for a musician."""

    name: str
    url: str
    commercial_use: bool
    summary: str


@dataclass(frozen=True)
class Facts:
    """What the configurations say, in the manifest's own terms (see :class:`segue.prior.manifest.Manifest`).

    ``conditioning`` are the denoiser's inputs beside x_t and time, in the module's order; ``reach`` samples on each
    side of a latent frame also count in the encoder; ``sampling`` and ``prompting`` are the manifest's tables.
    """

    sample_rate: int
    channels: int
    token: int
    window: int
    reach: int
    conditioning: tuple[tuple[str, tuple[Axis, ...]], ...]
    sampling: Mapping[str, Any]
    prompting: Mapping[str, Any] = field(default_factory=dict)
    min_window: int = 1
    latent_multiple: int = 1


@dataclass(frozen=True)
class TextFacts:
    """How a text becomes tokens: the manifest's ``[text]`` (see :class:`segue.prior.manifest.TextEncoder`)."""

    tokenizer: Tokenizer
    max_length: int
    pad_to: int | None = None
    pad_id: int = 0
    template: str = "{prompt}"


@runtime_checkable
class Family(Protocol):
    """An open family of priors."""

    name: str
    title: str
    licence: Licence
    weights: str
    """Where a musician gets the weights: an address."""
    pipelines: tuple[str, ...]
    """Class names of ``model_index.json`` that this family reads."""
    parts: tuple[Part, ...]

    def adopt(self, folder: Path) -> Source | None:
        """A folder in another format than diffusers' that this family can read, None where it is not one."""

    def facts(self, source: Source) -> Facts:
        """What the configurations say.

        Raises:
            InvalidRequest: an option or a size this importer does not read.
        """

    def denoiser(self, source: Source, unprompted: Tensor | None) -> nn.Module:
        """``module(x_t, time, **conditioning) -> x0_hat`` on the cosine schedule, latents in the codec's own scale.

        ``unprompted`` are the tokens of the empty prompt, None where no text encoder was there to make them.
        """

    def codec(self, source: Source) -> tuple[nn.Module, nn.Module]:
        """``encoder(audio) -> latents`` and ``decoder(latents) -> audio``, stereo."""

    def tokens(self, source: Source) -> TextFacts:
        """The tokenizer, and how it is used."""

    def text_encoder(self, source: Source) -> nn.Module:
        """``module(token_ids, token_mask)`` gives the denoiser's input ``prompt_text``."""
