"""Fills a hole through a running renderer (``segue serve``): candidates as they finish, progress, the result.

``python examples/client.py [CONNECTION_FILE]``; without one, the renderer of this user on this machine.
"""

from __future__ import annotations

import sys
from pathlib import Path

import segue
from segue.client import Candidate
from segue.clip.files import read_audio

EXCERPT = Path(__file__).parent / "music" / "upbeat.flac"
GAP = (16.0, 18.0)  # seconds


def show(progress: segue.Progress) -> bool:
    left = "" if progress.seconds_left is None else f", {progress.seconds_left:.0f} s left"
    print(f"  {100 * progress.fraction:3.0f} % {progress.stage}{left}")
    return True  # False would cancel the render


def hear(candidate: Candidate) -> None:
    print(f"  to be heard: {candidate.method}, {candidate.gaps[0].shape[1]} samples, rank {candidate.rank} so far")


def main(connection_file: str | None) -> None:
    clip = read_audio(EXCERPT).clip()
    with segue.Client(connection_file) as client:
        print(f"renderer {client.welcome.renderer}, bundles: {', '.join(b.name for b in client.welcome.bundles)}")
        try:
            result = client.fill(clip.samples, clip.rate, GAP, callback=show, on_candidate=hear, deadline=300.0)
        except segue.errors.ServiceError as error:
            sys.exit(f"{error.code}: {error}")  # LOST, for instance: the client connects again when it is used again
    best = result.report["gaps"][0]["candidates"][0]
    print(f"filled with: {best['method']}; recipe {result.recipe.digest[:12]}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
