"""``python -m segue.service.farm.probe SETTINGS``: prints, as a line of JSON, what a Ray cluster has to render on."""

from __future__ import annotations

import json
import sys

from segue.errors import ResourceError
from segue.service.farm import cluster


def main(text: str) -> None:
    """The process; ``text``: JSON of the cluster's address and the threads of a device."""
    given = json.loads(text)
    answer: dict[str, object]
    try:
        cluster.connect(given["address"], "segue-probe")
        answer = {"devices": [seat.kind for seat in cluster.seats(given["threads"])]}
    except ResourceError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
