"""What a renderer elsewhere says went wrong, as the errors that the library itself raises."""

from __future__ import annotations

from segue.errors import BundleRejected, InvalidRequest, ResourceError, SegueError, ServiceError
from segue_protocol.errors import ProtocolError

_KINDS: dict[str, type[SegueError]] = {
    "INVALID": InvalidRequest,
    "MODEL_REJECTED": BundleRejected,
    "RESOURCE": ResourceError,
    "TIMEOUT": ResourceError,
}


def error_of(code: str, message: str, remedy: str) -> SegueError:
    """The error for a code of protocol/spec.md, section 8."""
    kind = _KINDS.get(code)
    return ServiceError(code, message, remedy) if kind is None else kind(f"{message}: {remedy}" if remedy else message)


def local_error(error: ProtocolError) -> SegueError:
    """The error for what this side found out."""
    return error_of(error.code, str(error), error.remedy)
