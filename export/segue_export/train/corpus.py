"""Music files to training features: mel frames of every track, and donors searched once for thousands of gaps.

``python -m segue_export.train.corpus MUSIC CORPUS [--hop 512 --hop 256] [--every 4 --seconds 180]`` writes into CORPUS
``<id>.npy`` (frames, bands) float16 in log10 power for each track (``<id>.hop256.npy`` at another hop), and
``corpus.json`` with each track's split and its gaps.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from jaxtyping import Float

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.prior.codecs.mel import MelCodec, MelSettings
from segue.recall.donors import find_donors
from segue.recall.features import HOP, mel_frames, song_features
from segue_export.train.fingerprint import Fingerprint, Match, fingerprint, matches

SUFFIXES = (".ogg", ".opus", ".mp3", ".flac", ".oga", ".wav")
SHORTEST, LONGEST = 40.0, 1200.0  # seconds
GAPS_PER_MINUTE = 36.0


@dataclass(frozen=True)
class Preparation:
    """What is made of the music.

    ``hops``: of the mel frames, samples; ``every``: one in so many tracks is trained on (validation keeps all);
    ``seconds``: of a track, from its start.
    """

    hops: tuple[int, ...] = (MelSettings.hop,)
    every: int = 1
    seconds: float = LONGEST

    def __post_init__(self) -> None:
        if MelSettings.hop not in self.hops:
            raise InvalidRequest(f"expected hop {MelSettings.hop} among the hops, got {self.hops}")


@dataclass(frozen=True)
class TrainingGap:
    """A gap of a track, in samples, and where its donors would stand.

    ``places``: all likely places, the likeliest first, and ``parts``: how far each is foretold to be from the music,
    see :class:`segue.recall.consensus.Consensus`; both are empty in a corpus of before there was one.
    """

    start: int
    stop: int
    left: int
    right: int
    distance_db: float
    places: list[int] = field(default_factory=list)
    parts: list[list[float]] = field(default_factory=list)

    def donors(self, count: int) -> list[int]:
        """Up to ``count`` places: the best pair, then the likeliest that share no half of a gap with those before."""
        found = [self.left, self.right]
        for place in self.places:
            if all(abs(place - other) >= (self.stop - self.start) // 2 for other in found):
                found.append(place)
        return found[:count]


@dataclass(frozen=True)
class Track:
    """One track of the corpus; ``split`` is train, validation, test, demo, foreign or duplicate (of a withheld one)."""

    id: str
    package: str
    file: str
    seconds: float
    split: str
    frames: int
    gaps: list[TrainingGap] = field(default_factory=list)


def held_out() -> dict[str, list[str]]:
    """Name fragments per held-out split, from music.toml; ``package:fragment`` restricts one to a package."""
    with (Path(__file__).parent / "music.toml").open("rb") as f:
        table: dict[str, list[str]] = tomllib.load(f)["held_out"]
    return table


@dataclass(frozen=True)
class Foreign:
    """A package of another kind of music, never trained on; ``files``: the pattern of those that are whole pieces."""

    name: str
    licence: str
    kind: str
    files: str


@cache
def foreign() -> dict[str, Foreign]:
    """Packages of other kinds of music by name, from music.toml."""
    with (Path(__file__).parent / "music.toml").open("rb") as f:
        return {entry["name"]: Foreign(**entry) for entry in tomllib.load(f)["foreign"]}


def split_of(package: str, name: str) -> str:
    """The split of a file: foreign by its package, held out by name, else one in fourteen for validation, by hash.

    Variants of one track (``lava.ogg``, ``lava_fast.ogg``) fall on the same side.
    """
    if package in foreign():
        return "foreign"
    for split, fragments in held_out().items():
        for fragment in fragments:
            owner, _, text = fragment.rpartition(":")
            if text in name and owner in ("", package):
                return split
    track = Path(name).stem.removesuffix("_fast").removesuffix("_f").lower()
    return "validation" if int(hashlib.sha256(track.encode()).hexdigest(), 16) % 14 == 0 else "train"


_STRICTEST = ("foreign", "test", "demo", "validation", "train")


def splits_of(files: Sequence[tuple[Path, str]]) -> dict[Path, str]:
    """The split of each (file, package); files that are byte for byte the same share the most withheld of theirs.

    A game ships one piece under two names: held out as the one, it must not be trained on as the other.
    """
    alike: dict[str, list[tuple[Path, str]]] = {}
    for path, package in files:
        with path.open("rb") as f:
            alike.setdefault(hashlib.file_digest(f, "sha256").hexdigest(), []).append((path, package))
    splits = {}
    for copies in alike.values():
        split = min((split_of(package, path.name) for path, package in copies), key=_STRICTEST.index)
        splits.update({path: split for path, _ in copies})
    return splits


def read_track(path: Path) -> Float[np.ndarray, "2 samples"] | None:
    """Stereo 44.1 kHz audio at an RMS of 0.1, or None for what is no music track (too short, silent, unreadable)."""
    try:
        if not SHORTEST <= soundfile.info(path).duration <= LONGEST:
            return None
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        return None
    if rate < 32000:
        return None
    audio = np.repeat(audio, 2, 1) if audio.shape[1] == 1 else audio[:, :2]
    if rate != 44100:
        audio = soxr.resample(audio, rate, 44100)
    rms = float(np.sqrt(np.mean(audio**2)))
    return None if rms < 0.003 else np.ascontiguousarray(audio.T * np.float32(0.1 / rms), dtype=np.float32)


def search_gaps(audio: Float[np.ndarray, "2 samples"], seed: int, count: int) -> list[TrainingGap]:
    """Random gaps of 0.3 to 2.7 s with the donors recall finds while the gap is hidden."""
    rng = np.random.default_rng(seed)
    features = song_features(audio)
    margin, gaps = 2 * 44100, []
    for _ in range(count):
        length = int(rng.integers(13, 117)) * HOP
        if audio.shape[1] - length - margin <= 3 * 44100:
            break
        start = int(rng.integers(margin, audio.shape[1] - length - margin)) // HOP * HOP
        around = audio[:, start - 44100 : start + length + 44100]
        if float(np.sqrt(np.mean(around**2))) < 0.015:
            continue
        gap = Span(start, start + length)
        hidden = audio[:, gap.start : gap.stop].copy()
        audio[:, gap.start : gap.stop] = 0.0
        pair = find_donors(audio, features, gap, [gap])
        audio[:, gap.start : gap.stop] = hidden
        if pair is not None:
            likely = pair.consensus
            places = [] if likely is None else likely.places.tolist()
            parts = [] if likely is None else likely.foretold.round(2).tolist()
            gaps.append(TrainingGap(gap.start, gap.stop, pair.left, pair.right, pair.distance_db, places, parts))
    return gaps


def feature_file(folder: Path, identity: str, hop: int = MelSettings.hop) -> Path:
    """Where the mel frames of a track lie."""
    return folder / (f"{identity}.npy" if hop == MelSettings.hop else f"{identity}.hop{hop}.npy")


def _save_frames(audio: Float[np.ndarray, "2 samples"], folder: Path, identity: str, hop: int) -> int:
    mel = MelSettings(hop=hop)
    unstandardised = MelCodec(mel, torch.zeros(mel.bands), torch.ones(mel.bands))
    frames = mel_frames(audio, unstandardised)
    np.save(feature_file(folder, identity, hop), frames.astype(np.float16))
    return len(frames)


def _prepare(task: tuple[Path, str, str, Path, Preparation]) -> Track | None:
    path, package, split, folder, wanted = task
    torch.set_num_threads(1)
    audio = read_track(path)
    if audio is None:
        return None
    audio = audio[:, : int(wanted.seconds * 44100)].copy()
    identity = hashlib.sha256(f"{package}/{path.name}".encode()).hexdigest()[:16]
    counts = {hop: _save_frames(audio, folder, identity, hop) for hop in wanted.hops}
    minutes = audio.shape[1] / 44100 / 60
    count = {"train": int(minutes * GAPS_PER_MINUTE), "validation": int(minutes * 6)}.get(split, 0)
    gaps = search_gaps(audio, int(identity[:8], 16), count)
    return Track(identity, package, path.name, minutes * 60, split, counts[MelSettings.hop], gaps)


def music_files(music: Path) -> Iterator[tuple[Path, str]]:
    """Audio files and the package (the folder under ``music``) each came from, in a fixed order."""
    for path in sorted(music.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            yield path, path.relative_to(music).parts[0]


def named_apart(files: Sequence[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """One file for each name in a package, by which a track is known: the first that is music.

    Games have a ``night.ogg`` in each of many folders. What is left out is said.
    """
    alike: dict[tuple[str, str], list[Path]] = {}
    for path, package in files:
        alike.setdefault((package, path.name), []).append(path)
    chosen = []
    for (package, name), paths in alike.items():
        music = [path for path in paths if len(paths) == 1 or read_track(path) is not None]
        chosen.append(((music or paths)[0], package))
        for other in music[1:]:
            print(f"{package}/{name} is {music[0]}: {other} is left out, expected one track of a name in a package")
    return chosen


def build(music: Path, folder: Path, processes: int = 2, wanted: Preparation | None = None) -> list[Track]:
    """Prepare every track below ``music`` into ``folder``; returns the corpus."""
    wanted = wanted or Preparation()
    folder.mkdir(parents=True, exist_ok=True)
    found = list(music_files(music))
    splits, files = splits_of(found), named_apart(found)
    thinned = {path for i, path in enumerate(p for p, _ in files if splits[p] == "train") if i % wanted.every}
    tasks = [(path, package, splits[path], folder, wanted) for path, package in files if path not in thinned]
    tracks: dict[str, Track] = {}
    with get_context("spawn").Pool(processes) as pool:
        for track in pool.imap_unordered(_prepare, tasks, chunksize=1):
            if track is not None:
                tracks[track.id] = track
    ordered = sorted(tracks.values(), key=lambda t: t.id)
    return mark_duplicates(ordered, folder)


def duplicates(tracks: list[Track], folder: Path) -> list[Match]:
    """Training tracks that hold 12 s or more of a withheld track's recording, whatever their names; by track id."""
    prints: dict[bool, dict[str, Fingerprint]] = {True: {}, False: {}}
    for track in tracks:
        if track.split != "duplicate":
            frames = np.load(feature_file(folder, track.id), mmap_mode="r")
            prints[track.split == "train"][track.id] = fingerprint(frames)
    return matches(prints[True], prints[False])


def mark_duplicates(tracks: list[Track], folder: Path) -> list[Track]:
    """Take :func:`duplicates` out of the training, and write the corpus."""
    known = {match.one for match in duplicates(tracks, folder)}
    marked = [replace(t, split="duplicate") if t.id in known else t for t in tracks]
    write(marked, folder)
    return marked


def write(tracks: Sequence[Track], folder: Path) -> None:
    """What :func:`load` reads."""
    (folder / "corpus.json").write_text(json.dumps([asdict(t) for t in tracks]))


def load(folder: Path) -> list[Track]:
    """The corpus of :func:`build`."""
    raw = json.loads((folder / "corpus.json").read_text())
    return [Track(**{**t, "gaps": [TrainingGap(**g) for g in t["gaps"]]}) for t in raw]


def statistics(tracks: list[Track], folder: Path) -> tuple[Float[np.ndarray, " bands"], Float[np.ndarray, " bands"]]:
    """Mean and standard deviation of each band over the training split (every 37th frame)."""
    frames = [np.load(feature_file(folder, t.id), mmap_mode="r")[::37] for t in tracks if t.split == "train"]
    sample = np.concatenate(frames).astype(np.float64)
    return sample.mean(0).astype(np.float32), np.maximum(sample.std(0), 0.2).astype(np.float32)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--hop", type=int, action="append", help="of the mel frames, samples; may be given again")
    parser.add_argument("--every", type=int, default=Preparation.every)
    parser.add_argument("--seconds", type=float, default=Preparation.seconds)
    parser.add_argument("--processes", type=int, default=2)
    a = parser.parse_args()
    wanted = Preparation(tuple(a.hop or Preparation.hops), a.every, a.seconds)
    built = build(a.music, a.corpus, a.processes, wanted)
    for split in ("train", "validation", "test", "demo", "foreign", "duplicate"):
        chosen = [t for t in built if t.split == split]
        hours, gaps = sum(t.seconds for t in chosen) / 3600, sum(len(t.gaps) for t in chosen)
        print(f"{split}: {len(chosen)} tracks, {hours:.2f} h, {gaps} gaps")


if __name__ == "__main__":
    main()
