"""What can go wrong on the wire: codes that programs read, and a remedy for people with each."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Codes of ERROR and FAILED. A code a client does not know is to be read as INTERNAL."""

    MALFORMED = "MALFORMED"
    UNVERIFIED = "UNVERIFIED"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    UNSUPPORTED = "UNSUPPORTED"
    VERSION = "VERSION"
    INVALID = "INVALID"
    BUSY = "BUSY"
    TIMEOUT = "TIMEOUT"
    RESOURCE = "RESOURCE"
    MODEL_REJECTED = "MODEL_REJECTED"
    NONFINITE = "NONFINITE"
    INTERNAL = "INTERNAL"
    LOST = "LOST"
    CONNECTION = "CONNECTION"


REMEDIES: dict[Code, str] = {
    Code.MALFORMED: "the sender has a defect or is not a Segue client: update it",
    Code.UNVERIFIED: "connect again with the renderer's present connection file",
    Code.OUT_OF_ORDER: "connect again: messages were lost or repeated on the way",
    Code.UNSUPPORTED: "use only what WELCOME lists, or update the older side",
    Code.VERSION: "install the plug-in and the renderer from the same release",
    Code.INVALID: "change the value the message names",
    Code.BUSY: "try again after retry_after seconds",
    Code.TIMEOUT: "give a later deadline, a shorter gap or fewer steps",
    Code.RESOURCE: "give a shorter clip or fewer candidates, or free memory or disk on the renderer's machine",
    Code.MODEL_REJECTED: "choose another bundle, or get this one again from where it was published",
    Code.NONFINITE: "try another seed, a smaller guidance strength or another bundle",
    Code.INTERNAL: "try again; if it comes back, report it with the renderer's log",
    Code.LOST: "submit the job again once the renderer is back",
    Code.CONNECTION: "start the renderer (segue serve), or copy its connection file again",
}
"""What a person can do; a message may carry a better one."""


class ProtocolError(Exception):
    """A message, or a connection file, is refused.

    ``code`` for programs; the text says what was expected and what came; ``remedy`` what to do. ``job``: the job the
    refused message named, where that could be read; ``nonce``: that of a refused HELLO; ``submitted``: it was a SUBMIT,
    which asks for a new job: one of that id that there already is goes on.
    """

    def __init__(
        self, code: Code, message: str, remedy: str = "", *, job: str | None = None, nonce: bytes | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.remedy, self.job, self.nonce = code, remedy or REMEDIES[code], job, nonce
        self.submitted = False
