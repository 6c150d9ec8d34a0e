"""The verbs on arrays, rendered by a service: the library's own signatures and results."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np
from jaxtyping import Float

from segue.client.candidate import CandidateCallback
from segue.client.errors import error_of
from segue.client.exchange import Delivered, Ears, Exchange, Refused
from segue.client.link import CREDITS, LOST_SECONDS, Connection, Link
from segue.clip.clip import Clip
from segue.clip.gaps import check_gaps, seconds_to_samples
from segue.clip.recipe import Recipe
from segue.errors import Cancelled, InvalidRequest, ServiceError
from segue.guidance.curve import Curve
from segue.render.settings import Progress, ProgressCallback, RenderSettings
from segue.result import GapsLike, Result, gaps_of
from segue.service import wire
from segue.service.jobs import Job
from segue.service.style import parts_of
from segue.style.style import CurveLike, ReferenceLike, Style, TagsLike, wished
from segue_protocol import messages
from segue_protocol.errors import REMEDIES, Code

Audio = Float[np.ndarray, "_channels _samples"]
FreedomLike = float | Sequence[tuple[float, float]] | Curve


class Client:
    """A renderer elsewhere. One thread uses it at a time, but :meth:`cancel` may come from any.

    ``connection``: the connection file, or its path; by default where ``segue serve`` writes it. ``patience``: seconds
    to try again while the renderer is busy. It connects when first used, and again after the connection was lost: the
    job that was under way has then failed, with a :class:`ServiceError` of the code LOST, within 3 s. ``name``: for the
    renderer's log. ``remember``: let the renderer keep audio for a while, so that it need not be sent again.
    """

    def __init__(
        self,
        connection: Connection | None = None,
        *,
        patience: float = 60.0,
        name: str = "segue",
        remember: bool = True,
    ) -> None:
        self._connection, self._patience, self._name, self._remember = connection, patience, name, remember
        self._link: Link | None = None
        self._exchange: Exchange | None = None
        self._lock = threading.Lock()
        self._generation = 0
        self._stopped = False

    # ---- the verbs ----------------------------------------------------------------------------------------------

    def fill(
        self,
        audio: Audio,
        rate: int,
        gap: GapsLike,
        *,
        style: Style | None = None,
        song: Sequence[tuple[Audio, int]] = (),
        sound_from: tuple[Audio, int] | None = None,
        settings: RenderSettings | None = None,
        callback: ProgressCallback | None = None,
        on_candidate: CandidateCallback | None = None,
        deadline: float | None = None,
    ) -> Result:
        """As :func:`segue.fill`, bit for bit. ``on_candidate`` hears candidates as they finish, the splice first.

        ``style``: its preset is one of the renderer's own.

        ``deadline``: seconds after which the result is of no use.

        Raises:
            InvalidRequest, AudioFileError, BundleRejected, ResourceError, Cancelled: as :func:`segue.fill`.
            ServiceError: no renderer (CONNECTION), lost in mid-job (LOST), busy for all of ``patience`` (BUSY), or the
            render failed there (NONFINITE, INTERNAL).
        """
        made = self._job(
            "infill", audio, rate, song, sound_from, settings, deadline, style, gaps=_sorted(gap, audio, rate, song)
        )
        return self._render(made, Ears(callback, on_candidate))

    def regenerate(
        self,
        audio: Audio,
        rate: int,
        gap: GapsLike,
        *,
        freedom: FreedomLike | None = None,
        style: Style | None = None,
        song: Sequence[tuple[Audio, int]] = (),
        sound_from: tuple[Audio, int] | None = None,
        settings: RenderSettings | None = None,
        callback: ProgressCallback | None = None,
        on_candidate: CandidateCallback | None = None,
        deadline: float | None = None,
    ) -> Result:
        """As :func:`segue.regenerate`. The rest as :meth:`fill`."""
        own = {"gaps": _sorted(gap, audio, rate, song), "curves": _free(freedom)}
        made = self._job("regenerate", audio, rate, song, sound_from, settings, deadline, style, **own)
        return self._render(made, Ears(callback, on_candidate))

    def restyle(
        self,
        audio: Audio,
        rate: int,
        gap: GapsLike | None = None,
        *,
        preset: str | None = None,
        reference: ReferenceLike | Sequence[ReferenceLike] = (),
        tags: TagsLike = (),
        amount: CurveLike = 1.0,
        freedom: FreedomLike | None = None,
        style: Style | None = None,
        song: Sequence[tuple[Audio, int]] = (),
        sound_from: tuple[Audio, int] | None = None,
        settings: RenderSettings | None = None,
        callback: ProgressCallback | None = None,
        on_candidate: CandidateCallback | None = None,
        deadline: float | None = None,
    ) -> Result:
        """As :func:`segue.restyle`. The rest as :meth:`fill`."""
        needed = sound_from is None
        asked = wished(style, preset=preset, reference=reference, tags=tags, amount=amount, needed=needed)
        whole = (0.0, audio.shape[-1] / rate)
        own = {"gaps": _sorted(gap or whole, audio, rate, (audio,)), "curves": _free(freedom)}
        made = self._job("restyle", audio, rate, song, sound_from, settings, deadline, asked, **own)
        return self._render(made, Ears(callback, on_candidate))

    def extend(
        self,
        audio: Audio,
        rate: int,
        seconds: float,
        *,
        backward: bool = False,
        style: Style | None = None,
        song: Sequence[tuple[Audio, int]] = (),
        sound_from: tuple[Audio, int] | None = None,
        settings: RenderSettings | None = None,
        callback: ProgressCallback | None = None,
        on_candidate: CandidateCallback | None = None,
        deadline: float | None = None,
    ) -> Result:
        """As :func:`segue.extend`. The rest as :meth:`fill`."""
        added = seconds_to_samples(seconds, rate, "the continuation")
        if added < 1:
            raise InvalidRequest(f"expected at least one sample more, got {added}: ask for a longer continuation")
        made = self._job(
            "continuation", audio, rate, song, sound_from, settings, deadline, style, added=added, backward=backward
        )
        return self._render(made, Ears(callback, on_candidate))

    def transition(
        self,
        left: Audio,
        right: Audio,
        rate: int,
        *,
        overlap: float = 2.5,
        freedom: FreedomLike | None = None,
        style: Style | None = None,
        song: Sequence[tuple[Audio, int]] = (),
        sound_from: tuple[Audio, int] | None = None,
        settings: RenderSettings | None = None,
        callback: ProgressCallback | None = None,
        on_candidate: CandidateCallback | None = None,
        deadline: float | None = None,
    ) -> Result:
        """As :func:`segue.transition`. The rest as :meth:`fill`."""
        spanned = seconds_to_samples(overlap, rate, "the overlap")
        own = {"other": _clip(right, rate), "overlap": spanned, "curves": _free(freedom)}
        made = self._job("transition", left, rate, song, sound_from, settings, deadline, style, **own)
        return self._render(made, Ears(callback, on_candidate))

    # ---- around them --------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Stop the render under way, which then raises :class:`Cancelled`; from any thread, or a callback."""
        with self._lock:
            self._stopped = True
            if self._exchange is not None and self._link is not None:
                self._link.wake.call(self._exchange.cancel)

    def status(self) -> messages.StatusReply:
        """Devices, queue, jobs and bundles of the renderer.

        Raises:
            ServiceError: it cannot be reached, or does not say.
        """
        link = self._linked()
        link.send(messages.Status())
        until = time.monotonic() + LOST_SECONDS
        while time.monotonic() < until:
            message, _ = link.receive(0.25) or (None, b"")
            if isinstance(message, messages.StatusReply):
                return message
            if isinstance(message, messages.Error) and message.job is None:
                raise error_of(message.code, message.message, message.remedy)
        self._drop(goodbye=True)  # a reply that comes yet is not the next one's
        raise ServiceError(
            Code.LOST, f"expected the renderer's status within {LOST_SECONDS:g} s, got none", REMEDIES[Code.INTERNAL]
        )

    @property
    def welcome(self) -> messages.Welcome:
        """What the renderer can do; connects where that was not done yet.

        Raises:
            ServiceError: it cannot be reached.
        """
        return self._linked().welcome

    def close(self) -> None:
        """Leave; a later call connects again."""
        self._drop(goodbye=True)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self.close()

    # ---- within -------------------------------------------------------------------------------------------------

    def _job(
        self,
        task: str,
        audio: Audio,
        rate: int,
        song: Sequence[tuple[Audio, int]],
        sound_from: tuple[Audio, int] | None,
        settings: RenderSettings | None,
        deadline: float | None,
        style: Style | None,
        **own: Any,
    ) -> Job:
        self._generation += 1
        parts = parts_of(style)
        curves = {**own.pop("curves", {}), **(parts.curves or {})}
        return Job(
            task=task,
            clip=_clip(audio, rate),
            settings=settings or RenderSettings(),
            songs=tuple(_clip(further, own_rate) for further, own_rate in song),
            sound=None if sound_from is None else _clip(*sound_from),
            generation=self._generation,
            deadline=deadline,
            curves=curves,
            preset=parts.preset,
            prompt=parts.prompt,
            references=parts.references,
            **own,
        )

    def _render(self, job: Job, ears: Ears) -> Result:
        until = time.monotonic() + self._patience
        self._stopped = False
        while True:
            link = self._linked()
            submit = wire.submit_of(job, secrets.token_hex(8), CREDITS, digests=self._remember)
            exchange = Exchange(link, job, submit, ears)
            with self._lock:
                if self._stopped:
                    raise Cancelled("stopped before the job was sent")
                self._exchange = exchange
            try:
                return _result(job, exchange.run())
            except Refused as busy:
                if time.monotonic() + busy.retry_after > until:
                    raise ServiceError(Code.BUSY, str(busy), REMEDIES[Code.BUSY]) from busy
                self._wait(busy, ears, link)
            except ServiceError as error:
                if error.code == Code.LOST:
                    self._drop(goodbye=False)
                raise
            finally:
                with self._lock:
                    self._exchange = None

    def _wait(self, busy: Refused, ears: Ears, link: Link) -> None:
        """Until the renderer asked to be tried again; the session is kept alive meanwhile."""
        goes_on = ears.progress is None or ears.progress(Progress("busy", 0, 1, 0.0, None, str(busy))) is not False
        until = time.monotonic() + busy.retry_after
        while goes_on and not self._stopped and (left := until - time.monotonic()) > 0.0:
            link.receive(left)
        if self._stopped or not goes_on:
            raise Cancelled("stopped while the renderer was busy")

    def _drop(self, *, goodbye: bool) -> None:
        with self._lock:
            link, self._link = self._link, None
        if link is not None:
            link.close(goodbye=goodbye)

    def _linked(self) -> Link:
        """The connection, made where there is none or it is gone."""
        if self._link is not None:
            try:
                self._link.check()
                return self._link
            except ServiceError:  # no job was under way: nothing is lost with it
                self._drop(goodbye=False)
        link = Link(self._connection, self._name)
        with self._lock:
            self._link = link
        return link


def _free(freedom: FreedomLike | None) -> dict[str, Curve]:
    """The curve of freedom; none for what the style has, else the paper's."""
    return {} if freedom is None else {"freedom": Curve.of(freedom)}


def _clip(audio: Audio, rate: int) -> Clip:
    if audio.ndim != 2:
        raise InvalidRequest(f"expected audio as (channels, samples), got shape {audio.shape}")
    return Clip(np.asarray(audio, np.float32), rate)


def _sorted(gap: GapsLike, audio: Audio, rate: int, song: Sequence[object]) -> Any:
    """The gaps in order of time, as candidates number them."""
    return check_gaps(gaps_of(gap, rate), int(audio.shape[-1]), rate=rate, elsewhere=bool(song))


def _result(job: Job, delivered: Delivered) -> Result:
    candidates = tuple(
        wire.assemble(job, [whole.gaps[gap] for gap in sorted(whole.gaps)]) for whole in delivered.ranked
    )
    recipe = Recipe.from_json(delivered.recipes[0])
    return Result(candidates[0], job.clip.rate, json.loads(delivered.report), recipe, candidates)
