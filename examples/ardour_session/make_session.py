"""Makes an Ardour 7 session: two clips with a hole between them, Segue on the track, the Gap and Render lanes drawn.

    make install-plugin
    python examples/ardour_session/make_session.py FOLDER

Open it, play across the hole and six seconds on, then play again: the hole is filled.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as Xml
from pathlib import Path

import soundfile

EXCERPT = Path(__file__).parents[1] / "music" / "upbeat.flac"
HOLE = (16.0, 18.0)  # seconds
SCANNER = Path("/usr/lib/ardour7/ardour-vst3-scanner")
PATHS = {  # as /usr/bin/ardour7-lua sets them
    "LD_LIBRARY_PATH": "/usr/lib/ardour7",
    "ARDOUR_DATA_PATH": "/usr/share/ardour7",
    "ARDOUR_CONFIG_PATH": "/etc/ardour7",
    "ARDOUR_DLL_PATH": "/usr/lib/ardour7",
}
SUPERCLOCK = 282_240_000  # Ardour's units of time in a second


class SessionError(Exception):
    """What was expected, what came, what to do."""


def make_session(folder: Path, audio: Path = EXCERPT, hole: tuple[float, float] = HOLE) -> Path:
    """A session of the folder's name with a stereo file as two clips, around ``hole`` in seconds; its .ardour file."""
    if not (luasession := shutil.which("ardour7-lua")) or not SCANNER.exists():
        raise SessionError("Ardour 7 is not installed: apt-get install ardour")
    plugin = Path.home() / ".vst3" / "Segue.vst3"
    if not plugin.exists():
        raise SessionError(f"there is no {plugin}: run make install-plugin")
    if folder.exists():
        raise SessionError(f"{folder} is there already: name another folder, or remove it")
    rate = soundfile.info(audio).samplerate
    scan(plugin)
    edges = [round(second * rate) for second in hole]
    run([luasession, str(Path(__file__).with_name("create.lua")), str(folder), folder.name, *map(str, (rate, *edges))])
    session = folder / f"{folder.name}.ardour"
    frames = copy_audio(audio, folder / "interchange" / folder.name / "audiofiles")
    lay_clips(session, rate, frames, (0, edges[0]), (edges[1], frames))
    return session


def scan(plugin: Path) -> None:
    """Tell Ardour of a new or rebuilt plug-in, as its plug-in manager does."""
    run([str(SCANNER), "-f", str(plugin)], **PATHS)


def run(command: list[str], **environment: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=120
    )
    if done.returncode != 0:
        raise SessionError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def copy_audio(audio: Path, folder: Path) -> int:
    """The two channels as files of their own, as Ardour keeps them; their length in samples."""
    samples, rate = soundfile.read(audio, dtype="float32", always_2d=True)
    folder.mkdir(parents=True, exist_ok=True)
    for channel, side in enumerate("LR"):
        soundfile.write(folder / f"song%{side}.wav", samples[:, channel], rate, subtype="FLOAT")
    return len(samples)


def lay_clips(session: Path, rate: int, frames: int, *clips: tuple[int, int]) -> None:
    """Write sources, regions and the session's end into the file: importing is a thing of Ardour's windows alone."""
    tree = Xml.parse(session)
    root = tree.getroot()
    ids = iter(range(int(root.attrib["id-counter"]), 10**6))
    sources = [_add(root.find("Sources"), "Source", next(ids), name=f"song%{side}.wav", **_SOURCE) for side in "LR"]
    files = {
        f"{kind}-{channel}": source for kind in ("source", "master-source") for channel, source in enumerate(sources)
    }

    def region(parent: Xml.Element | None, start: int, stop: int, whole: bool) -> None:
        start_, length = (f"a{sample * SUPERCLOCK // rate}" for sample in (start, stop - start))
        about = {"name": "song", "start": start_, "length": f"{length}@{start_}", "whole-file": str(int(whole))}
        _add(parent, "Region", next(ids), **about, **files, **_REGION, **{"ancestral-length": f"{length}@a0"})

    region(root.find("Regions"), 0, frames, whole=True)
    track = next(playlist for playlist in root.iter("Playlist") if playlist.get("name") == "Song")
    for clip in clips:
        region(track, *clip, whole=False)
    end = f"a{frames * SUPERCLOCK // rate}"
    about = {"name": "session", "start": "a0", "end": end, "flags": "IsSessionRange", "locked": "0"}
    _add(root.find("Locations"), "Location", next(ids), **about)
    root.set("id-counter", str(next(ids)))
    tree.write(session, encoding="UTF-8", xml_declaration=True)


def _add(parent: Xml.Element | None, tag: str, number: int, **attributes: str) -> str:
    if parent is None:
        raise SessionError(f"expected a session of Ardour 7, which has a place for each {tag}")
    Xml.SubElement(parent, tag, {"id": str(number), **attributes})
    return str(number)


_SOURCE = {"take-id": "", "type": "audio", "flags": "", "channel": "0", "origin": "", "gain": "1"}
_REGION = {
    **dict.fromkeys(("muted", "locked", "video-locked", "automatic", "import", "external", "sync-marked"), "0"),
    **dict.fromkeys(("hidden", "position-locked", "valid-transients", "layering-index", "envelope-active"), "0"),
    **dict.fromkeys(("default-fade-in", "default-fade-out", "fade-in-active", "fade-out-active"), "0"),
    **dict.fromkeys(("opaque", "stretch", "shift", "scale-amplitude"), "1"),
    **dict.fromkeys(("sync-position", "ancestral-start"), "a0"),
    **{"type": "audio", "first-edit": "nothing", "channels": "2"},
}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        print(make_session(Path(sys.argv[1])))
    except SessionError as error:
        sys.exit(str(error))
