"""The connection file: how a client finds the renderer, and the keys that let it in. As secret as a password.

One flat JSON object of strings and whole numbers, so that a small parser can read it.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import stat
import sys
import time
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from segue_protocol import limits
from segue_protocol.errors import Code, ProtocolError
from segue_protocol.messages.fields import Hex256, Line, Version

VARIABLE = "SEGUE_CONNECTION"
"""Environment variable that names another connection file."""
MAX_FILE_BYTES = 16 * 1024

Z85Key = Annotated[str, Field(pattern=r"^[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}$")]


class Owner(Enum):
    """Whether the renderer that wrote a connection file still runs."""

    ALIVE = "alive"
    GONE = "gone"
    ELSEWHERE = "elsewhere"  # on another machine, which cannot be seen from here


class ConnectionFile(BaseModel):
    """What the file holds. CURVE keys in Z85, ``secret`` in hexadecimal, ``created`` in seconds since 1970.

    ``pid``, ``host`` and ``started`` name the process that wrote it; ``started`` is empty where the system cannot tell.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    protocol: Version = limits.PROTOCOL_VERSION
    renderer: Line
    endpoint: Annotated[str, Field(pattern=r"^(tcp|ipc)://.{1,250}$")]
    server_public_key: Z85Key
    client_public_key: Z85Key
    client_secret_key: Annotated[Z85Key, Field(repr=False)]
    secret: Annotated[Hex256, Field(repr=False)]
    pid: Annotated[int, Field(ge=1, le=(1 << 31) - 1)]
    host: Line
    started: Line = ""
    created: Annotated[int, Field(ge=0, le=limits.MAX_COUNT)]

    @property
    def secret_bytes(self) -> bytes:
        """The 32 bytes that sessions derive their keys from."""
        return bytes.fromhex(self.secret)

    @property
    def owner(self) -> Owner:
        """Whether the renderer that wrote it still runs, as far as this machine can tell."""
        if self.host != socket.gethostname():
            return Owner.ELSEWHERE
        return Owner.ALIVE if _alive(self.pid) and started_of(self.pid) == self.started else Owner.GONE


def own_connection_file(
    *, renderer: str, endpoint: str, server_public_key: str, client_public_key: str, client_secret_key: str
) -> ConnectionFile:
    """A connection file of this process, with a fresh secret."""
    return ConnectionFile(
        renderer=renderer,
        endpoint=endpoint,
        server_public_key=server_public_key,
        client_public_key=client_public_key,
        client_secret_key=client_secret_key,
        secret=secrets.token_hex(limits.SECRET_BYTES),
        pid=os.getpid(),
        host=socket.gethostname(),
        started=started_of(os.getpid()),
        created=int(time.time()),
    )


def default_path() -> Path:
    """Where the renderer writes and clients look, one for each user of a machine."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        runtime, state = os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("XDG_STATE_HOME")
        base = Path(runtime or state or home / ".local" / "state")
    return base / "segue" / "connection.json"


def write_connection_file(path: Path, content: ConnectionFile) -> None:
    """Write it so that nobody else can ever read it, and a reader finds the old or the new one, never a part.

    The folder is made, for its owner alone, where it is missing.

    Raises:
        ProtocolError: CONNECTION, it cannot be written.
    """
    text = json.dumps(content.model_dump(), indent=1) + "\n"
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # not clip.atomic.replacing: this file must be private from its first byte, and needs no package but this one
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise ProtocolError(
            Code.CONNECTION,
            f"expected to write the connection file {path}, got: {error.strerror}",
            f"free or choose the place, as in {VARIABLE}=/another/place/connection.json",
        ) from error


def remove_connection_file(path: Path, content: ConnectionFile) -> None:
    """Remove it at the renderer's end, unless another renderer has written its own since."""
    with suppress(ProtocolError, OSError):
        if read_connection_file(path, stale_ok=True) == content:
            path.unlink()


def read_connection_file(path: Path, *, stale_ok: bool = False) -> ConnectionFile:
    """Read and check it. ``stale_ok``: also where the renderer that wrote it is gone.

    Raises:
        ProtocolError: CONNECTION: missing, readable by others, not a connection file, or its renderer is gone;
        VERSION: of another major version.
    """
    text = _read(path)
    try:
        data = json.loads(text)
        _check_version(path, data)
        content = ConnectionFile.model_validate(data)
    except (ValueError, RecursionError) as error:  # pydantic's ValidationError is one
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else "it is not JSON"  # keeps keys out
        raise ProtocolError(
            Code.CONNECTION, f"expected a connection file in {path}, got a damaged one ({why})"
        ) from None
    if not stale_ok and content.owner is Owner.GONE:
        raise ProtocolError(
            Code.CONNECTION,
            f"expected a running renderer, but the one that wrote {path} (process {content.pid}) is gone",
            "start the renderer again: segue serve",
        )
    return content


def _check_version(path: Path, data: object) -> None:
    version = data.get("protocol") if isinstance(data, dict) else None
    major = version.partition(".")[0] if isinstance(version, str) else ""
    if major.isascii() and major.isdigit() and len(major) <= 4 and int(major) != limits.MAJOR:
        raise ProtocolError(
            Code.VERSION,
            f"expected protocol {limits.MAJOR}.x (this side speaks {limits.PROTOCOL_VERSION}), the renderer of {path} "
            f"speaks {str(version)[:9]}",
        )


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            _check_private(path, os.fstat(file.fileno()))
            raw = file.read(MAX_FILE_BYTES + 1)
        if len(raw) > MAX_FILE_BYTES:
            raise ProtocolError(
                Code.CONNECTION, f"expected a connection file of at most {MAX_FILE_BYTES} bytes in {path}, got more"
            )
        return raw.decode()
    except FileNotFoundError:
        raise ProtocolError(Code.CONNECTION, f"expected a renderer's connection file at {path}, got none") from None
    except OSError as error:
        raise ProtocolError(
            Code.CONNECTION, f"expected to read the connection file {path}, got: {error.strerror}"
        ) from error
    except UnicodeDecodeError:
        raise ProtocolError(Code.CONNECTION, f"expected a connection file in {path}, got no text") from None


def _check_private(path: Path, state: os.stat_result) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise ProtocolError(Code.CONNECTION, f"expected the connection file {path} to be a regular file")
    if os.name != "posix":
        return  # the user's own folder is private there by its access list
    mode = stat.S_IMODE(state.st_mode)
    if mode & 0o077:
        raise ProtocolError(
            Code.CONNECTION,
            f"expected a connection file that only its owner can read, {path} has mode {mode:04o}",
            f"others may have read its keys: remove it and start the renderer again (or, if sure, chmod 600 {path})",
        )
    if state.st_uid != os.geteuid():
        raise ProtocolError(
            Code.CONNECTION,
            f"expected a connection file of user {os.geteuid()}, {path} belongs to user {state.st_uid}",
            "copy it into a folder of your own, with mode 0600",
        )


def _alive(pid: int) -> bool:
    if os.name != "posix":
        return True  # a signal would end it there; the socket tells soon enough
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as another user
        return True
    return True


def started_of(pid: int) -> str:
    """When a process began, as boot and clock ticks, so that a number used again is told apart.

    "" where the system does not tell, and for a process that has died but is still listed.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in ("Z", "X") else f"{boot} {fields[19]}"
