"""``segue doctor``: does everything a render needs work on this machine, and if not, what to do."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from segue.cli.options import Json
from segue.cli.output import print_json

MIN_MEMORY_MB = 1500
"""Below this much free memory a render may be killed; torch and the embedded bundle take about 1 GB."""

MIN_DISK_MB = 500


@dataclass(frozen=True)
class Check:
    """One finding: ``state`` is ok, warning (renders still work) or broken; ``fix`` says what to do about it."""

    name: str
    state: str
    found: str
    fix: str = ""


def doctor(
    bundle: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="The bundle to try.")] = None,
    as_json: Json = False,
) -> None:
    """Check what a render needs, and say what to do.

    Exit code 1 if anything is broken.
    """
    checks = [run() for run in (python, torch, onnxruntime, audio_files, lambda: model(bundle), folders, memory, disk)]
    broken = any(check.state == "broken" for check in checks)
    if as_json:
        print_json({"ok": not broken, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            print(f"{check.state:8} {check.name:12} {check.found}")
            if check.fix:
                print(f"{'':21} -> {check.fix}")
    if broken:
        raise typer.Exit(1)


def python() -> Check:
    """The interpreter."""
    found = f"{sys.version.split()[0]} ({sys.executable})"
    return Check("python", "ok", found)


def torch() -> Check:
    """Torch is importable, and the version Segue is made for."""
    try:
        import torch as module
    except (ImportError, OSError) as error:
        return Check("torch", "broken", str(error), "reinstall it: pip install --force-reinstall segue")
    device = "cuda" if module.cuda.is_available() else "cpu"
    found = f"{module.__version__}, {device}, {module.get_num_threads()} threads"
    pinned = _pinned("torch")
    if pinned and module.__version__.split("+")[0] != pinned:
        return Check("torch", "warning", found, f"Segue is tested with torch {pinned}: pip install torch=={pinned}")
    return Check("torch", "ok", found)


def onnxruntime() -> Check:
    """ONNX Runtime and its execution providers."""
    try:
        import onnxruntime as module
    except (ImportError, OSError) as error:
        fix = "install it: pip install segue[cpu], or segue[gpu] with an NVIDIA GPU"
        return Check("onnxruntime", "broken", str(error), fix)
    return Check("onnxruntime", "ok", f"{module.__version__}: {', '.join(module.get_available_providers())}")


def audio_files() -> Check:
    """The formats that libsndfile can read and write here."""
    try:
        import soundfile
    except (ImportError, OSError) as error:
        return Check(
            "audio files", "broken", str(error), "install libsndfile, or pip install --force-reinstall soundfile"
        )
    wanted = ("WAV", "AIFF", "FLAC", "OGG")
    missing = [name for name in wanted if name not in soundfile.available_formats()]
    found = f"libsndfile {soundfile.__libsndfile_version__}"
    if missing:
        return Check("audio files", "warning", f"{found} without {', '.join(missing)}", "update libsndfile")
    return Check("audio files", "ok", f"{found}: {', '.join(wanted)}")


def model(bundle: str | None) -> Check:
    """The bundle opens, and fills a gap in two seconds of noise in one step."""
    try:
        import numpy as np

        from segue.api import Renderer, RenderSettings, fill

        manifest = Renderer(bundle).bundle.manifest
        began = time.perf_counter()
        noise = 0.1 * np.random.default_rng(0).standard_normal((2, 2 * 44100), np.float32)
        filled = fill(noise, 44100, gap=(0.8, 1.2), settings=RenderSettings(steps=1, bundle=bundle))
    except Exception as error:  # whatever it is, finding it is what this command is for
        fix = "reinstall Segue" if bundle is None else "export the bundle again, or name another with --bundle"
        what = " ".join(f"{type(error).__name__}: {error}".split())
        return Check("bundle", "broken", f"{bundle or 'the embedded one'}: {what}", fix)
    found = f"{manifest.name} {manifest.version}, one step in {time.perf_counter() - began:.1f} s"
    if not np.isfinite(filled.audio).all():
        return Check("bundle", "broken", f"{found}, with NaN", "reinstall Segue, or name another bundle with --bundle")
    return Check("bundle", "ok", found)


def folders() -> Check:
    """Segue's data and cache folders can be written to."""
    import platformdirs

    found = []
    for path in (Path(platformdirs.user_data_dir("segue")), Path(platformdirs.user_cache_dir("segue"))):
        existing = next(parent for parent in (path, *path.parents) if parent.exists())
        try:
            with tempfile.NamedTemporaryFile(dir=existing):
                found.append(str(path))
        except OSError as error:
            return Check("folders", "broken", f"{path}: {error}", f"make {existing} writable for this user")
    return Check("folders", "ok", ", ".join(found))


def memory() -> Check:
    """Enough free memory for a render."""
    from segue.render.memory import available_mb

    free = available_mb()
    if free is None:
        return Check("memory", "warning", "unknown on this system", f"see that {MIN_MEMORY_MB} MB are free")
    found = f"{free:.0f} MB free"
    if free < MIN_MEMORY_MB:
        return Check("memory", "warning", found, f"close other programs until {MIN_MEMORY_MB} MB are free")
    return Check("memory", "ok", found)


def disk() -> Check:
    """Enough free disk where temporary files go."""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    found = f"{free / 2**20:.0f} MB free in {folder}"
    if free < MIN_DISK_MB * 2**20:
        return Check("disk", "warning", found, f"free {MIN_DISK_MB} MB there, or set TMPDIR to another disk")
    return Check("disk", "ok", found)


def _pinned(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires("segue") or []
    except PackageNotFoundError:
        return None
    return next((line.split("==")[1].split(";")[0].strip() for line in lines if line.startswith(f"{package}==")), None)
