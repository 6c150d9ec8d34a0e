"""Prompts as the denoiser takes them: a text through template, tokenizer and text encoder, in torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from segue.errors import InvalidRequest
from segue.prior.manifest import PROMPTS
from segue_export.importers.contract import PROMPT, TextFacts

STORED_SECONDS = 30
"""The length that a stored prompt's template names, where it names one: the families' own default."""


def tokenize(facts: TextFacts, text: str) -> tuple[Tensor, Tensor]:
    """token_ids and token_mask, each int64 (1, tokens), of a prompt.

    Raises:
        InvalidRequest: the prompt is longer than the text encoder takes.
    """
    ids = facts.tokenizer.encode(facts.template.format(prompt=text, seconds=STORED_SECONDS)).ids
    if len(ids) > facts.max_length:
        raise InvalidRequest(
            f"expected a prompt of at most {facts.max_length} tokens, got {len(ids)}: shorten {text[:60]!r}"
        )
    padding = (facts.pad_to or len(ids)) - len(ids)
    mask = [1] * len(ids) + [0] * padding
    return torch.tensor([[*ids, *[facts.pad_id] * padding]]), torch.tensor([mask])


def encode(encoder: nn.Module, facts: TextFacts, text: str) -> Tensor:
    """The denoiser's input for one prompt, (1, tokens, width) float32."""
    with torch.no_grad():
        encoded: Tensor = encoder(*tokenize(facts, text)).float()
    return encoded


def store(folder: Path, encoded: Mapping[str, Tensor]) -> None:
    """Write the encoded prompts, in their order, as prompts.safetensors."""
    tensors = {f"{index}.{PROMPT}": tensor.contiguous() for index, tensor in enumerate(encoded.values())}
    (folder / PROMPTS).write_bytes(save(tensors))
