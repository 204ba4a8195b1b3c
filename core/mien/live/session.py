"""Runs the analyzers of one session and keeps its running state; see ``LiveSession``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from mien.errors import AnalysisError, MienError
from mien.live.events import Event, Notice, NoticeKind, Partial, Started, Update
from mien.live.limits import SessionLimits
from mien.live.outbox import Outbox
from mien.live.partials import Finals
from mien.live.queues import Queue, Room, nothing
from mien.live.session_work import Counted, SessionWork
from mien.live.streams import Answer, Ready, Streams
from mien.live.work import Work
from mien.live.worker import Worker
from mien.plugins.guard import Guard, PluginCallError
from mien.redaction import predictions_given_out
from mien.session import Marker, Session, SessionEnd, SessionState
from mien.session.values import END, mismatch_message
from mien.types import AudioClip, Prediction, Sample, SampleKind, StreamState, StreamStatus

NOTICE_SECONDS: Final = 1.0
"""Between two notices of dropped frames."""

Load: TypeAlias = Callable[[], Awaitable[Sample]]
"""Decodes a sample when its turn comes; raises ``MienError`` where it cannot be used."""

_log = logging.getLogger("mien.live")


@dataclass(frozen=True, slots=True)
class Numbered:
    """A sample that waits, and the caller's number of it; 0 where there is none."""

    load: Load
    sequence: int = 0


class Predictor(Protocol):
    """Has one analyzer look at one sample, in a batch with others where that helps."""

    def __call__(self, analyzer: str, sample: Sample) -> Awaitable[list[Prediction] | StreamStatus]:
        """Its predictions, or how it failed; may raise ``MienError`` where it was not asked at all."""


class LiveSession:
    """One customer interaction as it happens. For one event loop; ``finish`` or ``abandon`` it.

    Three queues are worked off side by side: pictures (of those that wait the newest are kept, older ones dropped and
    counted), sound (all of it is kept; cutting it into utterances and recognising them are two steps, so that neither
    waits for the other), and words. What is analysed meets again on the session's one thread.
    """

    def __init__(
        self,
        session: Session,
        streams: Streams,
        predict: Predictor,
        *,
        worker: Worker,
        fuser: Guard,
        limits: SessionLimits,
    ) -> None:
        """Begin; ``mien.live.open_session`` opens what is given here.

        Args:
            session: What is known of the customer; from here on it is used on the worker's thread alone.
            streams: Of the analyzers that take part; the same.
            predict: Runs the analyzers.
            worker: The session's thread, which the session ends.
            fuser: Guard of the session's fuser.
            limits: What may wait.
        """
        self._config = session.config
        self._work = SessionWork(session, streams, fuser)
        self._state = session.state()
        self._streams = streams
        self._predict = predict
        self._worker = worker
        self._max_speech_seconds = limits.speech_queued_seconds
        self._outbox = Outbox()
        self._finals = Finals()
        self._frames: Queue[Numbered] = Queue(self._take, name="session-frames", newest=limits.frames_queued)
        self._room = Room(limits.bytes_queued)
        self._sound: Queue[Numbered] = Queue(self._take_sound, name="session-sound", room=self._room)
        self._speech: Queue[Ready] = Queue(self._take_speech, name="session-speech")
        self._words: Queue[Numbered] = Queue(self._take, name="session-words", room=self._room)
        self._speech_seconds = 0.0
        self._frames_dropped = 0
        self._counting = asyncio.Lock()
        self._ended = asyncio.Event()
        self._failure: MienError | None = None
        self._told_of: set[SampleKind] = set()
        self._drops_told_at = -NOTICE_SECONDS
        self._keeps_up = True
        self._begin()

    @property
    def ended(self) -> asyncio.Event:
        """Set when the session has ended by itself (enough snapshots, an end marker, a failure): ``finish`` it."""
        return self._ended

    async def events(self) -> AsyncIterator[Event]:
        """What happens, from ``Started`` to the summary.

        Raises:
            MienError: The session could not go on; after the summary.
        """
        async for event in self._outbox.read():
            yield event
        if self._failure is not None:
            raise self._failure

    # What comes in. None of these waits for an analyzer; ``size`` are the bytes that a load holds, and ``gone`` is
    # called when it needs them no more.

    @property
    def has_room(self) -> bool:
        """Whether more sound and words should be taken in: less of them waits than the limit."""
        return self._room.is_free

    async def wait_for_room(self) -> None:
        """Return when more sound and words should be taken in."""
        await self._room.wait()

    def push_frame(self, load: Load, *, sequence: int = 0, size: int = 0, gone: Callable[[], None] = nothing) -> None:
        """Take a picture in; decoded only if its turn comes. What is told of it carries the number."""
        if not self._taken(SampleKind.IMAGE, "pictures"):
            gone()
            return
        dropped = self._frames.put(Numbered(load, sequence), size=size, gone=gone)
        if dropped:
            self._frames_dropped += dropped
            self._tell_of_drops()

    def push_sound(self, load: Load, *, sequence: int = 0, size: int = 0, gone: Callable[[], None] = nothing) -> None:
        """Take a piece of sound in, in the order of time; a notice that it cannot be used carries the number."""
        if self._taken(SampleKind.AUDIO, "sound"):
            self._sound.put(Numbered(load, sequence), size=size, gone=gone)
        else:
            gone()

    def push_words(self, load: Load, *, sequence: int = 0, size: int = 0, gone: Callable[[], None] = nothing) -> None:
        """Take words in; what is told of them carries the number."""
        if self._taken(SampleKind.TEXT, "words"):
            self._words.put(Numbered(load, sequence), size=size, gone=gone)
        else:
            gone()

    async def mark(self, marker: Marker, *, sequence: int = 0) -> None:
        """Take a marker in; its update carries the number.

        One that ends the session first lets the pictures that wait be analysed.
        """
        if marker.name == END:
            await self._frames.wait_idle()
        await self._count(self._work.marking(marker), sequence)

    def notice(self, kind: NoticeKind, message: str, *, sequence: int = 0) -> None:
        """Tell the caller something, of a message with this number where it is about one."""
        self._put(Notice(kind=kind, message=message, at=self._state.at, sequence=sequence))

    def partial(self, prediction: Prediction) -> None:
        """Tell the caller what is being said; not one who does not keep up, nor of an utterance that is over."""
        if self._outbox.has_room and self._finals.is_news(prediction):
            (shown,) = predictions_given_out([prediction], redact=self._config.redact_transcript)
            self._put(Partial(prediction=shown))

    async def sound_taken(self) -> None:
        """Return when all sound that came in was cut into utterances; they may still wait for recognition."""
        await self._sound.wait_idle()

    async def settle(self) -> None:
        """Return when all that came in was analysed and the events of it were read, for whoever has time to wait.

        What analyzers hold back, such as an utterance that goes on, is left with them.
        """
        for queue in (self._frames, self._words, self._sound, self._speech):
            await queue.wait_idle()
        await self._outbox.wait_read()

    async def finish(self, end: SessionEnd, *, within: float) -> None:
        """Finish what came in, end the session if it has not ended, and give the summary; call it once.

        Args:
            end: Why, where the session has not ended by itself.
            within: Seconds; what was not analysed by then is left out, with a notice.
        """
        try:
            try:
                async with asyncio.timeout(within):
                    await self._finish_queues()
            except TimeoutError:
                self.notice(NoticeKind.STREAM, f"the end came before all was analysed: {self._waiting()}")
            await self._close_queues()
            await self._sum_up(end)
        finally:
            await self._close_queues()  # also where this was cancelled: they work with what is closed next
            self._close()

    async def abandon(self) -> None:
        """Stop at once, without a summary: nobody listens any more."""
        await self._close_queues()
        self._close()

    # The queues

    async def _take(self, given: Numbered) -> None:
        """A picture, or words: analysed at once."""
        for ready in await self._ready(given):
            await self._analyze(ready, given.sequence)

    async def _take_sound(self, given: Numbered) -> None:
        """Sound: cut into utterances, which wait for recognition."""
        for ready in await self._ready(given):
            self._queue_speech(ready)

    async def _take_speech(self, ready: Ready) -> None:
        try:
            await self._analyze(ready)
        finally:
            self._speech_seconds -= ready.seconds

    def _queue_speech(self, ready: Ready) -> None:
        seconds = ready.seconds
        keeps_up = self._speech_seconds + seconds <= self._max_speech_seconds or self._speech_seconds == 0
        if keeps_up:
            self._speech_seconds += seconds
            self._speech.put(ready)
        elif self._keeps_up:
            self.notice(NoticeKind.STREAM, "speech recognition cannot keep up; what is said meanwhile is left out")
        self._keeps_up = keeps_up

    async def _ready(self, given: Numbered) -> list[Ready]:
        """Decode a sample and push it through the streams; nothing, with a notice, where it cannot be used."""
        await self._outbox.wait_for_room()
        try:
            sample = await given.load()
        except MienError as error:
            self.notice(NoticeKind.BAD_INPUT, str(error), sequence=given.sequence)
            return []
        return await self._worker.do(self._streams.pushing(sample))

    async def _analyze(self, ready: Ready, sequence: int = 0) -> None:
        """Have the analyzers look at one moment, all at once, and count what they say."""
        asked = await asyncio.gather(*(self._ask(each.name, ready.samples[each.name]) for each in ready.participants))
        names = [each.name for each in ready.participants]
        answers = {name: answer for name, (answer, _) in zip(names, asked, strict=True)}
        seconds = {name: took for name, (_, took) in zip(names, asked, strict=True)}
        await self._count(self._work.observing(ready, answers, seconds=seconds), sequence)

    async def _ask(self, analyzer: str, sample: Sample) -> tuple[list[Prediction] | StreamStatus, float]:
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            answer = await self._predict(analyzer, sample)
        except MienError as error:
            modality = next(each.info.modality for each in self._streams.participants if each.name == analyzer)
            answer = StreamStatus(analyzer, modality, StreamState.FAILED, str(error))
        return answer, clock() - began

    # What was counted

    async def _count(self, work: Work[Counted], sequence: int = 0) -> None:
        async with self._counting:  # so that what is told keeps the order of what was counted
            try:
                counted = await self._worker.do(work)
            except PluginCallError as error:  # the fuser's, and without it there is no session
                self._fail(error)
            except MienError as error:
                self.notice(NoticeKind.BAD_INPUT, str(error), sequence=sequence)
            else:
                if counted.state is not None:
                    self._tell(counted.answer, counted.state, sequence)

    def _tell(self, answer: Answer, state: SessionState, sequence: int) -> None:
        before, self._state = self._state, state
        self._finals.note(answer.predictions)
        predictions = predictions_given_out(answer.predictions, redact=self._config.redact_transcript)
        self._put(
            Update(
                state=state,
                predictions=predictions,
                streams=answer.statuses,
                frame_size=answer.frame_size,
                sequence=sequence,
            )
        )
        if state.mismatches > before.mismatches:
            self.notice(NoticeKind.MISMATCH, mismatch_message(state.satisfaction))
        if state.end is not None:
            self._ended.set()

    def _begin(self) -> None:
        names = tuple(each.name for each in self._streams.participants)
        expected = tuple(sorted(self._config.expected_modalities))
        self._put(Started(session_id=self._config.session_id, analyzers=names, expected_modalities=expected))
        for status in self._streams.unavailable:
            self.notice(NoticeKind.STREAM, f"{status.analyzer} is missing: {status.reason}")

    def _taken(self, kind: SampleKind, called: str) -> bool:
        """Whether an analyzer of this session takes such samples; tells the caller once where none does."""
        if self._streams.takes(kind):
            return True
        if kind not in self._told_of:
            self._told_of.add(kind)
            names = ", ".join(each.name for each in self._streams.participants)
            self.notice(
                NoticeKind.BAD_INPUT, f"no analyzer of this session ({names}) takes {called}; they are left out"
            )
        return False

    def _tell_of_drops(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._drops_told_at >= NOTICE_SECONDS:
            self._drops_told_at = now
            self.notice(NoticeKind.FRAME_DROPPED, "pictures come faster than they are analysed; older ones are dropped")

    def _put(self, event: Event) -> None:
        try:
            self._outbox.put(event)
        except MienError as error:
            self._failure = error
            self._ended.set()
            self._outbox.close()

    def _fail(self, error: PluginCallError) -> None:
        if self._failure is None:
            _log.warning("%s", error)
            self._failure = AnalysisError(f"{error.plugin_part} failed: {error.reason}")
        self._ended.set()

    # The end

    async def _finish_queues(self) -> None:
        for queue in (self._frames, self._words, self._sound):
            await queue.wait_idle()
        for ready in await self._worker.do(self._streams.flushing()):
            if isinstance(ready.sample, AudioClip):
                self._queue_speech(ready)
            else:
                await self._analyze(ready)
        await self._speech.wait_idle()

    async def _sum_up(self, end: SessionEnd) -> None:
        summing_up = self._work.summing_up(end, frames_dropped=self._frames_dropped)
        try:
            self._put(await self._worker.do(summing_up))
        except PluginCallError as error:
            self._fail(error)

    async def _close_queues(self) -> None:
        for queue in (self._frames, self._sound, self._speech, self._words):
            await queue.close()

    def _close(self) -> None:
        self._streams.close()
        self._worker.close()
        self._outbox.close()

    def _waiting(self) -> str:
        waiting = (("pictures", len(self._frames)), ("utterances", len(self._speech)), ("texts", len(self._words)))
        listed = ", ".join(f"{count} {called}" for called, count in waiting if count)
        return f"{listed} waited" if listed else "the last one was still worked on"
