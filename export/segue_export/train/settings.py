"""What is trained, and how: the settings of a run, as one TOML file that stays with its weights."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ConfigDict, TypeAdapter, ValidationError

from segue.errors import InvalidRequest
from segue.prior.codecs.mel import MelSettings
from segue_export.models.mel_transformer import MelTransformerSettings
from segue_export.train.batches import BatchSettings
from segue_export.train.course import TrainSettings


@dataclass(frozen=True)
class PriorSettings:
    """All that makes a run, but for how long, on what and with which seed. The defaults are the embedded prior's.

    Raises:
        InvalidRequest: the network does not fit the mel or the donors.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    mel: MelSettings = field(default_factory=MelSettings)
    network: MelTransformerSettings = field(default_factory=lambda: MelTransformerSettings(consensus=True))
    batches: BatchSettings = field(default_factory=lambda: BatchSettings(consensus=True))
    training: TrainSettings = field(default_factory=TrainSettings)

    def __post_init__(self) -> None:
        for what, has, needs in (
            ("channels", self.network.channels, self.mel.channels),
            ("donors", self.network.donors, self.batches.donors),
            ("consensus", self.network.consensus, self.batches.consensus),
        ):
            if has != needs:
                raise InvalidRequest(f"network.{what}: expected {needs}, as the mel and the batches make, got {has}")


def read_settings(path: Path) -> PriorSettings:
    """The settings of a TOML file; what it does not name has its default.

    Raises:
        InvalidRequest: no TOML, an unknown name, a value of the wrong type, or settings that contradict each other.
    """
    try:
        with path.open("rb") as f:
            table = tomllib.load(f)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InvalidRequest(f"{path}: expected settings in TOML: {error}") from error
    return _checked(table, str(path))


def settings_of_run(run: Path) -> PriorSettings:
    """What a run was begun with: its ``settings.toml``, or the defaults where it has none."""
    began = run / "settings.toml"
    return read_settings(began) if began.exists() else PriorSettings()


def _checked(table: dict[str, Any], source: str) -> PriorSettings:
    known = asdict(PriorSettings())
    for section, values in table.items():
        if section not in known or not isinstance(values, dict):
            raise InvalidRequest(f"{source}: expected the tables {', '.join(known)}, got {section}")
        unknown = sorted(set(values) - set(known[section]))
        if unknown:
            raise InvalidRequest(f"{source}: [{section}] knows {', '.join(known[section])}, not {', '.join(unknown)}")
    try:
        return TypeAdapter(PriorSettings).validate_python(table, strict=False)
    except ValidationError as error:
        raise InvalidRequest(f"{source}: {error}") from error


def write_settings(settings: PriorSettings, path: Path) -> None:
    """All values, so that a later default does not change what a run was."""
    path.write_bytes(tomli_w.dumps(asdict(settings)).encode())
