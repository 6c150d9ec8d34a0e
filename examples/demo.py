"""Fills a two-second hole in a bundled excerpt of real music: filled WAV, spectrogram and report go to a folder.

Run by ``make demo``; ``python examples/demo.py FOLDER``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import segue
from segue.clip.files import read_audio
from segue.render.plot import plot_fill

EXCERPT = Path(__file__).parent / "music" / "upbeat.flac"
GAP = (16.0, 18.0)  # seconds
SETTINGS = segue.RenderSettings(method="generated")  # by the embedded prior, from noise; None: the best of all


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / "upbeat-filled.wav"
    result = segue.fill_file(EXCERPT, out, gaps=[f"{GAP[0]}:{GAP[1]}"], settings=SETTINGS, overwrite=True)
    (folder / "report.json").write_text(json.dumps(result.report, indent=2))
    before, after = read_audio(EXCERPT).clip(), read_audio(out).clip()
    before.samples[:, int(GAP[0] * before.rate) : int(GAP[1] * before.rate)] = 0.0
    plot_fill(before, after, [GAP], folder / "upbeat-filled.png", "upbeat, 16 to 18 s: the hole, and filled")
    best = result.report["gaps"][0]["candidates"][0]
    print(f"filled with: {best['method']} (seam z {best['seam_z']:.2f})")
    print(f"listen to {out}; look at {folder / 'upbeat-filled.png'}; read {folder / 'report.json'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"))
