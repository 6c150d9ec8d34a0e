"""What the ablation compares: each variant changes one thing of the base."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from segue.errors import InvalidRequest
from segue.prior.codecs.mel import MelSettings
from segue_export.models.mel_transformer import MelTransformerSettings
from segue_export.train.batches import BatchSettings
from segue_export.train.course import TrainSettings
from segue_export.train.settings import PriorSettings


@dataclass(frozen=True)
class Variant:
    """A row of the table: what changes, in words and in settings."""

    name: str
    about: str
    settings: PriorSettings
    seed: int = 0


def base_of(network: MelTransformerSettings) -> PriorSettings:
    """The defaults, warmed up in the share of a short run that 200 steps are of a long one."""
    return PriorSettings(network=network, batches=BatchSettings(), training=TrainSettings(warm_up=30))


def variants_of(network: MelTransformerSettings | None = None) -> tuple[Variant, ...]:
    """All variants, the base first; ``network`` is the base's, the default one without."""
    network = network or MelTransformerSettings()
    base = base_of(network)
    about = f"{network.width} x {network.layers}, two donors, hop 512, four frames a token, 4.5 s, batch 16"
    return (
        Variant("base", about, base),
        Variant("base-seed-1", "another seed: other first weights, other examples", base, seed=1),
        *_other_inputs(network),
        *_other_shapes(network),
        *_other_learning(network),
    )


def _other_learning(network: MelTransformerSettings) -> tuple[Variant, ...]:
    base = base_of(network)

    def learning(**changed: Any) -> PriorSettings:
        return replace(base, training=replace(base.training, **changed))

    return (
        Variant("batch-8", "batch 8", replace(base, batches=BatchSettings(batch=8))),
        Variant("batch-32", "batch 32", replace(base, batches=BatchSettings(batch=32))),
        Variant("quiet-quarter", "what is quiet weighs a quarter in the loss", learning(quiet=0.25)),
        Variant("outer-rate", "embedding and heads learn at three times the rate", learning(outer_rate=3.0)),
        Variant("dropout", "dropout 0.1", replace(base, network=replace(network, dropout=0.1))),
    )


def _other_inputs(network: MelTransformerSettings) -> tuple[Variant, ...]:
    base = base_of(network)

    def donors(batches: BatchSettings) -> PriorSettings:
        return replace(
            base, network=replace(network, donors=batches.donors, consensus=batches.consensus), batches=batches
        )

    def mel(mel: MelSettings, tokens: int, margin: int) -> PriorSettings:
        batches = BatchSettings(tokens=tokens, margin=margin)
        return replace(base, mel=mel, network=replace(network, channels=mel.channels), batches=batches)

    return (
        Variant("four-donors", "the next likeliest two places as well", donors(BatchSettings(places=4))),
        Variant("consensus", "what 16 likely places agree on as well", donors(BatchSettings(consensus=True))),
        Variant("harmonic-donors", "both donors' harmonic parts as well", donors(BatchSettings(harmonic=True))),
        Variant("hop-256", "eight frames of hop 256 a token", mel(MelSettings(hop=256, frames_per_token=8), 96, 40)),
        Variant("two-frames", "two frames a token, twice the tokens", mel(MelSettings(frames_per_token=2), 192, 20)),
        Variant("window-9s", "windows of 9 s, batch 8", replace(base, batches=BatchSettings(batch=8, tokens=192))),
    )


def _other_shapes(network: MelTransformerSettings) -> tuple[Variant, ...]:
    shapes = (("wider", 1.4, 0.75), ("deeper", 0.8, 1.5), ("smaller", 0.8, 0.75))
    found = []
    for name, width, layers in shapes:
        shaped = replace(
            network,
            width=round(width * network.width / network.head) * network.head,
            layers=round(layers * network.layers),
        )
        found.append(Variant(name, f"{shaped.width} x {shaped.layers}", base_of(shaped)))
    return tuple(found)


def chosen(variants: tuple[Variant, ...], names: list[str] | None) -> list[Variant]:
    """The base and the variants of these names, or all.

    Raises:
        InvalidRequest: there is no variant of a name.
    """
    known = [v.name for v in variants]
    if unknown := sorted(set(names or known) - set(known)):
        raise InvalidRequest(f"expected variants among {', '.join(known)}, got {', '.join(unknown)}")
    return [v for v in variants if not names or v is variants[0] or v.name in names]
