"""Small projects made for tests: as DAWproject and as REAPER text, over files of known samples."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from segue.clip.recipe import Recipe

RATE = 8000

DAW = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Project version="1.0">
  <Application name="Test" version="1"/>
  <Transport><Tempo unit="bpm" value="{bpm}" id="t0" name="Tempo"/></Transport>
  <Structure>
    <Track contentType="audio" loaded="true" id="t1" name="Drums"><Channel audioChannels="1" role="regular" id="t2"
      destination="t9"><Devices><BuiltinDevice deviceName="Segue" deviceRole="audioFX" id="t3"><Parameters>
      <RealParameter unit="normalized" value="0.5" id="t4" name="Freedom"/>
      <BoolParameter value="false" id="t5" name="Gap"/></Parameters></BuiltinDevice></Devices>
      <Pan unit="normalized" value="0.5" id="t6"/><Volume unit="linear" value="0.7" id="t7"/></Channel></Track>
    <!-- kept -->
    <Track contentType="audio" loaded="true" id="t8" name="Mix"><Channel role="master" id="t9"/></Track>
  </Structure>
  <Arrangement id="a0">
    <Lanes timeUnit="{unit}" id="a1"><Lanes track="t1" id="a2">{lane}</Lanes></Lanes>
    {after}
  </Arrangement>
  <Scenes/>
</Project>
"""

RECIPE = Recipe(
    task="infill",
    parameters={},
    seed=0,
    bundle="b",
    bundle_digest="0" * 64,
    clip_digest="0" * 64,
    sources=(),
    versions={},
    device="cpu",
)

META = '<?xml version="1.0" encoding="UTF-8"?>\n<MetaData><Title>Song</Title></MetaData>\n'


def noise(seconds: float, seed: int = 0, rate: int = RATE) -> np.ndarray:
    """Mono noise at an RMS of 0.1."""
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    """A float WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return path


def dawproject(
    path: Path, lane: str, files: Mapping[str, np.ndarray], *, bpm: float = 120.0, unit: str = "beats", after: str = ""
) -> Path:
    """A container with a track "Drums" whose lanes hold ``lane``; ``after``: markers and tempo."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("metadata.xml", META)
        container.writestr("project.xml", DAW.format(lane=lane, bpm=bpm, unit=unit, after=after))
        for name, samples in files.items():
            container.write(write(path.parent / "packed" / Path(name).name, samples), name)
    return path


def audio(name: str, seconds: float, **attributes: object) -> str:
    """An audio element."""
    more = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return (
        f'<Audio channels="1" duration="{seconds}" sampleRate="{RATE}" id="audio-{name.replace("/", "-")}">'
        f'<File path="{name}"{more}/></Audio>'
    )


def item(position: float, length: float, file: str, extra: str = "") -> str:
    """A REAPER item, without fades."""
    return f"""    <ITEM
      POSITION {position}
      LENGTH {length}
      LOOP 0
      NAME item
      VOLPAN 1 0 1 -1
{extra}      <SOURCE WAVE
        FILE "{file}"
      >
    >
"""


def reaper(path: Path, items: str, head: str = "", chain: str = "", ending: str = "\n") -> Path:
    """A REAPER project with a track "Drums" and one that it sends to."""
    text = f"""<REAPER_PROJECT 0.1 "7.0/linux" 1700000000
  RIPPLE 0
  TEMPO 120 4 4
{head}  <TRACK {{11111111-0000-0000-0000-000000000000}}
    NAME Drums
    VOLPAN 0.7 0 -1 -1 1
{chain}{items}  >
  <TRACK {{22222222-0000-0000-0000-000000000000}}
    NAME "Bus of all"
    AUXRECV 0 0 1 0 0 0 0 0 0 -1:U 0 -1 ''
  >
>
"""
    path.write_bytes(text.replace("\n", ending).encode() + b"")
    return path
