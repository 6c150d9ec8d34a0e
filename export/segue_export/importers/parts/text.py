"""Text encoders and tokenizers of transformers, from a local folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from tokenizers import Tokenizer

from segue.errors import InvalidRequest
from segue_export.importers.parts.loading import quiet
from segue_export.importers.source import Source


def load_encoder(source: Source, cls: Any, part: str = "text_encoder", **changes: Any) -> Any:
    """A transformers model in float32, with plain attention, which exports; ``changes`` of its configuration.

    Raises:
        InvalidRequest: the weights do not fit the configuration, or some are missing or not finite.
    """
    source.weights(part)
    with quiet():
        try:
            config = cls.config_class.from_pretrained(source.path(part), local_files_only=True, **changes)
            model, loaded = cls.from_pretrained(
                source.path(part),
                config=config,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                attn_implementation="eager",
                output_loading_info=True,
            )
        except (OSError, ValueError, TypeError, RuntimeError, KeyError) as error:
            raise InvalidRequest(f"{part}: {cls.__name__} cannot be loaded ({error}): get the part again") from error
    _check_whole(model, loaded, part)
    return model.eval().requires_grad_(False)


def _check_whole(model: Any, loaded: Mapping[str, Any], part: str) -> None:
    """transformers makes up what it does not find, at random and without an error."""
    if missing := sorted(loaded["missing_keys"]):
        raise InvalidRequest(f"{part}: {len(missing)} weights are missing, {missing[0]} among them: get it again")
    if mismatched := sorted(loaded["mismatched_keys"]):
        raise InvalidRequest(f"{part}: {mismatched[0]} is not of the shape that its configuration says: get it again")
    for name, value in model.named_parameters():
        if not bool(torch.isfinite(value).all()):
            raise InvalidRequest(f"{part}: {name} holds NaN or infinity: the file is damaged, get it again")


def load_tokenizer(source: Source, part: str = "tokenizer") -> tuple[Tokenizer, int, int]:
    """A tokenizer without padding and truncation, its longest text in tokens, and the id it pads with.

    Raises:
        InvalidRequest: there is none, or none that can be written as tokenizer.json.
    """
    from transformers import AutoTokenizer  # noqa: PLC0415  seconds to import

    with quiet():
        try:
            loaded: Any = AutoTokenizer.from_pretrained(source.path(part), local_files_only=True)
            backend: Tokenizer = Tokenizer.from_str(loaded.backend_tokenizer.to_str())
        except Exception as error:  # each kind of tokenizer fails in its own way
            raise InvalidRequest(f"{part} cannot be loaded ({error}): get the tokenizer's files again") from error
    backend.no_padding()
    backend.no_truncation()
    return backend, int(min(loaded.model_max_length, 1 << 16)), int(loaded.pad_token_id or 0)
