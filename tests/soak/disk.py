"""A small disk for a renderer's store, to be filled up and freed again."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

_ALONE = ["unshare", "--user", "--map-root-user", "--mount"]
_BLOCK = bytes(1 << 16)


def can_mount() -> bool:
    """Whether this user may have mounts of its own: on Linux, where user namespaces are allowed."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_ALONE, "true"], check=False, capture_output=True).returncode == 0


class SmallDisk:
    """A tmpfs at ``folder``, seen by the process started within it alone; gone when that ends."""

    def __init__(self, folder: Path, mib: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.within = [*_ALONE, "sh", "-c", f'mount -t tmpfs -o size={mib}m segue "$0" && exec "$@"', str(folder)]
        """The command, in front of the process's own."""

    def seen_from_here(self, pid: int) -> Path:
        """The folder, as another process reaches it while process ``pid`` lives."""
        return Path(f"/proc/{pid}/root{self._folder}")

    def fill(self, pid: int) -> None:
        """Leave no room."""
        ballast = self.seen_from_here(pid) / "ballast"
        with ballast.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                if file.write(_BLOCK) < len(_BLOCK):
                    break

    def free(self, pid: int) -> None:
        """Make room again."""
        with suppress(OSError):
            (self.seen_from_here(pid) / "ballast").unlink()
