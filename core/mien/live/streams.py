"""The streams of the analyzers that follow one camera, microphone or recording: the one way into them for everybody.

Samples go in (``push``), what is ready to be analysed comes out, and what the analyzers said of it goes back
(``observe``). A stream that fails costs only itself. Having the analyzers look is the caller's business.
"""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from mien.errors import MienError
from mien.interfaces import AnalyzerInfo, Stream
from mien.live.events import NoticeKind
from mien.live.intake import Intake
from mien.live.work import PluginCall, Work, do_through_guards
from mien.plugins.checking import checked_predictions, checked_samples, own_predictions, own_sample, span_of
from mien.plugins.guard import CallKind, Guard, PluginCallError
from mien.types import ImageFrame, Prediction, Sample, SampleKind, StreamState, StreamStatus, kind_of

Tell: TypeAlias = Callable[[NoticeKind, str], None]
"""Is told what a person should know, in one sentence."""

Answers: TypeAlias = Mapping[str, Sequence[Prediction] | StreamStatus]
"""Analyzer -> what it said of a sample, or how that failed."""

_NO_SECONDS: Final[Mapping[str, float]] = MappingProxyType({})
_log = logging.getLogger("mien.live")


@dataclass(slots=True, kw_only=True, eq=False)
class Participant:
    """One analyzer's part in a session.

    Attributes:
        name: The analyzer's registered name.
        info: What is known of it.
        stream: Its state for this session.
        guard: Through which it is called.
        failure: How it failed, while it does.
    """

    name: str
    info: AnalyzerInfo
    stream: Stream
    guard: Guard
    failure: StreamStatus | None = None

    def status(self, state: StreamState, reason: str = "", *, seconds: float = 0.0) -> StreamStatus:
        """How it fared."""
        return StreamStatus(self.name, self.info.modality, state, reason, seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """One moment that is ready to be analysed.

    Attributes:
        sample: A picture, an utterance or words. Where several participants take it, the first one's.
        participants: Those whose analyzers are to look at it.
        samples: Name of each of them -> what its own stream gave back, of the same kind and time, for its analyzer.
    """

    sample: Sample
    participants: tuple[Participant, ...]
    samples: Mapping[str, Sample]

    @property
    def kind(self) -> SampleKind:
        """Of the sample."""
        return kind_of(self.sample)

    @property
    def seconds(self) -> float:
        """How long the sample lasts; 0 for a picture."""
        span = span_of(self.sample)
        return span.end - span.start

    @property
    def ends_at(self) -> float:
        """When it was over, seconds on the caller's clock."""
        return span_of(self.sample).end

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """Width and height of a picture, pixels."""
        if not isinstance(self.sample, ImageFrame):
            return None
        height, width = self.sample.pixels.shape[:2]
        return width, height


@dataclass(frozen=True, slots=True)
class _Given:
    """What a stream gave back: the object itself, which its analyzer is asked about, and the same with plain values."""

    original: Sample
    checked: Sample


@dataclass(frozen=True, slots=True)
class Answer:
    """What the analyzers said of one moment, and how each fared.

    Attributes:
        predictions: Of those that could look or listen.
        statuses: One for each that was asked.
        frame_size: Width and height of a picture, pixels; None where it was none.
    """

    predictions: tuple[Prediction, ...]
    statuses: tuple[StreamStatus, ...]
    frame_size: tuple[int, int] | None = None

    @property
    def is_missing(self) -> bool:
        """No analyzer could look at it."""
        return all(status.state is not StreamState.OK for status in self.statuses)


class Streams:
    """The streams of one session. Used by one thread at a time.

    ``push``, ``observe`` and ``flush`` wait for the plugins, each of which is called on a thread of its own.
    ``pushing``, ``observing`` and ``flushing`` are the same as ``Work``, for whoever makes the calls otherwise.
    """

    def __init__(
        self,
        participants: Sequence[Participant],
        intake: Intake,
        tell: Tell,
        *,
        unavailable: Sequence[StreamStatus] = (),
    ) -> None:
        """Take open streams; ``mien.live.open_streams`` opens them.

        Args:
            participants: The analyzers that take part.
            intake: Picks and blanks the pictures.
            tell: Told where a stream fails or comes back, once, and where a sample cannot be used.
            unavailable: Those that should take part and cannot, with the reasons.
        """
        self._participants = tuple(participants)
        self._intake = intake
        self._tell = tell
        self._unavailable = tuple(unavailable)
        self._closed = False

    @property
    def participants(self) -> tuple[Participant, ...]:
        """The analyzers that take part."""
        return self._participants

    @property
    def unavailable(self) -> tuple[StreamStatus, ...]:
        """Those that should take part and cannot: their streams could not be opened."""
        return self._unavailable

    @property
    def failures(self) -> tuple[StreamStatus, ...]:
        """Those that do not work at present, with the reasons: unavailable ones first, then those that fail."""
        failing = (each.failure for each in self._participants)
        return (*self._unavailable, *(failure for failure in failing if failure is not None))

    def takes(self, kind: SampleKind) -> bool:
        """Whether anybody takes samples of this kind."""
        return any(kind in each.info.accepts for each in self._participants)

    def push(self, sample: Sample) -> list[Ready]:
        """Push a sample through the streams of those that take it; what is now ready to be analysed.

        A picture passes the intake first: one that is not due goes no further.
        """
        return do_through_guards(self.pushing(sample))

    def observe(self, ready: Ready, answers: Answers, *, seconds: Mapping[str, float] = _NO_SECONDS) -> Answer:
        """Have the streams see what their analyzers said.

        Args:
            ready: What the analyzers were asked about.
            answers: What each of ``ready.participants`` said.
            seconds: How long each of them took, for its status; 0 where it is not given.
        """
        return do_through_guards(self.observing(ready, answers, seconds=seconds))

    def flush(self) -> list[Ready]:
        """What the streams still held; nothing is pushed afterwards."""
        return do_through_guards(self.flushing())

    def close(self) -> None:
        """Nothing is asked of the streams any more; calls that run are not waited for. May be called twice."""
        for each in self._participants:
            if not self._closed and type(each.stream).close is not Stream.close:
                # It closes the guard itself, once it is done.
                each.guard.submit(CallKind.CLOSE, functools.partial(_close, each))
            if not each.guard.healthy or type(each.stream).close is Stream.close:
                each.guard.close()
        self._closed = True

    def pushing(self, sample: Sample) -> Work[list[Ready]]:
        """The work of ``push``."""
        due = self._intake.take(sample) if isinstance(sample, ImageFrame) else sample
        if due is None:
            return []
        shown, kind = own_sample(due), kind_of(due)
        given = []
        for each in self._participants:
            if kind in each.info.accepts:
                found = yield from self._given(each, CallKind.PUSH, functools.partial(_push, each.stream, shown))
                given.append((each, found))
        return _together(given)

    def flushing(self) -> Work[list[Ready]]:
        """The work of ``flush``."""
        given = []
        for each in self._participants:
            found = yield from self._given(each, CallKind.FLUSH, functools.partial(_flush, each.stream))
            given.append((each, found))
        return _together(given)

    def observing(self, ready: Ready, answers: Answers, *, seconds: Mapping[str, float] = _NO_SECONDS) -> Work[Answer]:
        """The work of ``observe``."""
        predictions: list[Prediction] = []
        statuses: list[StreamStatus] = []
        for each in ready.participants:
            answer = answers[each.name]
            if isinstance(answer, StreamStatus):
                status = answer
            else:
                observed, failure = yield from self._observed(each, ready.samples[each.name], answer)
                predictions += observed
                status = failure or each.status(StreamState.OK, seconds=seconds.get(each.name, 0.0))
            self._fared(each, status)
            statuses.append(status)
        return Answer(tuple(predictions), tuple(statuses), ready.frame_size)

    def _given(
        self, participant: Participant, kind: CallKind, function: Callable[[], Iterable[Sample]]
    ) -> Work[Sequence[_Given]]:
        """What a stream gives back; nothing where it fails."""

        def ask() -> list[_Given]:
            given = function()
            checked = checked_samples(given, participant.info, analyzer=participant.name, call=kind)
            return [_Given(original, plain) for original, plain in zip(given, checked, strict=True)]

        try:
            found: list[_Given] = yield PluginCall(participant.guard, kind, ask)
        except PluginCallError as error:
            self._fared(participant, participant.status(error.state, str(error)))
        except MienError as error:
            self._tell(NoticeKind.BAD_INPUT, f"{participant.name}: {error}")
        else:
            return found
        return ()

    def _observed(
        self, participant: Participant, sample: Sample, answer: Sequence[Prediction]
    ) -> Work[tuple[tuple[Prediction, ...], StreamStatus | None]]:
        """What a stream makes of its analyzer's answer, and how it failed where it did."""

        def ask() -> tuple[Prediction, ...]:
            observed = participant.stream.observe(sample, own_predictions(answer))
            info, name = participant.info, participant.name
            return checked_predictions(observed, info, sample, analyzer=name, call=CallKind.OBSERVE)

        try:
            found: tuple[Prediction, ...] = yield PluginCall(participant.guard, CallKind.OBSERVE, ask)
        except PluginCallError as error:
            return (), participant.status(error.state, str(error))
        except MienError as error:
            self._tell(NoticeKind.BAD_INPUT, f"{participant.name}: {error}")
            return (), None
        return found, None

    def _fared(self, participant: Participant, status: StreamStatus) -> None:
        """Tell where a stream fails or comes back, once."""
        failing = status.state is not StreamState.OK
        if failing and participant.failure is None:
            _log.warning("analyzer %r is missing from a session: %s", participant.name, status.reason)
            self._tell(NoticeKind.STREAM, f"{participant.name} is missing: {status.reason}")
        elif participant.failure is not None and not failing:
            self._tell(NoticeKind.STREAM, f"{participant.name} is back")
        participant.failure = status if failing else None


def _close(participant: Participant) -> None:
    try:
        participant.stream.close()
    finally:
        participant.guard.close()


def _push(stream: Stream, sample: Sample) -> Iterable[Sample]:
    return stream.push(sample)


def _flush(stream: Stream) -> Iterable[Sample]:
    return stream.flush()


def _together(given: Iterable[tuple[Participant, Sequence[_Given]]]) -> list[Ready]:
    """Samples of the same kind and time are one moment, whatever objects the streams give back."""
    moments: dict[Hashable, dict[Participant, _Given]] = {}
    for participant, found in given:
        met = Counter[Hashable]()
        for each in found:
            moment = (kind_of(each.checked), span_of(each.checked))
            moments.setdefault((moment, met[moment]), {})[participant] = each
            met[moment] += 1
    return [
        Ready(
            sample=next(iter(found.values())).checked,
            participants=tuple(found),
            samples={participant.name: each.original for participant, each in found.items()},
        )
        for found in moments.values()
    ]
