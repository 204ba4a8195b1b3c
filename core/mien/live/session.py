"""Runs the analyzers of one session and keeps its running state; see ``LiveSession``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from mien.engine.requests import kind_of
from mien.errors import AnalysisError, MienError
from mien.interfaces import Fuser
from mien.live.events import Event, Notice, NoticeKind, Started, Update
from mien.live.lanes import Lane
from mien.live.outbox import Outbox
from mien.live.parts import Part
from mien.live.runner import PLUGIN_SECONDS, Predictor, Ready, Runner, off_loop
from mien.plugins import workers
from mien.redaction import without_words
from mien.session import Marker, Observation, Session, SessionConfig, SessionEnd, SessionState
from mien.session.values import END
from mien.types import AudioClip, Sample, SampleKind, StreamStatus

NOTICE_SECONDS: Final = 1.0
"""Between two notices of dropped frames."""

Load: TypeAlias = Callable[[], Awaitable[Sample]]
"""Decodes a sample when its turn comes; raises ``MienError`` where it cannot be used."""

_log = logging.getLogger("mien.live")


class LiveSession:
    """One customer interaction as it happens. For one event loop; ``finish`` or ``abandon`` it.

    Three lanes work side by side: pictures (of those that wait the newest are kept, older ones dropped and counted),
    sound (all of it is kept; cutting it into utterances and recognising them are two steps, so that neither waits for
    the other), and words.
    """

    def __init__(
        self,
        config: SessionConfig,
        fuser: Fuser,
        parts: Sequence[Part],
        predict: Predictor,
        *,
        frames_queued: int = 2,
        speech_queued_seconds: float = 60.0,
    ) -> None:
        """Open the session.

        Args:
            config: Its options; ``expected_modalities`` left empty takes those of the parts.
            fuser: Turns evidence into satisfaction.
            parts: The analyzers that take part.
            predict: Runs them.
            frames_queued: Pictures that may wait.
            speech_queued_seconds: Utterances that wait for recognition may be so long together; beyond, sound is left
                out, with a notice, until recognition has caught up.

        Raises:
            SessionError: A consent is required and was not given.
        """
        expected = config.expected_modalities or frozenset(part.modality for part in parts)
        self._config = replace(config, expected_modalities=expected)
        self._session = Session(self._config, fuser)
        self._parts = tuple(parts)
        self._runner = Runner(self._parts, predict, self.notice)
        self._outbox = Outbox()
        self._frames: Lane[Load] = Lane(self._take, name="session-frames", newest=frames_queued)
        self._sound: Lane[Load] = Lane(self._take_sound, name="session-sound")
        self._speech: Lane[Ready] = Lane(self._take_speech, name="session-speech")
        self._words: Lane[Load] = Lane(self._take, name="session-words")
        self._speech_seconds = 0.0
        self._max_speech_seconds = speech_queued_seconds
        self._session_lock = asyncio.Lock()
        self._worker = workers.Lane("session", threads=1)
        self._ended = asyncio.Event()
        self._failure: MienError | None = None
        self._told_of: set[SampleKind] = set()
        self._drops_told_at = -NOTICE_SECONDS
        self._keeps_up = True
        self._outbox.put(
            Started(
                session_id=config.session_id,
                analyzers=tuple(part.name for part in self._parts),
                expected_modalities=tuple(sorted(expected)),
            )
        )

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

    # What comes in. None of these waits for an analyzer.

    def push_frame(self, load: Load) -> None:
        """Take a picture in; decoded only if its turn comes."""
        if not self._taken(SampleKind.IMAGE, "pictures"):
            return
        dropped = self._frames.put(load)
        if dropped:
            self._session.note_dropped_frames(dropped)
            self._tell_of_drops()

    def push_sound(self, load: Load) -> None:
        """Take a piece of sound in, in the order of time."""
        if self._taken(SampleKind.AUDIO, "sound"):
            self._sound.put(load)

    def push_words(self, load: Load) -> None:
        """Take words in."""
        if self._taken(SampleKind.TEXT, "words"):
            self._words.put(load)

    async def mark(self, marker: Marker) -> None:
        """Take a marker in. One that ends the session first lets the pictures that wait be analysed."""
        if marker.name == END:
            await self._frames.wait_idle()
        await self._push(marker)

    def notice(self, kind: NoticeKind, message: str) -> None:
        """Tell the caller something."""
        self._put(Notice(kind=kind, message=message, at=self._session.state().at))

    async def settle(self) -> None:
        """Return when all that came in was analysed and the events of it were read, for whoever has time to wait.

        What analyzers hold back, such as an utterance that goes on, is left with them.
        """
        for lane in (self._frames, self._words, self._sound, self._speech):
            await lane.wait_idle()
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
                    await self._finish_lanes()
            except TimeoutError:
                self.notice(NoticeKind.STREAM, f"the end came before all was analysed: {self._waiting()}")
            await self._close_lanes()
            await self._sum_up(end)
        finally:
            self._close_workers()
            self._outbox.close()

    async def abandon(self) -> None:
        """Stop at once, without a summary: nobody listens any more."""
        await self._close_lanes()
        self._close_workers()
        self._outbox.close()

    async def _sum_up(self, end: SessionEnd) -> None:
        async with self._session_lock:
            try:
                summary = await off_loop(self._worker, lambda: self._session.close(end))
            except Exception as error:  # the fuser's bug
                self._fail(error)
            else:
                self._put(summary)

    # The lanes

    async def _take(self, load: Load) -> None:
        """A picture, or words: analysed at once."""
        for ready in await self._ready(load):
            await self._analyze(ready)

    async def _take_sound(self, load: Load) -> None:
        """Sound: cut into utterances, which wait for recognition."""
        for ready in await self._ready(load):
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

    async def _ready(self, load: Load) -> list[Ready]:
        """Decode a sample and push it through the streams; nothing, with a notice, where it cannot be used."""
        await self._outbox.wait_for_room()
        try:
            return await self._runner.push(await load())
        except MienError as error:
            self.notice(NoticeKind.BAD_INPUT, str(error))
            return []

    async def _analyze(self, ready: Ready) -> None:
        answer = await self._runner.analyze(ready)
        if answer.is_missing:
            self._put(Update(state=self._session.state(), streams=answer.statuses))
            return
        observation = Observation(
            kind=kind_of(ready.sample),
            at=ready.ends_at,
            predictions=answer.predictions,
            frame_size=ready.frame_size,
        )
        await self._push(observation, answer.statuses)

    # The state

    async def _push(self, item: Observation | Marker, statuses: tuple[StreamStatus, ...] = ()) -> None:
        async with self._session_lock:
            before = self._session.state()
            if self._session.end is not None and (isinstance(item, Marker) or item.kind is SampleKind.IMAGE):
                return  # it came while the end was on its way
            try:
                state = await off_loop(self._worker, lambda: self._session.push(item))
            except MienError as error:
                self.notice(NoticeKind.BAD_INPUT, str(error))
                return
            except Exception as error:  # the fuser's bug, and without it there is no session
                self._fail(error)
                return
            self._told(item, statuses, before, state)

    def _told(
        self,
        item: Observation | Marker,
        statuses: tuple[StreamStatus, ...],
        before: SessionState,
        state: SessionState,
    ) -> None:
        predictions = item.predictions if isinstance(item, Observation) else ()
        if self._config.redact_transcript:
            predictions = tuple(without_words(prediction) for prediction in predictions)
        self._put(Update(state=state, predictions=predictions, streams=statuses))
        if state.mismatches > before.mismatches:
            self.notice(NoticeKind.MISMATCH, "face and words point opposite ways")
        if state.end is not None:
            self._ended.set()

    def _taken(self, kind: SampleKind, called: str) -> bool:
        """Whether an analyzer of this session takes such samples; tells the caller once where none does."""
        if self._runner.takes(kind):
            return True
        if kind not in self._told_of:
            self._told_of.add(kind)
            names = ", ".join(part.name for part in self._parts)
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

    def _fail(self, error: Exception) -> None:
        late = isinstance(error, TimeoutError)
        reason = f"it did not answer for {PLUGIN_SECONDS:g} s" if late else f"it raised {type(error).__name__}"
        _log.warning("fuser %r: %s", self._config.fuser, reason)
        self._failure = AnalysisError(f"fuser {self._config.fuser!r} failed: {reason}")
        self._ended.set()

    # The end

    async def _finish_lanes(self) -> None:
        await self._frames.wait_idle()
        await self._words.wait_idle()
        await self._sound.wait_idle()
        for ready in await self._runner.flush():
            if isinstance(ready.sample, AudioClip):
                self._queue_speech(ready)
            else:
                await self._analyze(ready)
        await self._speech.wait_idle()

    async def _close_lanes(self) -> None:
        for lane in (self._frames, self._sound, self._speech, self._words):
            await lane.close()

    def _close_workers(self) -> None:
        self._runner.close()
        self._worker.close()

    def _waiting(self) -> str:
        waiting = (("pictures", len(self._frames)), ("utterances", len(self._speech)), ("texts", len(self._words)))
        listed = ", ".join(f"{count} {called}" for called, count in waiting if count)
        return f"{listed} waited" if listed else "the last one was still worked on"
