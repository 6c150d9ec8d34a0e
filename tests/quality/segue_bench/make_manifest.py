"""Makes excerpts.toml: ``python -m segue_bench.make_manifest MUSIC`` (a folder of ``segue_export.train.music``).
``--foreign`` makes excerpts_foreign.toml instead, of music that is of no package of training.

Of every held-out track a few places are drawn, seeded, none near silence and none where recall or ranking were tuned.
How well the song recalls a 2 s gap at each is measured; then places are chosen so that easy, middle and hard come as
near to a third each as the music allows. The same music and the same recall make the same manifest.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import tomli_w
import torch

from segue.clip.atomic import replacing
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.prior.codecs.mel import MelCodec, MelSettings
from segue.recall.donors import find_donors
from segue.recall.song import Recallable, Song
from segue.tasks.plan import Stereo
from segue_bench.cases import centred
from segue_bench.contract import RATE, Recall, Split
from segue_bench.credits import UNKNOWN, Credit, credit_of, shares_artist
from segue_bench.manifest import FOREIGN_PATH, PATH, REACH, Document, Package, Pair, Place, Recording, manifest_of
from segue_bench.music import digest_of, ensure
from segue_export.train.corpus import SHORTEST, foreign, music_files, read_track, split_of
from segue_export.train.evaluate import held_out_gaps
from segue_export.train.evaluate_recall import cases as recall_cases
from segue_export.train.evaluate_recall import held_out_tracks
from segue_export.train.music import packages

COUNT, FOREIGN_COUNT = 64, 32
SEED = 1
DRAWN = 20
"""Places of a track to choose from, :data:`APART` samples apart where it is long enough."""
APART = 10 * RATE
CLEAR = 4 * RATE
"""Samples from a centre to the nearest gap that recall or ranking were tuned on."""
_OF_EACH = 4
"""Tracks of a foreign package."""
QUIET = 0.02
"""RMS, of a track's 0.1, that every half second of the 6 s around a centre must exceed."""
SUITE = "bookworm"
SMOKE = ("singularity-music", "colobot-common-sounds")
"""Packages of the smoke set."""

HEADER = """\
# The bench's excerpts, made by python -m segue_bench.make_manifest; not to be edited by hand.
# Every track is held out of training. "test": not looked at in training, but recall and ranking were tuned on gaps at
# other places of these tracks. "validation": looked at for the training curve alone. "foreign": nothing of its package
# was looked at.
# centre: the sample, at 44.1 kHz, that gaps are centred on. distance_db: how well the song recalls a 2 s gap there.
# heard: another track of this artist (where the artist is unknown, of this package) was trained on.
# other: the excerpt whose centre is the floor of this one.

"""


@dataclass(frozen=True)
class Candidate:
    """A place that may become an excerpt."""

    centre: int
    distance_db: float
    recall: str


@dataclass(frozen=True)
class Source:
    """A held-out file with the places drawn from it."""

    path: Path
    package: str
    samples: int
    candidates: tuple[Candidate, ...]

    @property
    def split(self) -> Split:
        """The split it is held out in."""
        match split_of(self.package, self.path.name):
            case "test" | "foreign" as split:
                return split
            case _:
                return "validation"

    @property
    def title(self) -> str:
        """The file's name, or its folder's, where a folder is a song."""
        return self.path.parent.name if self.path.stem == "song" else self.path.stem

    @property
    def slug(self) -> str:
        """Start of the names of its excerpts."""
        return re.sub(r"[^a-z0-9_.-]+", "-", f"{self.package.split('-')[0]}-{self.title}".lower())[:56]


def held_out_files(music: Path) -> list[tuple[Path, str]]:
    """Files of the test and validation splits with their packages.

    Raises:
        InvalidRequest: the folder lacks a package.
    """
    missing = [name for name in packages() if not (music / name).is_dir()]
    if missing:
        raise InvalidRequest(f"{music} lacks {', '.join(missing)}: run python -m segue_export.train.music {music}")
    return [(path, name) for path, name in music_files(music) if split_of(name, path.name) in ("test", "validation")]


def tuned_gaps(music: Path) -> dict[str, list[Span]]:
    """By file stem, the gaps that ranking's weights and recall's settings were chosen on."""
    gaps: dict[str, list[Span]] = {}
    for name, _, gap in held_out_gaps(music, 32):
        gaps.setdefault(Path(name).stem, []).append(gap)
    for case in recall_cases(held_out_tracks(music), plain_codec(), 5, 2.0):
        gaps.setdefault(case.name, []).append(case.gap)
    return gaps


def plain_codec() -> MelCodec:
    """A codec whose frames nobody asks for: donors are found by recall's own features."""
    bands = MelSettings().bands
    return MelCodec(MelSettings(), torch.zeros(bands), torch.ones(bands))


def sounds(audio: Stereo, centre: int) -> bool:
    """Whether every half second of the 6 s around a centre is above :data:`QUIET`."""
    around = centred(centre, 6 * RATE)
    halves = audio[:, around.start : around.stop].reshape(2, 12, -1)
    return bool((np.sqrt(np.mean(halves**2, axis=(0, 2))) > QUIET).all())


def draw(audio: Stereo, name: str, tuned: Sequence[Span]) -> list[int]:
    """Up to :data:`DRAWN` centres of a track, drawn from its name."""
    rng = np.random.default_rng([SEED, int(hashlib.sha256(name.encode()).hexdigest()[:15], 16)])
    chosen: list[int] = []
    for centre in rng.integers(REACH, audio.shape[1] - REACH + 1, 500).tolist():
        tuned_near = any(gap.start - CLEAR < centre < gap.stop + CLEAR for gap in tuned)
        near = any(abs(centre - other) < APART for other in chosen)
        if not tuned_near and not near and sounds(audio, centre):
            chosen.append(centre)
        if len(chosen) == DRAWN:
            break
    return chosen


def candidates(audio: Stereo, centres: Sequence[int]) -> list[Candidate]:
    """Centres with how well the song recalls 2 s there, without those that it has no room to recall at all.

    The song is analysed once: recall masks the gap in the features itself, so it hears as little as from
    ``Song.of(audio, [gap])``, whose level alone differs by the gap's share.
    """
    song = Song.of(audio, [], plain_codec())
    measured = []
    for centre in centres:
        gap = centred(centre, 2 * RATE)
        found = Recallable.of(find_donors(song.audio, song.features, gap, [gap]))
        if found.distance_db is not None:
            measured.append(Candidate(centre, round(found.distance_db, 3), found.word))
    return measured


def repeated(files: Sequence[tuple[Path, str]], music: Path) -> set[Path]:
    """Held-out files that add no music, or that were heard after all.

    A faster variant of a track that is held out as well; a file that stands, byte for byte, under another name among
    the training music (widelands-data has one). By names alone, as the committed weights' training was split.
    """
    trained = [path for path, package in music_files(music) if split_of(package, path.name) == "train"]
    sizes = {path.stat().st_size for path in trained}
    sizes &= {path.stat().st_size for path, _ in files}
    digests = {digest_of(path) for path in trained if path.stat().st_size in sizes}
    stems = {path.stem for path, _ in files}
    variants = {path for path, _ in files if path.stem.removesuffix("_fast") in stems - {path.stem}}
    return variants | {path for path, _ in files if path.stat().st_size in sizes and digest_of(path) in digests}


def sources(music: Path) -> Iterator[Source]:
    """Every held-out track with its candidates, without those of :func:`repeated`."""
    tuned, files = tuned_gaps(music), held_out_files(music)
    left_out = repeated(files, music)
    for path, package in files:
        audio = None if path in left_out else read_track(path)
        if audio is None:
            continue
        places = draw(audio, f"{package}/{path.name}", tuned.get(path.stem, []))
        yield Source(path, package, audio.shape[1], tuple(candidates(audio, places)))


def foreign_sources(music: Path) -> Iterator[Source]:
    """Every foreign track with its candidates; nothing was ever tuned on any, and no package adds more than its share.

    The tracks of a package are taken in the order of their names' hashes, up to a few of each.
    """
    ensure(music, foreign())
    for package in foreign().values():
        files = sorted((music / package.name).rglob(package.files), key=_drawn)
        tracks = ((path, read_track(path)) for path in files)
        long_enough = [(path, audio) for path, audio in tracks if audio is not None][:_OF_EACH]
        for path, audio in long_enough:
            places = draw(audio, f"{package.name}/{path.parent.name}/{path.name}", [])
            yield Source(path, package.name, audio.shape[1], tuple(candidates(audio, places)))


def _drawn(path: Path) -> str:
    return hashlib.sha256(f"{path.parent.name}/{path.name}".encode()).hexdigest()


def quotas(found: Sequence[Source], count: int) -> list[int]:
    """Excerpts of each track: as even as possible, the test split's tracks first in line for one more."""
    order = sorted(range(len(found)), key=lambda i: found[i].split != "test")
    counts = [0] * len(found)
    while sum(counts) < count:
        open_ = [i for i in order if counts[i] < len(found[i].candidates)]
        if not open_:
            raise InvalidRequest(f"expected {count} places in the held-out music, found {sum(counts)}: draw more")
        counts[min(open_, key=lambda i: counts[i])] += 1
    return counts


def choose(found: Sequence[Source], counts: Sequence[int]) -> list[list[Candidate]]:
    """``counts`` places of each track; in each split, easy, middle and hard are as even as exchanges make them."""
    chosen = [list(source.candidates[:count]) for source, count in zip(found, counts, strict=True)]
    tally = Counter((s.split, c.recall) for s, places in zip(found, chosen, strict=True) for c in places)
    better = True
    while better:
        better = False
        for source, places in zip(found, chosen, strict=True):
            for at, old in enumerate(places):
                for new in source.candidates:
                    # moving one from a class of a to a class of b lowers the sum of squares where a > b + 1
                    more, fewer = (source.split, old.recall), (source.split, new.recall)
                    if new not in places and tally[more] > tally[fewer] + 1:
                        places[at], better = new, True
                        tally.subtract([more])
                        tally.update([fewer])
                        break
    return [sorted(places, key=lambda c: c.centre) for places in chosen]


def heard_artist(credit: Credit, package: str, trained: Sequence[tuple[str, str]]) -> bool:
    """Whether ``trained``, packages and artists of training tracks, hold this artist or, if unknown, this package."""
    if credit.artist == UNKNOWN:
        return any(package == other for other, _ in trained)
    return any(shares_artist(credit.artist, artist) for _, artist in trained)


def matched(names: Mapping[str, Source], rng: np.random.Generator) -> list[tuple[str, str]]:
    """All names in pairs, drawn until no pair is of one track."""
    while True:
        drawn = rng.permutation(sorted(names)).tolist()
        pairs = list(zip(drawn[::2], drawn[1::2], strict=True))
        if all(names[left].path != names[right].path for left, right in pairs):
            return pairs


def floors(
    names: Mapping[str, Source], small: Set[str], pairs: Sequence[tuple[str, str]], rng: np.random.Generator
) -> dict[str, str]:
    """For each name, drawn, one of another track than its own and its pair's; for the small set, one within it."""
    mates = {**dict(pairs), **{right: left for left, right in pairs}}
    drawn = {}
    for name in names:
        taken = {names[name].path, names[mates[name]].path}
        within = [n for n in names if names[n].path not in taken and (n in small or name not in small)]
        drawn[name] = str(rng.choice(sorted(within)))
    return drawn


def document(music: Path, found: Sequence[Source], count: int) -> Document:
    """The manifest of ``count`` places of the music in a folder, of tracks that each have a candidate."""
    chosen = choose(found, quotas(found, count))
    names = {f"{s.slug}-{n + 1}": s for s, places in zip(found, chosen, strict=True) for n in range(len(places))}
    small = {f"{s.slug}-{n + 1}" for s in found if s.package in SMOKE for n in range(2)}
    rng = np.random.default_rng(SEED)
    parts = [{name: s for name, s in names.items() if (name in small) is within} for within in (True, False)]
    pairs = [pair for part in parts for pair in matched(part, rng)]
    others = floors(names, small, pairs, rng)
    trained = trained_artists(music)
    tracks = [
        recording(source, music, trained, [
            Place(name=name, centre=c.centre, distance_db=c.distance_db, other=others[name])
            for name, c in ((f"{source.slug}-{n + 1}", c) for n, c in enumerate(places))
        ])
        for source, places in zip(found, chosen, strict=True)
    ]  # fmt: skip
    used = sorted({s.package for s in found})
    versions = [Package(name=name, version=(music / name / "version").read_text().strip()) for name in used]
    return Document(
        suite=SUITE,
        seed=SEED,
        smoke=tuple(sorted(small)),
        package=tuple(versions),
        track=tuple(tracks),
        pair=tuple(Pair(left=left, right=right) for left, right in pairs),
    )


def trained_artists(music: Path) -> list[tuple[str, str]]:
    """Package and artist of each training track."""
    return [
        (package, credit_of(path, package).artist)
        for path, package in music_files(music)
        if split_of(package, path.name) == "train" and soundfile.info(path).duration >= SHORTEST
    ]


def recording(source: Source, music: Path, trained: Sequence[tuple[str, str]], places: Sequence[Place]) -> Recording:
    """A file's entry."""
    credit = credit_of(source.path, source.package)
    return Recording(
        package=source.package,
        file=source.path.relative_to(music / source.package).as_posix(),
        sha256=digest_of(source.path),
        title=source.title if credit.title == source.path.stem else credit.title,
        artist=credit.artist,
        licence=foreign()[source.package].licence if source.split == "foreign" else packages()[source.package],
        split=source.split,
        heard=heard_artist(credit, source.package, trained),
        samples=source.samples,
        excerpts=tuple(places),
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("--foreign", action="store_true", help="of other kinds of music; fetches its packages")
    parser.add_argument("--to", type=Path, help="a file; the bench's own, unless given")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = foreign_sources(options.music) if options.foreign else sources(options.music)
    count, own = (FOREIGN_COUNT, FOREIGN_PATH) if options.foreign else (COUNT, PATH)
    made = document(options.music, [source for source in found if source.candidates], count)
    excerpts = manifest_of(made).excerpts
    text = HEADER + tomli_w.dumps(made.model_dump())
    with replacing(options.to or own) as part:
        part.write_text(text, encoding="utf-8")
    counts: dict[Recall, int] = Counter(e.recall for e in excerpts)
    print(f"{len(excerpts)} excerpts of {len(made.track)} tracks: {dict(counts)}; {len(made.pair)} pairs")


if __name__ == "__main__":
    main()
