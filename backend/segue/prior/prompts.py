"""A bundle's prompts: those stored in it, and any text where it holds a text encoder."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from segue.errors import BundleRejected, InvalidRequest, ResourceError
from segue.prior.conditioning import PROMPT_PREFIX
from segue.prior.manifest import PROMPTS, Manifest
from segue.prior.text import PromptEncoder


class Prompts:
    """From a text to the tensors of the denoiser's prompt inputs."""

    def __init__(
        self, manifest: Manifest, encoder: PromptEncoder | None = None, stored: Mapping[str, Tensor] | None = None
    ) -> None:
        """``stored``: the tensors of prompts.safetensors, "INDEX.INPUT".

        Raises:
            BundleRejected: a stored prompt lacks a tensor, or has one of another shape.
        """
        named = {c.name: c.spec() for c in manifest.conditioning if c.name.startswith(PROMPT_PREFIX)}
        self.specs = {name: spec for name, spec in named.items() if name != GIVEN}
        self._manifest, self._encoder = manifest, encoder
        self._stored = tuple(self._tensors(i, stored or {}) for i in range(len(manifest.prompts)))
        self._made: OrderedDict[tuple[str, int], dict[str, Tensor]] = OrderedDict()

    @staticmethod
    def read(manifest: Manifest, folder: Path, encoder: PromptEncoder | None) -> Prompts:
        """The prompts of a checked bundle folder.

        Raises:
            BundleRejected: prompts.safetensors is not what the manifest lists.
        """
        if not manifest.prompts:
            return Prompts(manifest, encoder)
        try:
            stored = safetensors.torch.load_file(folder / PROMPTS)
        except (SafetensorError, OSError) as error:
            raise BundleRejected(f"{PROMPTS} cannot be read: {error}; export the bundle again") from error
        return Prompts(manifest, encoder, stored)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stored prompts."""
        return tuple(prompt.name for prompt in self._manifest.prompts)

    @property
    def reads_any(self) -> bool:
        """Whether any text can be read, not the stored ones alone."""
        return self._encoder is not None

    @property
    def reads(self) -> bool:
        """Whether there is any prompt that counts."""
        return self.reads_any or bool(self.names)

    def knows(self, prompt: str) -> bool:
        """Whether a prompt can be read."""
        return self.reads_any or self._place(prompt) is not None

    def check(self, prompt: str) -> None:
        """Refuse, before any work is done, a prompt that cannot be read.

        Raises:
            InvalidRequest: it is no stored one where there is no text encoder, or it is too long.
            ResourceError: it is no stored one, and the tokenizers package is not installed.
        """
        place = self._place(prompt)
        if place is not None:
            return
        if self._encoder is None:
            raise self._unknown(prompt)
        self._encoder.tokens(prompt, _LONG)

    def encode(self, prompt: str, seconds: float) -> dict[str, Tensor]:
        """Tensors of the prompt inputs, batch 1; ``seconds``: length of the window.

        Raises:
            InvalidRequest: the bundle reads stored prompts alone and this is none of them, or it is too long.
            ResourceError: it is no stored one, and the tokenizers package is not installed.
        """
        place = self._place(prompt)
        if self._encoder is None:
            if place is None:
                raise self._unknown(prompt)
            return self._stored[place]
        key = (prompt if place is None else self._manifest.prompts[place].text, int(seconds))
        if key not in self._made:
            try:
                self._made[key] = self._encoder(key[0], float(key[1]))
            except ResourceError:  # no tokenizers
                if place is None:
                    raise
                return self._stored[place]
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]

    def nothing(self) -> dict[str, Tensor]:
        """Tensors that stand where there is no prompt."""
        return {name: torch.zeros(spec.sizes(1, 1, 1)) for name, spec in self.specs.items()}

    def _unknown(self, prompt: str) -> InvalidRequest:
        known = ", ".join(repr(name) for name in self.names) or "none"
        return InvalidRequest(
            f"this bundle has no text encoder and no stored prompt {prompt!r}; it has {known}: name one of them, "
            "or import the bundle with its text encoder"
        )

    def _place(self, prompt: str) -> int | None:
        """The stored prompt of this name or, where none has it, of this text; case and outer spaces do not count."""
        wanted = prompt.strip().casefold()
        for key in ([p.name for p in self._manifest.prompts], [p.text for p in self._manifest.prompts]):
            for index, value in enumerate(key):
                if value.strip().casefold() == wanted:
                    return index
        return None

    def _tensors(self, index: int, stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
        result = {}
        for name, spec in self.specs.items():
            tensor = stored.get(f"{index}.{name}")
            if tensor is None or tensor.dtype != torch.float32 or not bool(torch.isfinite(tensor).all()):
                raise BundleRejected(f"{PROMPTS}: expected a finite float32 {index}.{name}: export the bundle again")
            try:
                spec.match(tuple(tensor.shape))
            except InvalidRequest as error:
                raise BundleRejected(f"{PROMPTS}: {index}.{error}: export the bundle again") from error
            result[name] = tensor
        return result


_KEPT = 16  # encoded prompts, of a megabyte or two each
_LONG = 100.0  # seconds of a window whose number has as many digits as any

GIVEN = f"{PROMPT_PREFIX}given"
"""The conditioning input that says whether the prompt counts."""
