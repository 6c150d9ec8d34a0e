"""How much memory this process uses and may use."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_mb() -> float | None:
    """The most resident memory this process has had, in MB; None on Windows."""
    try:
        import resource  # noqa: PLC0415  absent on Windows
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024


def available_mb() -> float | None:
    """Memory the system can still give, in MB; None where the system does not say."""
    table = Path("/proc/meminfo")
    if not table.exists():
        return None
    for line in table.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return float(value.split()[0]) / 1024
    return None
