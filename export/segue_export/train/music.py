"""The training music: Debian packages fetched by apt, their audio and copyright files extracted.

``python -m segue_export.train.music FOLDER`` leaves ``FOLDER/<package>/...`` and
``FOLDER/sources.json`` with the version of each package and its licence.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from segue_export.train.corpus import SUFFIXES


def packages() -> dict[str, str]:
    """Names of the packages and the licences of their music, from music.toml."""
    with (Path(__file__).parent / "music.toml").open("rb") as f:
        return {entry["name"]: entry["licence"] for entry in tomllib.load(f)["package"]}


def fetch(package: str, folder: Path) -> Path:
    """Download a package with apt, without installing it; the .deb."""
    subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, check=True)
    return next(folder.glob(f"{package}_*.deb"))


def extract(deb: Path, into: Path) -> None:
    """Only the audio and the copyright file: the rest of these packages is large."""
    into.mkdir(parents=True, exist_ok=True)
    patterns = [f"*{suffix}" for suffix in SUFFIXES] + ["*/copyright"]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as contents:
        # tar reports patterns that match nothing as an error; what was extracted is checked below
        subprocess.run(
            ["tar", "-x", "-C", into, "--wildcards", *patterns],
            stdin=contents.stdout,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    if contents.returncode or not any(p.suffix in SUFFIXES for p in into.rglob("*")):
        raise RuntimeError(f"{deb.name} holds no audio: expected files ending in {', '.join(SUFFIXES)}")


def gather_package(package: str, folder: Path) -> str:
    """Fetch and extract one package into ``folder/package`` unless it is there; the version that is there."""
    into = folder / package
    if not (into / "version").exists():
        with tempfile.TemporaryDirectory() as temporary:
            deb = fetch(package, Path(temporary))
            version = deb.name.split("_")[1].replace("%3a", ":")
            extract(deb, into)
        (into / "version").write_text(version)
    return (into / "version").read_text()


def gather(folder: Path) -> None:
    """Fetch and extract every package that is not there yet."""
    sources = []
    for package, licence in packages().items():
        version = gather_package(package, folder)
        sources.append({"package": package, "version": version, "licence": licence})
        print(f"{package} {version}", flush=True)
    (folder / "sources.json").write_text(json.dumps(sources, indent=2))


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    gather(target)
