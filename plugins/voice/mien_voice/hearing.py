"""Utterances while they are spoken: what a session's sound says so far, for whoever wants to be told.

The segmenter says what is an utterance; a stream of the transcriber's hears one. Sound goes there up to the last moment
that counted as speech: a pause is held back until it turns out to be part of the utterance, so that no time goes into
recognising silence, and the engine is free when the utterance has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from mien import (
    AudioClip,
    MienError,
    Prediction,
    TimeInterval,
    Transcriber,
    TranscriberStream,
    TranscriberStreamSettings,
    Transcript,
)
from mien_voice.segmentation import SpeechClip

MAX_WAITING: Final = 16
"""Utterances that have ended and wait to be asked for their words; of more, the oldest is recognised without a stream,
if it still is: a session that does not keep up leaves utterances out."""

Read: TypeAlias = Callable[[Transcript, TimeInterval], Prediction]
"""The tone of words that were said in that time."""

Tell: TypeAlias = Callable[[Prediction], None]
"""Takes a provisional prediction, on any thread."""


@dataclass(frozen=True, slots=True, eq=False)
class HeardClip(SpeechClip):
    """One utterance that was followed while it was spoken, and who followed it."""

    utterance: FollowedUtterance = field(kw_only=True)


class FollowedUtterance:
    """One utterance and the transcriber's stream for it. ``final`` may be asked for on another thread."""

    def __init__(
        self,
        open_stream: Callable[[TranscriberStreamSettings], TranscriberStream | None],
        starts_at: float,
        tell: Callable[[Transcript, TimeInterval], None],
    ) -> None:
        """Open the stream.

        Args:
            open_stream: The transcriber's.
            starts_at: When the utterance began, seconds on the caller's clock.
            tell: Takes each partial transcript, with the time in which it was said, on any thread.
        """
        self.starts_at = starts_at
        self._tell = tell
        self._lock = threading.Lock()
        self._told: Transcript | None = None
        self._final: Transcript | MienError | None = None
        self._was_left = False
        self._heard = 0  # samples
        self._ends_at = starts_at
        self._stream = open_stream(TranscriberStreamSettings(starts_at=starts_at, tell=self._partial))

    @property
    def is_open(self) -> bool:
        """Whether its final words were not asked for yet."""
        return self._final is None

    @property
    def is_followed(self) -> bool:
        """Whether the engine hears it at all while it is spoken."""
        return self._stream is not None

    def listen(self, speech: AudioClip) -> None:
        """Hand on what is new of the utterance.

        Args:
            speech: All of it so far.
        """
        new = speech.samples[self._heard :]
        if self._stream is None or self._was_left or not len(new):
            return
        at = self.starts_at + self._heard / speech.sample_rate
        self._heard += len(new)
        self._ends_at = self.starts_at + speech.duration_seconds
        self._stream.push(AudioClip(new.copy(), speech.sample_rate, at))

    def heard_beyond(self, clip: AudioClip) -> bool:
        """Whether it was handed more than the utterance turned out to be, as where one that is too long is cut."""
        return self._heard > len(clip.samples)

    def superseding(self, transcript: Transcript) -> Transcript:
        """Words that were recognised otherwise, as the last revision of this utterance."""
        return replace(transcript, revision=self._told.revision + 1) if self._told is not None else transcript

    def final(self) -> Transcript | None:
        """All of its words; None where the stream was left. Asked again, it says the same again.

        Raises:
            MienError: The engine's, where it could not recognise them.
        """
        with self._lock:
            if self._final is None and not self._was_left:
                self._final = self._finish()
        if isinstance(self._final, MienError):
            raise self._final
        return self._final

    def leave(self) -> None:
        """Have nothing more of the stream; whoever still asks for the words recognises them otherwise."""
        if self._lock.acquire(blocking=False):  # else somebody is asking right now
            try:
                self._was_left = True
            finally:
                self._lock.release()
        if self._stream is not None and self._final is None:
            self._stream.close()

    def drop(self) -> None:
        """It was none, or nobody wants to know any more: take back what was told."""
        self.leave()
        if self._final is None:
            self._take_back()

    def _finish(self) -> Transcript | MienError:
        assert self._stream is not None  # noqa: S101 - nobody is given one that is not followed
        try:
            transcript = self._stream.finish()
        except BaseException as error:
            self._take_back()
            if isinstance(error, MienError):
                return error
            raise
        if not transcript.text.strip():
            self._take_back()
        return transcript

    def _partial(self, transcript: Transcript) -> None:
        if transcript.text.strip() or self._told is not None:
            self._told = transcript
            self._tell(transcript, TimeInterval(self.starts_at, max(self._ends_at, self.starts_at)))

    def _take_back(self) -> None:
        told, self._told = self._told, None
        if told is not None and told.text.strip():
            nothing = replace(told, text="", words=(), stability=1.0, revision=told.revision + 1)
            self._tell(nothing, TimeInterval(self.starts_at, max(self._ends_at, self.starts_at)))


class Hearing:
    """Follows the utterances of one session, one after the other. Used by one thread at a time."""

    def __init__(self, transcriber: Transcriber, read: Read, tell: Tell) -> None:
        """Begin with silence.

        Args:
            transcriber: Opens a stream for each utterance.
            read: Makes a prediction of a partial transcript.
            tell: Takes it.
        """
        self._open_stream = transcriber.open_stream
        self._read = read
        self._tell = tell
        self._current: FollowedUtterance | None = None
        self._ended: list[FollowedUtterance] = []

    def follow(self, ended: Sequence[SpeechClip], speaking: SpeechClip | None) -> list[SpeechClip]:
        """Go on to where the segmenter is now.

        Args:
            ended: The utterances that have ended.
            speaking: The one that goes on, up to its last moment of speech; None in a pause between utterances.

        Returns:
            Those that have ended; one that was followed knows its words.
        """
        heard = [self._end(clip) for clip in ended]
        current = self._current
        if current is not None and (speaking is None or speaking.captured_at != current.starts_at):
            current.drop()
            self._current = None
        if speaking is not None:
            self._listen(speaking)
        return heard

    def close(self) -> None:
        """Nobody wants to know any more."""
        for utterance in (*self._ended, *([self._current] if self._current else [])):
            utterance.drop()
        self._ended, self._current = [], None

    def _end(self, clip: SpeechClip) -> SpeechClip:
        current = self._current
        if current is None or clip.captured_at != current.starts_at:
            return clip  # it began and ended in one piece of sound
        self._current = None
        if not current.is_followed:
            return clip
        if current.heard_beyond(clip):
            current.leave()
        current.listen(clip)
        self._ended = [each for each in self._ended if each.is_open] + [current]
        if len(self._ended) > MAX_WAITING:
            self._ended.pop(0).leave()
        return HeardClip(clip.samples, clip.sample_rate, clip.captured_at, utterance=current)

    def _listen(self, speaking: SpeechClip) -> None:
        if self._current is None:
            self._current = FollowedUtterance(self._open_stream, speaking.captured_at, self._tell_of)
        self._current.listen(speaking)

    def _tell_of(self, transcript: Transcript, interval: TimeInterval) -> None:
        self._tell(self._read(transcript, interval))
