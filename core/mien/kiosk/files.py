"""A video and a sound file in the place of camera and microphone, at their own pace or as fast as they are analysed."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

from mien.errors import InputError, MissingDependencyError
from mien.kiosk.feed import Feed, Item, Pause, Trouble
from mien.media.audio import read_audio, read_sound_track
from mien.media.video import VideoEndsEarlyError, read_video
from mien.types import AudioClip, ImageFrame

PIECE_SECONDS: Final = 0.1
"""Sound is handed on in pieces of this length, as a microphone does."""

MAX_SOUND_SECONDS: Final = 3600.0
"""A sound is decoded whole (64 kB a second), so a longer one is refused."""

Timed: TypeAlias = tuple[float, int, ImageFrame | AudioClip]
"""When a sample is complete, seconds; a number that settles ties; the sample."""


class FileFeed(Feed):
    """Reads files in the order of their times; the beginning of both is second 0."""

    def __init__(
        self, *, video: Path | None, sound: AudioClip | None, every: float, fast: bool, troubles: tuple[str, ...] = ()
    ) -> None:
        """Prepare; the video is opened by the first ``next``.

        Args:
            video: Its pictures; None goes without.
            sound: 16 kHz mono; None goes without.
            every: Seconds between two pictures.
            fast: Give out samples as fast as they are asked for, each waited for; else at the pace of the recording.
            troubles: What to tell first.
        """
        self._troubles = list(troubles)
        pictures: Iterator[Timed] = iter(()) if video is None else _pictures(video, every)
        self._samples = heapq.merge(pictures, iter(()) if sound is None else _pieces(sound))
        self._fast = fast
        self._waiting: Timed | None = None
        self._now = 0.0
        self._began: float | None = None

    @property
    def waits(self) -> bool:
        """Where it is fast."""
        return self._fast

    def now(self) -> float:
        """How far the recording has got."""
        return self._now

    async def next(self, timeout: float) -> Item:
        """The next sample, when its time has come."""
        if self._troubles:
            return Trouble(self._troubles.pop(0))
        if self._waiting is None:
            try:
                self._waiting = await asyncio.to_thread(next, self._samples, None)
            except VideoEndsEarlyError as error:
                return Trouble(str(error))
        if self._waiting is None:
            return Pause.END
        due, _, sample = self._waiting
        if not await self._reached(due, timeout):
            return Pause.TICK
        self._waiting = None
        self._now = due
        return sample

    async def close(self) -> None:
        """Files are closed with their readers."""
        self._samples = heapq.merge()
        self._waiting = None

    async def _reached(self, due: float, timeout: float) -> bool:
        """Wait for a moment of the recording, at most ``timeout`` seconds; whether it has come."""
        if self._fast:
            return True
        if self._began is None:
            self._began = time.monotonic() - due
        left = self._began + due - time.monotonic()
        await asyncio.sleep(max(0.0, min(left, timeout)))
        return left <= timeout


def read_sound(*, video: Path | None, audio: Path | None) -> tuple[AudioClip | None, tuple[str, ...]]:
    """The sound that goes with the files, and what to tell of it.

    Args:
        video: Its own sound track is taken where ``audio`` is None, and not missed where it has none.
        audio: A sound file that was asked for, and so must be readable.

    Raises:
        InputError: ``audio`` cannot be read.
        MissingDependencyError: ``audio`` needs the extra ``mien[voice]``, which is not installed.
    """
    if audio is not None:
        return read_audio(audio, max_seconds=MAX_SOUND_SECONDS), ()
    if video is None:
        return None, ()
    try:
        track = read_sound_track(video, max_seconds=MAX_SOUND_SECONDS)
    except (InputError, MissingDependencyError) as error:
        return None, (f"no sound, the face alone is followed: {error}",)
    return track, () if track is not None else ("the video has no sound track; the face alone is followed",)


def _pictures(path: Path, every: float) -> Iterator[Timed]:
    for frame in read_video(path, every=every):
        yield frame.captured_at, 1, frame


def _pieces(clip: AudioClip) -> Iterator[Timed]:
    """Pieces of a sound, each due when it has been heard."""
    length = max(1, round(PIECE_SECONDS * clip.sample_rate))
    for start in range(0, len(clip.samples), length):
        at = clip.captured_at + start / clip.sample_rate
        piece = AudioClip(clip.samples[start : start + length], clip.sample_rate, at)
        yield at + piece.duration_seconds, 0, piece
