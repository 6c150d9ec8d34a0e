"""Training tracks that are held out under another name, found by their sound.

``python -m segue_export.train.duplicates CORPUS [--mark]`` lists them; ``--mark`` takes them out of the training.
(A corpus that is made anew has none.)
"""

from __future__ import annotations

import argparse
from pathlib import Path

from segue_export.train.corpus import duplicates, load, mark_duplicates


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--mark", action="store_true")
    a = parser.parse_args()
    tracks = load(a.corpus)
    by_id = {track.id: track for track in tracks}
    for match in duplicates(tracks, a.corpus):
        one, other = by_id[match.one], by_id[match.other]
        print(
            f"{one.package}/{one.file} is {other.package}/{other.file} ({other.split}), {match.later_s:+.1f} s, "
            f"{100 * match.error:.0f} % of the bits differ"
        )
    if a.mark:
        mark_duplicates(tracks, a.corpus)


if __name__ == "__main__":
    main()
