"""All embedders by name: a new one needs a file of its own, an import and a line here (or ``EMBEDDERS.register``)."""

from __future__ import annotations

from segue.guidance.embedders.contract import Embedder
from segue.guidance.embedders.linear_probe import LinearProbe
from segue.guidance.embedders.log_mel_statistics import LogMelStatistics
from segue.guidance.embedders.musicnn import MusicnnEmbedding, MusicnnTags
from segue.registry import Registry

EMBEDDERS: Registry[Embedder] = Registry(
    "embedder",
    {
        "log_mel_statistics": LogMelStatistics,
        "linear_probe": LinearProbe,
        "musicnn": MusicnnEmbedding,
        "musicnn_tags": MusicnnTags,
    },
)
