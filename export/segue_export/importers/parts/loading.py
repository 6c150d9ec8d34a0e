"""A part of a diffusers folder as a torch module: its configuration read, its weights copied in one by one.

diffusers' own loader builds the module beside a whole state dictionary; here one tensor at a time is mapped from its
file, so that a part is in memory once. Weights become float32.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import remove_weight_norm
from transformers.utils import logging as progress

from segue.errors import InvalidRequest
from segue_export.importers.source import Source


def load_part(source: Source, part: str, cls: Any) -> nn.Module:
    """The part as ``cls`` (a diffusers class, or what makes one), for inference, weight norm folded in.

    Raises:
        InvalidRequest: the configuration does not suit the class, or the weights do not fit it.
    """
    config = {k: v for k, v in source.config(part).items() if not k.startswith("_")}
    with quiet():
        try:
            module: nn.Module = cls(**config)
        except (TypeError, ValueError, AssertionError, RuntimeError) as error:
            raise InvalidRequest(
                f"{part}: {source.class_of(part)} of this diffusers cannot be made from its configuration ({error}): "
                "this variant of the model is not supported"
            ) from error
    _fill(module, source, part)
    fold_weight_norm(module)
    return module.eval().requires_grad_(False)


def _fill(module: nn.Module, source: Source, part: str) -> None:
    """Copy every tensor of the part to its namesake."""
    wanted: dict[str, Tensor] = dict(module.state_dict())
    missing = set(wanted)
    for name, value in source.tensors(part):
        if name not in wanted:
            raise InvalidRequest(f"{part}: its weights hold {name}, which its configuration knows nothing of")
        if value.shape != wanted[name].shape:
            raise InvalidRequest(
                f"{part}: {name} should be of shape {tuple(wanted[name].shape)} by the configuration, it is "
                f"{tuple(value.shape)}: get the part again"
            )
        if not bool(torch.isfinite(value).all()):
            raise InvalidRequest(f"{part}: {name} holds NaN or infinity: the file is damaged, get it again")
        wanted[name].copy_(value)
        missing.discard(name)
    if missing:
        raise InvalidRequest(f"{part}: {len(missing)} weights are missing, {min(missing)} among them: get it again")


def fold_weight_norm(module: nn.Module) -> None:
    """Replace every weight that is a direction and a length by their product, in place."""
    for child in module.modules():
        if hasattr(child, "weight_g") and hasattr(child, "weight_v"):
            remove_weight_norm(child)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' notices (deprecations of their own, missing accelerators, bars) from the musician."""
    loggers = [logging.getLogger(name) for name in ("diffusers", "transformers")]
    levels = [logger.level for logger in loggers]
    bars: bool = progress.is_progress_bar_enabled()
    progress.disable_progress_bar()
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if bars:
            progress.enable_progress_bar()
