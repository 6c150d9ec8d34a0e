"""Training examples of the waveform class: windows of audio with a gap, as the latents of its codec.

``python -m segue_export.train.waveforms MUSIC CORPUS WAVES`` decodes the corpus's training and validation tracks into
WAVES, ``<id>.npy`` (samples, 2) float16 each.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float16
from torch import Tensor

from segue.errors import InvalidRequest
from segue.prior.codecs.stft import StftCodec
from segue_export.train import corpus
from segue_export.train.corpus import Track


@dataclass(frozen=True)
class WaveSettings:
    """How examples are drawn; in tokens, and probabilities."""

    batch: int = 8
    tokens: int = 64
    shortest: int = 6
    longest: int = 40
    unconditional: float = 0.25
    one_sided: float = 0.15
    level_db: float = 4.0


@dataclass(frozen=True)
class WaveBatch:
    """x_0 and what is known of it; mask 1 = context."""

    x_0: Float[Tensor, "batch channels tokens"]
    mask: Float[Tensor, "batch 1 tokens"]

    def told(self) -> tuple[Tensor, ...]:
        """The network's arguments after x_t and time."""
        return self.mask, self.x_0 * self.mask

    def naive_error(self) -> Float[Tensor, ""]:
        """Squared error in the gap, mean over the items, of the music's mean: silence, but for the noise bands."""
        gap = 1.0 - self.mask
        power = (self.x_0.square() * gap).sum((1, 2))
        return (power / (gap.sum((1, 2)) * self.x_0.shape[1]).clamp_min(1.0)).mean()

    def to(self, device: torch.device) -> WaveBatch:
        """The batch on another device."""
        return WaveBatch(self.x_0.to(device), self.mask.to(device))


class WaveExamples:
    """Draws batches from the decoded tracks of one split, endlessly and from a seed.

    Raises:
        InvalidRequest: a track was not decoded into ``waves``.
    """

    def __init__(
        self, tracks: Sequence[Track], waves: Path, codec: StftCodec, settings: WaveSettings | None = None
    ) -> None:
        self.settings, self.codec = settings or WaveSettings(), codec
        self.audio = [_open(waves, track) for track in tracks]
        seconds = np.array([t.seconds for t in tracks])
        self.weight = seconds / seconds.sum()

    def window(self, rng: np.random.Generator) -> Float[Tensor, "2 samples"]:
        """A window of a random track: at another level, phase, polarity of the side, and perhaps mirrored in stereo."""
        count = self.settings.tokens * self.codec.token
        audio = self.audio[rng.choice(len(self.audio), p=self.weight)]
        first = int(rng.integers(0, len(audio) - count))
        window = audio[first : first + count].T.astype(np.float32)
        if rng.random() < 0.5:
            window = window[::-1]
        level = rng.uniform(-self.settings.level_db, self.settings.level_db)
        return torch.from_numpy(np.ascontiguousarray(window) * np.float32(rng.choice((-1.0, 1.0)) * 10 ** (level / 20)))

    def mask(self, rng: np.random.Generator) -> Float[Tensor, "1 tokens"]:
        """1 = context; all of it 0 where nothing is known."""
        s = self.settings
        mask = torch.ones(1, s.tokens)
        if rng.random() < s.unconditional:
            return mask * 0.0
        length = int(rng.integers(s.shortest, s.longest + 1))
        first = int(rng.integers(0, s.tokens - length + 1))
        mask[:, first : s.tokens if rng.random() < s.one_sided else first + length] = 0.0
        return mask

    def batch(self, rng: np.random.Generator) -> WaveBatch:
        """A batch of new examples."""
        windows = torch.stack([self.window(rng) for _ in range(self.settings.batch)])
        masks = torch.stack([self.mask(rng) for _ in range(self.settings.batch)])
        return WaveBatch(self.codec.encode(windows), masks)

    def stream(self, seed: int) -> Iterator[WaveBatch]:
        """Batches without end."""
        rng = np.random.default_rng(seed)
        while True:
            yield self.batch(rng)


def _open(waves: Path, track: Track) -> Float16[np.ndarray, "samples 2"]:
    path = waves / f"{track.id}.npy"
    if not path.is_file():
        raise InvalidRequest(f"expected {path}, found none: decode the corpus with segue_export.train.waveforms")
    audio: Float16[np.ndarray, "samples 2"] = np.load(path, mmap_mode="r")
    return audio


def statistics(examples: WaveExamples, windows: int = 256) -> tuple[Float[Tensor, " features"], ...]:
    """Mean and standard deviation of each feature over random windows; waves have mean 0 and equal parts."""
    s, rng = examples.codec.settings, np.random.default_rng(7)
    plain = StftCodec(s, torch.zeros(s.features), torch.ones(s.features))
    frames = torch.cat([plain.frames(examples.window(rng)[None])[0, ::7] for _ in range(windows)]).double()
    mean = frames.mean(0)
    mean[: s.waves] = 0.0
    variance = (frames - mean).square().mean(0)
    waves = variance[: s.waves].reshape(2, 2, s.bins).mean(1, keepdim=True).expand(2, 2, s.bins)
    deviation = torch.cat([waves.flatten(), variance[s.waves :]]).sqrt().clamp_min(0.02)
    return mean.float(), deviation.float()


def _decode(task: tuple[Path, Path]) -> None:
    path, into = task
    audio = corpus.read_track(path)
    if audio is None:
        raise InvalidRequest(f"{path}: expected the track that the corpus was made of: prepare the corpus again")
    whole = into.with_suffix(".tmp.npy")  # one that was cut off would count as decoded
    np.save(whole, audio.T.astype(np.float16))
    whole.replace(into)


def decode(music: Path, tracks: Sequence[Track], waves: Path, processes: int = 2) -> None:
    """Decode those of ``tracks`` that are not in ``waves`` yet."""
    waves.mkdir(parents=True, exist_ok=True)
    missing = [t for t in tracks if not (waves / f"{t.id}.npy").exists()]
    names = {(t.package, t.file) for t in missing}
    wanted = [(path, package) for path, package in corpus.music_files(music) if (package, path.name) in names]
    files = {(package, path.name): path for path, package in corpus.named_apart(wanted)}
    with get_context("spawn").Pool(processes) as pool:
        for _ in pool.imap_unordered(_decode, [(files[t.package, t.file], waves / f"{t.id}.npy") for t in missing]):
            pass


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("music", "corpus", "waves"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--processes", type=int, default=2)
    a = parser.parse_args()
    tracks = [t for t in corpus.load(a.corpus) if t.split in ("train", "validation")]
    decode(a.music, tracks, a.waves, a.processes)
    print(f"{len(tracks)} tracks, {sum(t.seconds for t in tracks) / 3600:.2f} h")


if __name__ == "__main__":
    main()
