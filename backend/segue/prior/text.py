"""A bundle's text encoder: tokens by the `tokenizers` package, their meaning by one more graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segue.errors import BundleRejected, InvalidRequest, ResourceError
from segue.prior.manifest import TextEncoder
from segue.prior.runtime import Graph, SessionSettings, open_session
from segue.prior.signature import TextSignature


class PromptEncoder:
    """Text to the denoiser's conditioning inputs; tokenizer and session are made when first needed."""

    def __init__(
        self, settings: TextEncoder, signature: TextSignature, graph: Graph, tokenizer: Path, session: SessionSettings
    ) -> None:
        self._settings, self._signature, self._graph = settings, signature, graph
        self._tokenizer_file, self._session_settings = tokenizer, session
        self._tokenizer: Any = None
        self._session: Any = None

    def __call__(self, prompt: str, seconds: float) -> dict[str, Tensor]:
        """The inputs, batch 1 float32; ``seconds`` of the window, for templates that name them.

        Raises:
            InvalidRequest: the prompt has more tokens than the encoder takes.
            ResourceError: the tokenizers package is not installed.
            BundleRejected: the tokenizer cannot be read, or the graph gives something else.
        """
        ids, mask = self.tokens(prompt, seconds)
        if self._session is None:
            self._session = open_session(self._graph, self._session_settings)
        names = [spec.name for spec in self._signature.outputs]
        made = self._session.run(names, {"token_ids": ids, "token_mask": mask})
        result = {name: torch.from_numpy(np.array(value, np.float32)) for name, value in zip(names, made, strict=True)}
        for spec in self._signature.outputs:
            if not bool(torch.isfinite(result[spec.name]).all()):
                raise BundleRejected(f"the text encoder gives NaN or infinity for {prompt!r}: get the bundle again")
            spec.match(tuple(result[spec.name].shape))
        return result

    def tokens(self, prompt: str, seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """Token ids and mask, int64 (1, tokens), filled up where the encoder wants a fixed number.

        Raises:
            InvalidRequest: more tokens than the encoder takes.
        """
        s = self._settings
        text = s.template.replace("{seconds}", str(int(seconds))).replace("{prompt}", prompt)
        found = self._load().encode(text).ids
        if len(found) > s.max_length:
            raise InvalidRequest(
                f"the prompt has {len(found)} tokens, this bundle reads at most {s.max_length}: use fewer words"
            )
        length = s.pad_to or max(1, len(found))
        ids = np.full((1, length), s.pad_id, np.int64)
        mask = np.zeros((1, length), np.int64)
        ids[0, : len(found)], mask[0, : len(found)] = found, 1
        return ids, mask

    def _load(self) -> Any:
        if self._tokenizer is None:
            try:
                from tokenizers import Tokenizer  # noqa: PLC0415  an extra
            except ImportError as error:
                raise ResourceError(
                    "prompts of one's own need the tokenizers package: pip install segue[text], or use a stored prompt"
                ) from error
            try:
                self._tokenizer = Tokenizer.from_file(str(self._tokenizer_file))
            except Exception as error:  # its errors share no base but Exception
                raise BundleRejected(f"{self._tokenizer_file.name} is no tokenizer: {error}") from error
            self._tokenizer.no_padding()
            self._tokenizer.no_truncation()
        return self._tokenizer
