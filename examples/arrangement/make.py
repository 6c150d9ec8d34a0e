"""Make a small song with a hole in its drums, as a DAWproject and as a REAPER project, to try ``segue bounce`` on.

python examples/arrangement/make.py FOLDER
segue bounce FOLDER/song.dawproject --track Drums -o FOLDER/filled.dawproject
segue bounce FOLDER/song.rpp --track Drums -o FOLDER/filled.rpp
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import soundfile

MUSIC = Path(__file__).parents[1] / "music" / "upbeat.flac"
BPM = 120.0
BEAT = 60.0 / BPM
CLIPS = ((0.0, 6.0), (7.0, 13.0))
"""Seconds of the song that are there; the second between is missing."""

PROJECT = """<?xml version="1.0" encoding="UTF-8"?>
<Project version="1.0">
  <Application name="Segue example" version="1.0"/>
  <Transport>
    <Tempo max="666.0" min="20.0" unit="bpm" value="{bpm}" id="tempo" name="Tempo"/>
    <TimeSignature denominator="4" numerator="4" id="signature"/>
  </Transport>
  <Structure>
    <Track contentType="audio" loaded="true" id="drums" name="Drums">
      <Channel audioChannels="2" destination="mix" role="regular" id="drums-channel">
        <Volume max="2.0" min="0.0" unit="linear" value="0.8" id="drums-volume" name="Volume"/>
      </Channel>
    </Track>
    <Track contentType="audio notes" loaded="true" id="master" name="Master">
      <Channel audioChannels="2" role="master" id="mix"/>
    </Track>
  </Structure>
  <Arrangement id="arrangement">
    <Lanes timeUnit="beats" id="lanes">
      <Lanes track="drums" id="drums-lanes">
        <Clips id="drums-clips">
{clips}
        </Clips>
      </Lanes>
    </Lanes>
    <Markers id="markers">
      <Marker time="{marker}" name="second half"/>
    </Markers>
  </Arrangement>
</Project>
"""

CLIP = """          <Clip time="{time}" duration="{duration}" playStart="0.0" name="drums {number}">
            <Warps contentTimeUnit="seconds" timeUnit="beats" id="warps-{number}">
              <Audio algorithm="raw" channels="2" duration="{seconds}" sampleRate="{rate}" id="audio-{number}">
                <File path="audio/drums-{number}.wav"/>
              </Audio>
              <Warp time="0.0" contentTime="0.0"/>
              <Warp time="{duration}" contentTime="{seconds}"/>
            </Warps>
          </Clip>"""

ITEM = """    <ITEM
      POSITION {start}
      LENGTH {seconds}
      LOOP 0
      FADEIN 1 0.01 0 1 0 0 0
      FADEOUT 1 0.01 0 1 0 0 0
      NAME "drums {number}"
      VOLPAN 1 0 1 -1
      SOFFS 0
      PLAYRATE 1 1 0 -1 0 0.0025
      <SOURCE WAVE
        FILE "audio/drums-{number}.wav"
      >
    >
"""

SONG = """<REAPER_PROJECT 0.1 "7.0/linux-x86_64" 1700000000
  TEMPO {bpm} 4 4
  MARKER 1 {marker} "second half" 0
  <TRACK
    NAME Drums
    VOLPAN 0.8 0 -1 -1 1
{items}  >
>
"""


def make(folder: Path) -> tuple[Path, Path]:
    """Write both projects and their audio; the DAWproject and the REAPER project."""
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    clips, items, files = [], [], []
    for number, (start, stop) in enumerate(CLIPS, 1):
        rate = soundfile.info(MUSIC).samplerate
        samples, _ = soundfile.read(MUSIC, start=round(start * rate), stop=round(stop * rate), always_2d=True)
        files.append(folder / "audio" / f"drums-{number}.wav")
        soundfile.write(files[-1], samples, rate, subtype="PCM_24")
        about = {"number": number, "seconds": stop - start, "rate": rate}
        clips.append(CLIP.format(**about, time=start / BEAT, duration=(stop - start) / BEAT))
        items.append(ITEM.format(**about, start=start))
    song, reaper = folder / "song.dawproject", folder / "song.rpp"
    with zipfile.ZipFile(song, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("metadata.xml", '<?xml version="1.0" encoding="UTF-8"?>\n<MetaData/>\n')
        text = PROJECT.format(bpm=BPM, clips="\n".join(clips), marker=CLIPS[1][0] / BEAT)
        container.writestr("project.xml", text)
        for file in files:
            container.write(file, f"audio/{file.name}")
    reaper.write_text(SONG.format(bpm=BPM, items="".join(items), marker=CLIPS[1][0]), encoding="utf-8")
    return song, reaper


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python make.py FOLDER")
    for path in make(Path(sys.argv[1])):
        print(path)
