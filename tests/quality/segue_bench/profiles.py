"""Profiles: which cases and seeds one run of the bench has.

``smoke``: a few minutes, two small packages. ``report``: what the docs print, a 2 s infill of every excerpt and fewer
of the rest. ``seeds``: what different seeds do. ``foreign``: 2 s infills in kinds of music that training hardly heard.
``full``: every condition of every excerpt and pair, two seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from segue.errors import InvalidRequest
from segue_bench.cases import Maker, Setting
from segue_bench.contract import Case, Excerpt
from segue_bench.manifest import FOREIGN_PATH, Manifest, load
from segue_bench.music import Loader, loader

Methods = tuple[str, ...] | Literal["all"]


@dataclass(frozen=True)
class Condition:
    """A setting, the number of excerpts (of pairs, for a transition) it is tried on, and the methods that try it.

    The first ``excerpts`` of the manifest's order, or all of them; methods that cannot do the task are left out.
    """

    setting: Setting
    excerpts: int | Literal["all"] = "all"
    methods: Methods = "all"


@dataclass(frozen=True)
class Profile:
    """What one run measures, on which ``places``: held-out ones, those of the small smoke set, or those of other kinds
    of music. Methods that draw run once with each of ``seeds``.
    """

    name: str
    conditions: tuple[Condition, ...]
    seeds: tuple[int, ...] = (0,)
    places: Literal["held out", "smoke", "foreign"] = "held out"

    def manifest(self) -> Manifest:
        """The excerpts this profile chooses from."""
        match self.places:
            case "held out":
                return load()
            case "smoke":
                return load().small()
            case "foreign":
                return load(FOREIGN_PATH)


GAPS = (0.05, 0.3, 1.0, 2.0, 4.0)
"""Seconds of the infilled gaps."""

MAIN = Setting("infill", 2.0)
OTHERS = (
    *(Setting("infill", seconds) for seconds in GAPS if seconds != MAIN.seconds),
    Setting("regenerate", 2.0),
    Setting("continuation", 3.6),
    Setting("transition", 2.5),
    Setting("embedder", 2.0),
    Setting("classifier", 2.0),
)
"""Beside the main one, with the whole song."""

ALONE = tuple(Setting(s.task, s.seconds, whole_song=False) for s in (MAIN, *OTHERS))
"""All of them with no more than a clip."""

PAPER = tuple(s for s in ALONE if s.task != "infill" or s.seconds == MAIN.seconds)
"""Those of :data:`ALONE` that the paper reports."""

FEW = ("real", "other", "copy", "splice", "ddpm-50", "mean", "generated-10", "default")
"""Some of each family, none slow: methods of a smoke run."""

CORE: Methods = (
    *("real", "round trip", "round trip, mosaic", "other", "noise"),
    *("silence", "cross-fade", "mirrored", "loop", "copy", "context splice", "splice", "janssen"),
    *("ddpm-50 guided", "ddim-50 guided"),
    *(
        "default",
        "mean",
        "generated-5",
        "generated-10",
        "generated-14",
        "generated-20",
        "ding-10",
        "ding-20",
        "regenerated splice",
    ),
)
"""The methods of the report's main table."""

SIDE: Methods = (
    *("real", "round trip", "other", "noise"),
    *("cross-fade", "mirrored", "loop", "copy", "splice", "janssen"),
    *("ddpm-50 guided", "ddim-50 guided", "ddpm-50 unsteered", "ddpm-50 steered"),
    *("default", "mean", "generated-10", "ding-20", "reshaped"),
    *("unsteered", "mean step", "mean step, mosaic", "exact gradient"),
)
"""The methods of the smaller tables: those that the targets and the paper's tasks ask for."""

FOREIGN: Methods = (
    *("real", "round trip", "other", "cross-fade", "copy", "context splice", "splice"),
    *("mean", "generated-10", "default"),
)
"""What a musician gets of music that the prior was not trained on, and what it is measured against."""

SEEDS: Methods = ("real", "elsewhere", "splice", "default", "generated-5", "regenerated splice")
"""What different seeds do, and how far apart any two places of the song are."""

WAVES: Methods = ("waveform", "waveform ddpm-50 guided", "waveform round trip")
"""The paper's waveform class."""

PROFILES = {
    profile.name: profile
    for profile in (
        Profile("smoke", (Condition(MAIN, "all", FEW), Condition(Setting("regenerate", 2.0), 2, FEW)), places="smoke"),
        Profile(
            "report",
            (
                Condition(MAIN, "all", CORE),
                Condition(MAIN, 16, WAVES),
                *(Condition(setting, 4, SIDE) for setting in (*OTHERS, *PAPER)),
            ),
        ),
        Profile(
            "seeds",
            (Condition(MAIN, 32, SEEDS),),
            seeds=(0, 1, 2, 3),
        ),
        Profile("foreign", (Condition(MAIN, "all", FOREIGN),), places="foreign"),
        Profile("full", tuple(Condition(setting) for setting in (MAIN, *OTHERS, *ALONE)), seeds=(0, 1)),
    )
}


def schedule(profile: Profile, manifest: Manifest) -> list[tuple[Excerpt, tuple[Condition, ...]]]:
    """The conditions of each excerpt, excerpts in the manifest's order; those with none are left out.

    Raises:
        InvalidRequest: a condition asks for more excerpts, or pairs, than there are.
    """
    asked: dict[str, list[Condition]] = {excerpt.name: [] for excerpt in manifest.excerpts}
    for condition in profile.conditions:
        transition = condition.setting.task == "transition"
        names = [left for left, _ in manifest.pairs] if transition else list(asked)
        wanted = len(names) if condition.excerpts == "all" else condition.excerpts
        if not 0 < wanted <= len(names):
            what = "pairs" if transition else "excerpts"
            raise InvalidRequest(
                f"profile {profile.name}: {condition.setting.task} asks for {wanted} {what}, expected 1 to {len(names)}"
            )
        for name in names[:wanted]:
            asked[name].append(condition)
    return [(manifest.by_name[name], tuple(conditions)) for name, conditions in asked.items() if conditions]


def cases(
    profile: Profile, music: Path, manifest: Manifest | None = None, tracks: Loader | None = None
) -> Iterator[tuple[Condition, Case]]:
    """Every case of a profile, all conditions of one excerpt together; each is made when it is asked for.

    ``music``: the folder of :func:`segue_bench.music.ensure`. ``manifest`` and ``tracks`` replace the profile's own.

    Raises:
        InvalidRequest: see :func:`schedule`.
        AudioFileError: see :func:`segue_bench.music.track`.
    """
    manifest = manifest or profile.manifest()
    maker = Maker(manifest, tracks or loader(music, manifest))
    for excerpt, conditions in schedule(profile, manifest):
        for condition in conditions:
            yield condition, maker.case(excerpt, condition.setting)
