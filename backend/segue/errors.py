"""Everything Segue refuses, as one tree.

SegueError
├── InvalidRequest      what was asked cannot be done: gap, settings, schedule, curve
├── AudioFileError      an audio file is broken, lies about its size, or cannot hold what is to be written
├── BundleRejected      a model bundle is damaged, unsafe or not what its manifest says
├── ExportMismatch      an exported graph differs from its torch original
├── NonFinite           the prediction or gradient of an item became NaN or infinite
├── ResourceError       not enough memory, disk or time for the request
├── ServiceError        a renderer elsewhere cannot be reached, was lost, or failed
└── Cancelled           the caller asked to stop

Each message says what was expected, what came and what to do.
"""

from __future__ import annotations

__all__ = [
    "AudioFileError",
    "BundleRejected",
    "Cancelled",
    "ExportMismatch",
    "InvalidRequest",
    "NonFinite",
    "ResourceError",
    "SegueError",
    "ServiceError",
]


class SegueError(Exception):
    """Base of all errors Segue raises on purpose."""


class InvalidRequest(SegueError, ValueError):
    """What was asked cannot be done; the message names the value and the range."""


class AudioFileError(SegueError):
    """An audio file is broken, lies about its size, or cannot hold what is to be written."""


class BundleRejected(SegueError):
    """A model bundle is damaged, unsafe, or not what its manifest says."""


class ExportMismatch(SegueError):
    """An exported graph differs from its torch original by more than the tolerance."""


class ResourceError(SegueError):
    """Not enough memory, disk or time for the request."""


class ServiceError(SegueError):
    """A renderer elsewhere cannot be reached, was lost, or failed. ``code`` as in protocol/spec.md, section 8."""

    def __init__(self, code: str, message: str, remedy: str = "") -> None:
        super().__init__(f"{message}: {remedy}" if remedy else message)
        self.code, self.remedy = code, remedy


class Cancelled(SegueError):
    """The caller asked to stop; nothing was written."""


class NonFinite(SegueError):
    """A prediction or gradient became NaN or infinite.

    ``item`` is the index in the batch, ``step`` the sampler's step, ``sigma`` its noise level, ``norm`` the 2-norm of
    x_t. ``others`` are the failures of other items at the same step; the items in neither, sampled again without these
    from their own seeds, come out as they would have alone (``segue.sampling.isolate``).
    """

    def __init__(
        self,
        what: str,
        *,
        item: int,
        step: int,
        sigma: float,
        norm: float,
        others: tuple[NonFinite, ...] = (),
    ) -> None:
        super().__init__(
            f"{what} of item {item} is not finite at step {step} (sigma {sigma:.4g}, |x_t| {norm:.4g}): "
            "nothing was rendered for it; try another seed, a smaller guidance strength or another bundle"
        )
        self.what, self.item, self.step, self.sigma, self.norm = what, item, step, sigma, norm
        self.others = others
