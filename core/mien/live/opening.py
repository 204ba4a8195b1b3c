"""The ways in: ``open_session`` for whoever follows a customer as it happens, ``open_streams`` for anybody else.

Opening calls plugins. ``open_streams`` waits for them; ``open_session`` does, too, and never holds up its event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from mien.config import Settings
from mien.errors import AnalyzerNotFoundError, MienError, PluginError
from mien.interfaces import AnalyzerInfo, Stream, StreamSettings
from mien.live.events import NoticeKind
from mien.live.intake import Intake, Region
from mien.live.limits import SessionLimits
from mien.live.session import LiveSession, Predictor
from mien.live.streams import Participant, Streams, Tell
from mien.live.worker import Worker
from mien.plugins.checking import checked_partial
from mien.plugins.guard import CallKind, Deadlines, Guard, PluginCallError
from mien.plugins.host import PluginHost
from mien.plugins.parts import PartKind
from mien.session import Session, SessionConfig
from mien.types import Prediction, StreamState, StreamStatus

MAX_REASONS: Final = 8
"""Different faults of one stream's partial predictions that are logged."""

_log = logging.getLogger("mien.live")


async def open_session(
    host: PluginHost,
    config: SessionConfig,
    settings: Settings,
    predict: Predictor,
    *,
    limits: SessionLimits,
) -> LiveSession:
    """Begin to follow a customer. Loads what is not loaded.

    Args:
        host: Has the analyzers, the fuser and the customer policy.
        config: The options; without ``expected_modalities`` those of the analyzers that take part are expected.
        settings: How long calls into plugins may take.
        predict: Runs the analyzers.
        limits: What may wait in the session.

    Raises:
        SessionError: A consent is required and was not given.
        AnalyzerNotFoundError: A named analyzer, the fuser or the policy does not exist or is not enabled, or none is.
        PluginError: None of the analyzers can be used, or the fuser or the policy cannot.
    """
    fuser = host.guard(config.fuser, PartKind.FUSER)
    worker = Worker(patience_seconds=settings.engine.deadline_seconds)
    told = _Told()

    def open_() -> tuple[Streams, Session]:
        rule = host.fuser(config.fuser)
        customer = host.customer_choice(config.customer_policy)
        streams = open_streams(
            host,
            config.analyzers,
            settings,
            snapshot_interval_seconds=config.snapshot_interval_seconds,
            exclude_regions=config.exclude_regions,
            tell=told,
            tell_partial=told.partial if config.partials else None,
        )
        modalities = frozenset(each.info.modality for each in streams.participants)
        expecting = replace(config, expected_modalities=config.expected_modalities or modalities)
        return streams, fuser.call(CallKind.ACCUMULATE, lambda: Session(expecting, rule, customer))

    try:
        streams, session = await worker.run(open_)
    except BaseException:
        worker.close()
        raise
    live = LiveSession(session, streams, predict, worker=worker, fuser=fuser, limits=limits)
    told.session = live
    return live


class _Told:
    """Brings what streams tell from the session's thread to its event loop."""

    def __init__(self) -> None:
        self.session: LiveSession | None = None
        self._loop = asyncio.get_running_loop()

    def __call__(self, kind: NoticeKind, message: str) -> None:
        self._loop.call_soon_threadsafe(self._tell, kind, message)

    def partial(self, prediction: Prediction) -> None:
        """The same for what is being said."""
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._tell_partial, prediction)

    def _tell(self, kind: NoticeKind, message: str) -> None:
        if self.session is not None:
            self.session.notice(kind, message)

    def _tell_partial(self, prediction: Prediction) -> None:
        if self.session is not None:
            self.session.partial(prediction)


def open_streams(
    host: PluginHost,
    names: Sequence[str],
    settings: Settings,
    *,
    snapshot_interval_seconds: float,
    exclude_regions: Sequence[Region],
    tell: Tell,
    tell_partial: Callable[[Prediction], None] | None = None,
    deadlines: Deadlines | None = None,
) -> Streams:
    """Open the streams of the named analyzers; without names, of every enabled one. Loads what is not loaded.

    Blocks while analyzers load: not for an event loop.

    Args:
        host: Has the analyzers.
        names: Those that are to take part.
        settings: How long calls into plugins may take.
        snapshot_interval_seconds: Seconds between two pictures that are analysed; 0 analyses each one.
        exclude_regions: Parts of the picture that nobody is shown, as fractions (x, y, width, height) of its size.
        tell: Told later where a stream fails; those that cannot take part at all are in ``Streams.unavailable``.
        tell_partial: Takes what is said of an utterance that goes on, checked and signed, on any thread; None where
            nobody wants to know.
        deadlines: In the place of those that follow from the settings.

    Raises:
        AnalyzerNotFoundError: A named analyzer does not exist or is not enabled, or none is enabled.
        PluginError: None of them can be used.
        ValueError: The interval or a region is out of range.
    """
    intake = Intake(snapshot_interval_seconds, exclude_regions)
    wish = StreamSettings(snapshot_interval_seconds=snapshot_interval_seconds, exclude_regions=tuple(exclude_regions))
    chosen = tuple(dict.fromkeys(names)) or tuple(name for name, entry in host.analyzers.items() if entry.enabled)
    if not chosen:
        raise AnalyzerNotFoundError("no analyzer is enabled here; install a plugin, or name one in [engine] analyzers")
    limits = deadlines or Deadlines.of(settings)
    participants: list[Participant] = []
    unavailable: list[StreamStatus] = []
    for name in chosen:
        info = host.enabled_analyzer(name).info
        try:
            heard = None if tell_partial is None else _checking(info, name, tell_partial)
            stream = _open(host, name, replace(wish, tell=heard))
        except MienError as error:  # a plugin's fault costs its own stream
            unavailable.append(StreamStatus(name, info.modality, StreamState.UNAVAILABLE, str(error)))
            continue
        # A guard of its own: a stream that hangs holds up neither the analyzer nor other sessions.
        parent = host.guard(name, PartKind.ANALYZER)
        guard = Guard(f"analyzer {name!r}", limits, threads=1, parent=parent)
        participants.append(Participant(name=name, info=info, stream=stream, guard=guard))
    if not participants:
        reasons = "; ".join(f"{status.analyzer}: {status.reason}" for status in unavailable)
        raise PluginError(f"no analyzer of the session can be used: {reasons}")
    return Streams(participants, intake, tell, unavailable=unavailable)


def _checking(info: AnalyzerInfo, name: str, tell: Callable[[Prediction], None]) -> Callable[[Prediction], None]:
    """What the stream of an analyzer is given to tell: what breaks the contract is logged once, and not passed on."""
    broken: set[str] = set()

    def check_and_tell(given: Prediction) -> None:
        try:
            prediction = checked_partial(given, info, analyzer=name)
        except PluginCallError as error:
            if error.reason not in broken and len(broken) < MAX_REASONS:
                broken.add(error.reason)
                _log.warning("%s", error)
        else:
            tell(prediction)

    return check_and_tell


def _open(host: PluginHost, name: str, wish: StreamSettings) -> Stream:
    analyzer, guard = host.analyzer(name), host.opening_guard(name)
    stream = guard.call(CallKind.OPEN_STREAM, lambda: analyzer.open_stream(wish))
    if not isinstance(stream, Stream):
        reason = f"it answered a {type(stream).__name__}, not a mien.Stream"
        raise PluginCallError(guard.part, CallKind.OPEN_STREAM, reason, state=StreamState.INVALID)
    return stream
