"""Paths that a project names: where they may point, so that opening someone's project reads nothing else."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from segue.errors import InvalidRequest


def inside(name: str) -> PurePosixPath:
    """A relative path as a project writes it, with either kind of slash.

    Raises:
        InvalidRequest: absolute, empty, or leading out by "..".
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if is_absolute(name) or ".." in path.parts or not path.parts or "\0" in name:
        raise InvalidRequest(f"expected a path inside of the project, got {name!r}: collect its audio beside it first")
    return path


def is_absolute(name: str) -> bool:
    """Whether the path is absolute on any system."""
    return PurePosixPath(name).is_absolute() or bool(PureWindowsPath(name).drive or PureWindowsPath(name).root)


def beside(folder: Path, name: str) -> Path:
    """A relative path of a project in ``folder``.

    Raises:
        InvalidRequest: it leads out of the folder, also by a link.
    """
    path = folder / inside(name)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InvalidRequest(f"{name!r} leads out of the project's folder by a link: put the file itself there")
    return path
