"""Speech-to-text engines as plugins are given them: each of them streams, and none holds up who pushes sound."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from mien.errors import MienError
from mien.interfaces import Transcriber, TranscriberStream, TranscriberStreamSettings
from mien.plugins.checking import checked_transcript
from mien.plugins.guard import CallKind, Deadlines, Guard, GuardedCall, PluginCallError
from mien.plugins.redecoding import RedecodingStream, Turns
from mien.types import AudioClip, StreamState, Transcript

_log = logging.getLogger("mien.plugins")


class HostedTranscriber(Transcriber):
    """A registered engine. Closing it leaves the engine, which the host closes."""

    def __init__(self, name: str, engine: Transcriber, deadlines: Deadlines) -> None:
        """Take a loaded engine.

        Args:
            name: What it is registered as.
            engine: The plugin's.
            deadlines: How long calls into its streams may take.
        """
        self._name = name
        self._engine = engine
        self._deadlines = deadlines
        self._turns = Turns(name)

    def transcribe(self, clip: AudioClip) -> Transcript:
        """Ask the engine; no partial transcript is begun meanwhile."""
        with self._turns.final():
            return self._engine.transcribe(clip)

    def draft(self, clip: AudioClip) -> Transcript:
        """Ask the engine."""
        return self._engine.draft(clip)

    def open_stream(self, settings: TranscriberStreamSettings) -> TranscriberStream:
        """The engine's own stream behind a guard, or one that asks it again and again. Waits for nothing."""
        streams = type(self._engine).open_stream is not Transcriber.open_stream
        redecoding = RedecodingStream(self._engine, self._turns, settings, engine=self._name, is_active=not streams)
        if not streams:
            return redecoding
        return GuardedStream(self._name, self._engine.open_stream, settings, redecoding, self._deadlines)

    def close(self) -> None:
        """Make no more partial transcripts."""
        self._turns.close()


class GuardedStream(TranscriberStream):
    """An engine's own stream, called in order on a thread of its own. Only ``finish`` waits for it.

    What the stream does wrong costs the partial transcripts: the final one is then the whole utterance's, by
    ``transcribe``. An error of mien's is the engine's word on the utterance, and is raised by ``finish``.
    """

    def __init__(
        self,
        name: str,
        open_stream: Callable[[TranscriberStreamSettings], TranscriberStream | None],
        settings: TranscriberStreamSettings,
        otherwise: RedecodingStream,
        deadlines: Deadlines,
    ) -> None:
        """Begin to open it.

        Args:
            name: The engine's.
            open_stream: The engine's.
            settings: Of the utterance.
            otherwise: For the utterance, where the engine has no stream for it.
            deadlines: How long calls may take.
        """
        self._name = name
        self._open_stream = open_stream
        self._settings = settings
        self._otherwise = otherwise
        part = f"transcriber {name!r}"
        self._guard = Guard(part, deadlines, threads=1)
        self._closing = Guard(part, deadlines, threads=1)
        self._calls: deque[GuardedCall[None]] = deque()
        self._own: TranscriberStream | None = None
        self._failure: MienError | None = None
        self._revision = 0
        self._telling = threading.Lock()
        self._over = False
        self._closed = False
        self._begin(CallKind.OPEN_STREAM, self._open)

    def push(self, clip: AudioClip) -> None:
        """Hand it on."""
        self._otherwise.push(clip)
        self._look_after()
        if self._failure is None:
            self._begin(CallKind.PUSH, lambda: self._push(clip))

    def finish(self) -> Transcript:
        """Wait for what was pushed and for the final transcript."""
        self._tell_no_more()
        try:
            return self._final()
        finally:
            self.close()

    def close(self) -> None:
        """Have the engine's stream closed; it is not waited for."""
        self._tell_no_more()
        self._closed = True
        self._otherwise.close()
        self._guard.close()
        self._closing.submit(CallKind.CLOSE, self._close)

    # On the guard's thread

    def _open(self) -> None:
        stream = self._open_stream(replace(self._settings, tell=self._tell))
        if stream is None:
            self._otherwise.activate()
        elif isinstance(stream, TranscriberStream):
            self._own = stream
            if self._closed:  # meanwhile
                stream.close()
        else:
            reason = f"it answered a {type(stream).__name__}, not a mien.TranscriberStream"
            raise PluginCallError(self._guard.part, CallKind.OPEN_STREAM, reason, state=StreamState.INVALID)

    def _push(self, clip: AudioClip) -> None:
        if self._own is not None:
            self._own.push(clip)

    def _finish(self) -> Transcript | None:
        if self._own is None:
            return None
        return checked_transcript(self._own.finish(), transcriber=self._name, call=CallKind.FINISH, is_final=True)

    def _close(self) -> None:
        try:
            if self._own is not None:
                self._own.close()
        finally:
            self._closing.close()

    # On any thread

    def _tell(self, given: Transcript) -> None:
        """Take a partial transcript of the engine's; one that comes late, or again, is passed over."""
        try:
            transcript = checked_transcript(given, transcriber=self._name, call=CallKind.TELL, is_final=False)
        except MienError as error:
            self._fail(error)
            return
        with self._telling:
            if not self._over and transcript.revision > self._revision:
                self._revision = transcript.revision
                self._settings.tell(transcript)

    # For whoever follows the utterance

    def _tell_no_more(self) -> None:
        with self._telling:
            self._over = True

    def _final(self) -> Transcript:
        call = self._guard.submit(CallKind.FINISH, self._finish)
        call.join()
        try:
            final = call.result()
        except MienError as error:
            self._fail(error)
            final = None
        self._look_after()
        if isinstance(self._failure, PluginCallError) or (final is None and self._failure is None):
            final = self._otherwise.finish()
        elif self._failure is not None:
            raise self._failure
        assert final is not None  # noqa: S101 - one of the three
        return replace(final, revision=max(final.revision, self._revision + 1)) if self._revision else final

    def _begin(self, kind: CallKind, function: Callable[[], None]) -> None:
        self._calls.append(self._guard.submit(kind, function))

    def _look_after(self) -> None:
        """Look at the calls that have returned, or should have."""
        while self._calls and self._calls[0].is_over:
            try:
                self._calls.popleft().result()
            except MienError as error:
                self._fail(error)

    def _fail(self, error: MienError) -> None:
        if self._failure is None:
            self._failure = error
            if isinstance(error, PluginCallError):
                _log.warning("%s; there are no partial transcripts of this utterance", error)
