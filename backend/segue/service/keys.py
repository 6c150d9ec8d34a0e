"""CURVE keys: the renderer's own, and those of the clients that may enter. One folder, readable by its owner alone.

``renderer.json`` is the renderer's pair, ``clients/NAME.json`` a client's pair and session secret. They outlive the
renderer, so that a connection file copied to another machine still works after a restart; removing a client's file
locks that client out of new connections at once.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, TypeVar

import platformdirs
import zmq
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from zmq.utils import z85

from segue.errors import InvalidRequest, ResourceError
from segue_protocol.limits import SECRET_BYTES

LOCAL = "local"
"""The client whose keys are in the renderer's own connection file."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_log = logging.getLogger(__name__)


def _decodable(text: str) -> str:
    try:
        z85.decode(text)
    except (KeyError, ValueError, struct.error):
        raise ValueError("expected Z85") from None
    return text


Z85 = Annotated[str, Field(min_length=40, max_length=40), AfterValidator(_decodable)]


class KeyPair(BaseModel):
    """A CURVE pair in Z85."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    public: Z85
    secret: Annotated[Z85, Field(repr=False)]


class ClientKeys(KeyPair):
    """A client's pair; ``session``: the secret its messages are sealed with, 32 bytes in hexadecimal."""

    name: Annotated[str, Field(pattern=f"^{_NAME.pattern}$")]
    session: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", repr=False)]

    @property
    def session_bytes(self) -> bytes:
        """The 32 bytes."""
        return bytes.fromhex(self.session)


Kept = TypeVar("Kept", bound=KeyPair)


def keys_folder() -> Path:
    """Where keys are kept unless another folder is given."""
    return platformdirs.user_data_path("segue") / "keys"


class KeyRing:
    """The keys in a folder, made where there are none. Not for several threads at once."""

    def __init__(self, folder: Path | None = None) -> None:
        """Open or make the folder, the renderer's pair and the local client's.

        Raises:
            ResourceError: the folder cannot be made, or a file in it is damaged or readable by others.
        """
        self.folder = folder or keys_folder()
        try:
            self._clients.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder.chmod(0o700)
        except OSError as error:
            raise ResourceError(f"the key folder {self.folder} cannot be made ({error.strerror})") from error
        self.renderer = self._made(self.folder / "renderer.json", KeyPair(**_pair()))
        self._known: dict[bytes, ClientKeys] = {}
        self._looked = -1
        self._left_out: set[str] = set()
        if not self._path(LOCAL).exists():
            self.add(LOCAL)

    @property
    def _clients(self) -> Path:
        return self.folder / "clients"

    @property
    def clients(self) -> tuple[ClientKeys, ...]:
        """All clients that may enter, by name; a file that cannot be used is left out."""
        return tuple(sorted(self._read_all(), key=lambda keys: keys.name))

    def client(self, name: str) -> ClientKeys:
        """A client by name.

        Raises:
            InvalidRequest: there is none.
        """
        path = self._path(name)
        if not path.exists():
            raise InvalidRequest(f"no client {name!r} in {self._clients}: make one with segue keys add {name}")
        return _read(path, ClientKeys)

    def add(self, name: str) -> ClientKeys:
        """Keys for a client, or those it has.

        Raises:
            InvalidRequest: not a name. ResourceError: the keys cannot be written.
        """
        fresh = ClientKeys(name=self._path(name).stem, session=secrets.token_hex(SECRET_BYTES), **_pair())
        return self._made(self._path(name), fresh)

    def remove(self, name: str) -> None:
        """Lock a client out of new connections.

        Raises:
            InvalidRequest: there is none.
        """
        self.client(name)
        self._path(name).unlink(missing_ok=True)

    def find(self, public: bytes) -> ClientKeys | None:
        """The client with this public key (32 bytes), which must still be in the folder; None: it may not enter."""
        with suppress(OSError):
            looked = self._clients.stat().st_mtime_ns
            if looked != self._looked:
                self._known = {z85.decode(keys.public): keys for keys in self._read_all()}
                self._looked = -1 if self._left_out else looked  # a file repaired in its place leaves no trace there
        return self._known.get(public)

    def _read_all(self) -> Iterator[ClientKeys]:
        """All that can be read: one damaged file locks out its own client alone, and is told of once."""
        left_out = set()
        for path in self._clients.glob("*.json"):
            if not _NAME.fullmatch(path.stem):
                continue
            try:
                yield _read(path, ClientKeys)
            except (ResourceError, OSError) as error:
                if not path.exists():  # removed since the folder was listed
                    continue
                left_out.add(path.name)
                if path.name not in self._left_out:
                    _log.warning("the client %s is locked out: %s", path.stem, error)
        self._left_out = left_out

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InvalidRequest(f"expected a client's name of small letters, digits, '.', '_', '-', got {name!r}")
        return self._clients / f"{name}.json"

    def _made(self, path: Path, fresh: Kept) -> Kept:
        """What is in a file, which is written where there is none; of two processes at once, one wins for both."""
        if not path.exists():
            part = path.with_name(f".{secrets.token_hex(8)}")
            try:
                with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(fresh.model_dump_json())
                    file.flush()
                    os.fsync(file.fileno())
                with suppress(FileExistsError):
                    os.link(part, path)
            except OSError as error:
                raise ResourceError(f"keys cannot be written to {path} ({error.strerror})") from error
            finally:
                with suppress(OSError):
                    part.unlink(missing_ok=True)
        return _read(path, type(fresh))


def _pair() -> dict[str, str]:
    public, secret = zmq.curve_keypair()
    return {"public": public.decode(), "secret": secret.decode()}


def _read(path: Path, kind: type[Kept]) -> Kept:
    if path.is_symlink() or not path.is_file():
        raise ResourceError(f"expected a file of keys at {path}, found something else: remove it")
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ResourceError(
            f"{path} can be read by others, who may have copied its keys: remove it, start the renderer again and give "
            "its clients their new connection files"
        )
    try:
        return kind.model_validate_json(path.read_bytes())
    except (ValidationError, OSError):  # neither text is shown: it may hold a key
        raise ResourceError(f"{path} is damaged: remove it, and new keys are made") from None
