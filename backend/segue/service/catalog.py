"""What this renderer can do, as WELCOME lists it; read from manifests alone, no bundle is opened."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from segue.errors import BundleRejected, InvalidRequest
from segue.prior.folders import bundles_folder, embedded_folder, find_bundle, is_bundle_name, packaged_folder
from segue.prior.manifest import MANIFEST, Manifest, parse_manifest, read_manifest
from segue.service.jobs import TASK_USES
from segue.service.wire import EMBEDDED
from segue.style.preset import is_preset_name, preset_paths
from segue_protocol import limits
from segue_protocol.messages import Bundle, Settings

TASKS = tuple(sorted(TASK_USES))
SAMPLERS = ("ddim", "ddpm", "ding", "dpmpp", "dpmpp-sde", "pingpong")
"""Names of :mod:`segue.sampling.registry`, which imports torch and so cannot be asked here; a test compares them."""

_MAX_MANIFEST = 4 << 20
_log = logging.getLogger(__name__)


class Catalog:
    """The default bundle, those in the user's folder and the package's; looked up again when that folder changes."""

    def __init__(self, default: str | None = None, folder: Path | None = None) -> None:
        """``default``: the bundle of the devices, by name or path, None for the embedded one.

        Raises:
            BundleRejected: it cannot be read.
        """
        self._folder = folder or bundles_folder()
        if default is None:
            name, manifest = EMBEDDED, read_manifest(embedded_folder())[0]
        else:
            manifest = _manifest(find_bundle(default, self._folder))
            name = default if is_bundle_name(default) else manifest.name
        self._default, self._spoken = _listed(name, manifest), _spoken(manifest)
        self._looked: int | None = -1
        self._bundles: dict[str, Bundle] = {}
        self._prompts: dict[str, tuple[str, ...]] = {}

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """All, the default one first."""
        looked = None
        with suppress(OSError):
            looked = self._folder.stat().st_mtime_ns
        if looked != self._looked:
            found, prompts = {self._default.name: self._default}, {self._default.name: self._spoken}
            for bundle, spoken in chain(_read_all(self._folder), _read_all(packaged_folder())):
                found.setdefault(bundle.name, bundle)
                prompts.setdefault(bundle.name, spoken)
            self._prompts = prompts
            self._bundles = dict(list(found.items())[: limits.MAX_LISTED])
            self._looked = looked
        return tuple(self._bundles.values())

    @property
    def presets(self) -> tuple[str, ...]:
        """Names of all styles, the package's and the user's, and behind them those of the bundles' stored prompts."""
        prompts = (name for bundle in self.bundles for name in self._prompts[bundle.name])
        return tuple(dict.fromkeys([*preset_paths(), *prompts]))[: limits.MAX_PRESETS]

    def heard(self, settings: Settings) -> Settings:
        """``settings`` with a stored prompt of their bundle, named as a preset, as the prompt that it is.

        Raises:
            InvalidRequest: there is another prompt beside it.
        """
        bundle = settings.bundle or self._default.name
        if bundle not in [one.name for one in self.bundles]:
            return settings  # refused by :meth:`resolve`
        if settings.preset not in self._prompts[bundle] or settings.preset in preset_paths():
            return settings
        if settings.prompt is not None:
            raise InvalidRequest(
                f"expected the stored prompt {settings.preset!r} or another prompt, got both: give one"
            )
        return settings.model_copy(update={"preset": None, "prompt": settings.preset})

    def resolve(self, name: str) -> str | None:
        """What jobs call a bundle that a client names; None is the default one.

        Raises:
            BundleRejected: none of that name is listed: a client cannot make the renderer open anything else.
        """
        known = [bundle.name for bundle in self.bundles]
        if name not in known:
            raise BundleRejected(f"expected a bundle of {', '.join(known)}, got {name!r}")
        return None if name == self._default.name else name


def _spoken(manifest: Manifest) -> tuple[str, ...]:
    """Names of the stored prompts that can travel as names of presets."""
    return tuple(prompt.name for prompt in manifest.prompts if is_preset_name(prompt.name))


def _listed(name: str, manifest: Manifest) -> Bundle:
    return Bundle(name=name, version=manifest.version, kind=manifest.kind, commercial=manifest.commercial_use)


def _read_all(folder: Path) -> Iterator[tuple[Bundle, tuple[str, ...]]]:
    """Bundles by the names that find them, their stored prompts with each; what cannot be read is said once."""
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            name = path.stem if path.suffix == ".zip" else path.name
            if not is_bundle_name(name):
                continue
            try:
                manifest = _manifest(path)
                found = _listed(name, manifest), _spoken(manifest)
            except Exception as error:  # whatever zipfile, zlib and TOML make of somebody's file
                _log.warning("the bundle %s is left out: %s: %s", path.name, type(error).__name__, error)
            else:
                yield found


def _manifest(path: Path) -> Manifest:
    zipped = path if path.suffix == ".zip" else path.with_name(f"{path.name}.zip")
    if path.is_dir() or not zipped.is_file():
        return read_manifest(path)[0]
    with zipfile.ZipFile(zipped) as archive, archive.open(MANIFEST) as file:
        return parse_manifest(file.read(_MAX_MANIFEST + 1))
