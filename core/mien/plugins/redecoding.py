"""Partial transcripts of an engine that has no stream: what has been said so far is recognised again and again.

Partial transcripts are worth little, so they give way to everything: none is begun while a final transcript is made,
one decoding runs at a time for all streams of an engine, which take turns, and each stream waits for new sound that is
worth it. An engine that does not keep up makes fewer of them, or none.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from mien.interfaces import LocalAgreement, TranscriberStream, TranscriberStreamSettings
from mien.plugins.checking import checked_transcript
from mien.plugins.guard import CallKind, log_raised
from mien.plugins.workers import Lane, LaneClosedError
from mien.types import AudioClip, Transcript

LONGEST_SECONDS: Final = 30.0
"""What is kept of one utterance, and the most that engines take at once."""

DUTY: Final = 0.5
"""Share of the time that one stream may keep the engine busy with partial transcripts: after a decoding that took half
a second, a second of new sound is waited for."""

KEEP_UP_SECONDS: Final = 0.7
"""The pause that ends an utterance, in which no sound is pushed. A decoding that is done in this time is done before
the final transcript is due; one that takes longer may hold it up, where the engine does one thing at a time."""

REST: Final = 20.0
"""So many times what the engine took beyond that, no decoding is begun: final transcripts are seldom held up."""

_log = logging.getLogger("mien.plugins")


class Recogniser(Protocol):
    """What is asked again and again; a ``Transcriber``."""

    def transcribe(self, clip: AudioClip) -> Transcript:
        """All words of an utterance."""

    def draft(self, clip: AudioClip) -> Transcript:
        """The words so far of one that goes on."""


class Waiting(Protocol):
    """What takes turns."""

    def decode(self) -> None:
        """Do one decoding."""


class Turns:
    """Gives one engine's time for partial transcripts to one stream after the other. Thread-safe."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start no thread yet.

        Args:
            name: The engine's.
            clock: Seconds; tells how long the engine takes.
        """
        self._clock = clock
        self._seconds = 0.0  # what the engine took last
        self._rests_until = -math.inf
        self._lock = threading.Lock()
        self._lane = Lane(f"partials-{name}", threads=1)
        self._waiting: dict[Waiting, None] = {}  # in the order of asking
        self._finals = 0
        self._running = False

    @contextlib.contextmanager
    def final(self) -> Iterator[None]:
        """While a final transcript is made, no decoding for a partial one begins."""
        with self._lock:
            self._finals += 1
        try:
            with self.measured():
                yield
        finally:
            with self._lock:
                self._finals -= 1
                self._go_on()

    @contextlib.contextmanager
    def measured(self) -> Iterator[None]:
        """See how long the engine takes."""
        began = self._clock()
        yield
        now = self._clock()
        with self._lock:
            self._seconds = now - began
            self._rests_until = now + REST * max(self._seconds - KEEP_UP_SECONDS, 0.0)

    @property
    def interval_seconds(self) -> float:
        """Seconds of new sound that are worth a decoding; infinite where the engine does not keep up."""
        with self._lock:
            return math.inf if self._clock() < self._rests_until else self._seconds / DUTY

    def ask(self, stream: Waiting) -> None:
        """Queue a stream for one decoding; one that is queued already keeps its place."""
        with self._lock:
            self._waiting.setdefault(stream)
            self._go_on()

    def forget(self, stream: Waiting) -> None:
        """The stream has ended; a decoding that runs is not waited for."""
        with self._lock:
            self._waiting.pop(stream, None)

    def close(self) -> None:
        """Begin nothing more."""
        with self._lock:
            self._waiting.clear()
        self._lane.close()

    def _go_on(self) -> None:
        """Needs the lock."""
        if self._waiting and not self._running and not self._finals:
            with contextlib.suppress(LaneClosedError):
                self._lane.submit(self._take_one)
                self._running = True

    def _take_one(self) -> None:
        try:
            with self._lock:
                if self._finals or not self._waiting:
                    return
                stream = next(iter(self._waiting))
                del self._waiting[stream]
            stream.decode()
        finally:
            with self._lock:
                self._running = False
                self._go_on()


class RedecodingStream(TranscriberStream):
    """One utterance through an engine that only takes whole ones."""

    def __init__(
        self,
        recogniser: Recogniser,
        turns: Turns,
        settings: TranscriberStreamSettings,
        *,
        engine: str,
        is_active: bool = True,
    ) -> None:
        """Begin.

        Args:
            recogniser: The engine.
            turns: The engine's.
            settings: Of the utterance.
            engine: Its name, for the log.
            is_active: Make partial transcripts; ``activate`` does so later.
        """
        self._recogniser = recogniser
        self._turns = turns
        self._settings = settings
        self._engine = engine
        self._is_active = is_active
        self._agreement = LocalAgreement()
        self._pieces: list[npt.NDArray[np.float32]] = []
        self._rate = 0
        self._heard = 0  # samples
        self._looked_at = 0  # samples of the last decoding, or of the one that is asked for
        self._window = threading.Lock()
        self._telling = threading.Lock()
        self._over = False

    def push(self, clip: AudioClip) -> None:
        """Keep it, and ask for a decoding where enough of it is new."""
        with self._window:
            self._rate = clip.sample_rate
            room = round(LONGEST_SECONDS * clip.sample_rate) - self._heard
            piece = clip.samples[: max(room, 0)].copy()
            self._pieces.append(piece)
            self._heard += len(piece)
        self._ask_if_due()

    def finish(self) -> Transcript:
        """All of it at once, as without a stream."""
        self._end()
        if not self._heard:
            return Transcript("", engine=self._engine, confidence=0.0)
        with self._turns.final():
            return self._agreement.final(self._recogniser.transcribe(self._so_far()))

    def close(self) -> None:
        """Tell nothing more."""
        self._end()

    def activate(self) -> None:
        """Make partial transcripts from now on, also of what was pushed before."""
        self._is_active = True
        self._ask_if_due()

    def decode(self) -> None:
        """Recognise what has been said so far, and tell. What goes wrong is the final transcript's to tell."""
        if self._over:
            return
        try:
            with self._turns.measured():
                draft = self._recogniser.draft(self._so_far())
            transcript = checked_transcript(draft, transcriber=self._engine, call=CallKind.TELL)
        except Exception as error:
            self._is_active = False
            log_raised(f"transcriber {self._engine!r}", error)
            _log.info("transcriber %r made no partial transcript: %s", self._engine, type(error).__name__)
            return
        with self._telling:
            if not self._over:
                self._settings.tell(self._agreement.partial(transcript))

    def _ask_if_due(self) -> None:
        worth = max(self._settings.partial_interval_seconds, self._turns.interval_seconds)
        with self._window:
            new = self._heard - self._looked_at
            is_due = self._is_active and not self._over and new > 0 and new / self._rate >= worth
            if is_due:
                self._looked_at = self._heard
        if is_due:
            self._turns.ask(self)

    def _so_far(self) -> AudioClip:
        with self._window:
            if len(self._pieces) != 1:
                self._pieces = [np.concatenate([*self._pieces, np.zeros(0, np.float32)])]
            return AudioClip(self._pieces[0], self._rate or 16_000, self._settings.starts_at)

    def _end(self) -> None:
        self._over = True  # first, so that a decoding that waits is not begun
        self._turns.forget(self)
        with self._telling:  # and what is being told is told
            return
