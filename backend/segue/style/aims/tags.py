"""Tags: the guiding ear's opinion of the sound, against what was asked for."""

from __future__ import annotations

import torch

from segue.guidance.distances import BinaryCrossEntropy
from segue.guidance.embedders.guide import guide_tags
from segue.guidance.embedders.musicnn import MusicnnTags
from segue.guidance.objective import Term
from segue.guidance.operators.select import Select
from segue.style.aims.contract import Ground
from segue.style.terms import Tags


def aim_tags(tags: Tags, ground: Ground) -> Term:
    """The mean cross-entropy of the tags that are named, in nats; the other tags are not measured."""
    indices = tuple(guide_tags().index(name) for name, _ in tags.wanted)
    target = torch.tensor([[value for _, value in tags.wanted]])
    weight = tags.weight / len(indices)
    return Term(Select(indices), BinaryCrossEntropy(), target, weight, on="audio", embedder=MusicnnTags())
