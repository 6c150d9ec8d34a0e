"""The zip container of a DAWproject, read within bounds, copied member by member; its XML, parsed without entities."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from segue.arrangement.places import inside
from segue.clip.atomic import replacing
from segue.errors import AudioFileError, InvalidRequest

MAX_MEMBERS = 20_000
MAX_XML = 64 << 20
MAX_MEMBER = 4 << 30
MAX_RATIO = 200
"""Audio packs to a half, XML to a twentieth; only a bomb packs better than this."""

_RATIO_FROM = 1 << 20  # bytes; less harms nobody, and silence packs well


class Container:
    """A container on disk."""

    def __init__(self, path: Path) -> None:
        """Check what the zip says of itself.

        Raises:
            InvalidRequest: no zip, damaged, of unsafe names, or larger than any project.
        """
        self.path = path
        try:
            with zipfile.ZipFile(path) as file:
                self._members = {info.filename: info for info in file.infolist()}
                count = len(file.infolist())
        except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
            raise InvalidRequest(f"{path} is not a DAWproject, or damaged ({error}): export it again") from error
        if count > MAX_MEMBERS or len(self._members) != count:
            raise InvalidRequest(f"{path.name} holds {count} files, some of one name or too many: export it again")
        for name, info in self._members.items():
            inside(name)
            packed = info.file_size > _RATIO_FROM and info.file_size > MAX_RATIO * max(1, info.compress_size)
            if packed or info.file_size > MAX_MEMBER:
                raise InvalidRequest(
                    f"{name} in {path.name} would unpack to {info.file_size} bytes from {info.compress_size}: "
                    "no project needs that; it was not opened"
                )

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def xml(self, name: str) -> ElementTree.Element:
        """The root of an XML member, comments and all.

        Raises:
            InvalidRequest: missing, not XML, with a document type or entities, or too large.
        """
        content = self.read(name, MAX_XML)
        builder = ElementTree.TreeBuilder(insert_comments=True, insert_pis=True)
        parser = defusedxml.ElementTree.DefusedXMLParser(target=builder, forbid_dtd=True)
        try:
            parser.feed(content)
            root = parser.close()
        except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
            raise InvalidRequest(f"{name} in {self.path.name} is not plain XML ({error}): export it again") from error
        assert isinstance(root, ElementTree.Element)
        return root

    def read(self, name: str, limit: int = MAX_MEMBER) -> bytes:
        """A member's bytes.

        Raises:
            InvalidRequest: missing, larger than ``limit``, damaged or encrypted.
        """
        info = self._members.get(name)
        if info is None:
            raise InvalidRequest(f"{self.path.name} names {name}, which is not in it: export it again, with its audio")
        if info.file_size > limit:
            raise InvalidRequest(f"expected {name} in {self.path.name} within {limit} bytes, it has {info.file_size}")
        try:
            with zipfile.ZipFile(self.path) as file:
                return file.read(info)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
            raise InvalidRequest(f"{name} in {self.path.name} is damaged ({error}): export it again") from error

    def extract(self, name: str, folder: Path) -> Path:
        """A member as a file of the same ending in ``folder``.

        Raises:
            InvalidRequest: as :meth:`read`.
        """
        with tempfile.NamedTemporaryFile(dir=folder, suffix=Path(name).suffix, delete=False) as file:
            file.write(self.read(name))
        return Path(file.name)

    def rewrite(self, out: Path, changed: Mapping[str, bytes], added: Mapping[str, Path]) -> None:
        """A new container: members as they are, those ``changed``, and files ``added``.

        Raises:
            AudioFileError, ResourceError: ``out`` cannot be written. InvalidRequest: a member is damaged.
        """
        if taken := set(added) & set(self._members):
            raise AudioFileError(f"{self.path.name} has {sorted(taken)[0]} already: name the new project differently")
        with replacing(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as target:
            for name, info in self._members.items():
                content = changed.get(name)
                target.writestr(info, self.read(name) if content is None else content, info.compress_type)
            for name, path in added.items():
                entry = zipfile.ZipInfo(name)  # without a date
                entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, path.stat().st_size
                with path.open("rb") as source, target.open(entry, "w") as sink:
                    shutil.copyfileobj(source, sink)


def written(root: ElementTree.Element) -> bytes:
    """The XML as a member."""
    sink = io.BytesIO()
    ElementTree.ElementTree(root).write(sink, "UTF-8", xml_declaration=True)
    return sink.getvalue()
