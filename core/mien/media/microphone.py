"""Live sound from a microphone as a stream of 16 kHz mono clips, and the list of microphones.

PortAudio calls back from its own thread, which only puts blocks into a bounded queue; what did not fit is counted and
leaves a gap in the clips' times, so that nothing is passed off as continuous. The package ``sounddevice`` comes with
``mien[voice]``; the PortAudio library it wraps comes with the operating system. Both are needed only here.
"""

from __future__ import annotations

import importlib
import queue
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien.errors import InputError, MissingDependencyError
from mien.media.audio import SAMPLE_RATE
from mien.types import AudioClip

BLOCK_SECONDS: Final = 0.1
"""Sound in one clip: short enough to end an utterance soon, long enough to cost little."""

QUEUE_SECONDS: Final = 10.0
"""Sound that may wait: longer than a slow recogniser needs for an utterance."""

STALL_SECONDS: Final = 2.0
"""A microphone that has delivered nothing for so long is gone, whatever the driver says."""

_PORTAUDIO_HELP: Final = (
    "recording needs the PortAudio library of the operating system: apt-get install libportaudio2 (Debian, Ubuntu), "
    "dnf install portaudio (Fedora)"
)


class MicrophoneError(InputError):
    """A microphone cannot be opened, or has gone while it was recording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MicrophoneInfo:
    """One microphone of this machine.

    Attributes:
        index: To choose it by; may change when devices are plugged in.
        name: To choose it by; a part of it that no other has will do.
        channels: How many it records at most.
        sample_rate: Its own, Hz.
        is_default: It is taken where none is named.
    """

    index: int
    name: str
    channels: int
    sample_rate: float
    is_default: bool


def list_microphones() -> list[MicrophoneInfo]:
    """All devices that record.

    Raises:
        MissingDependencyError: ``sounddevice`` or PortAudio is not installed.
        MicrophoneError: PortAudio cannot list them.
    """
    sounddevice = _sounddevice()
    try:
        devices = list(sounddevice.query_devices())
        default = sounddevice.default.device[0]
    except sounddevice.PortAudioError as error:
        raise MicrophoneError(f"cannot list the microphones: {error}") from error
    return [
        MicrophoneInfo(
            index=index,
            name=str(device["name"]),
            channels=int(device["max_input_channels"]),
            sample_rate=float(device["default_samplerate"]),
            is_default=index == default,
        )
        for index, device in enumerate(devices)
        if device["max_input_channels"] > 0
    ]


class Microphone:
    """Records from one microphone while it is open; iterate over it for clips. Used by one thread.

    Example:
        with Microphone(device="USB") as microphone:
            for clip in microphone:
                ...
    """

    def __init__(
        self, *, device: str | int | None = None, queue_seconds: float = QUEUE_SECONDS, start_at: float = 0.0
    ) -> None:
        """Choose a microphone; entering the context opens it.

        Args:
            device: A part of its name, or its index; None takes the system's default.
            queue_seconds: Sound that may wait to be taken; what comes on top is lost and counted.
            start_at: The moment of the first sample, seconds on the caller's clock.
        """
        self._device = device
        self._start_at = start_at
        self._blocks: queue.Queue[tuple[int, npt.NDArray[np.float32]]] = queue.Queue(
            max(round(queue_seconds / BLOCK_SECONDS), 1)
        )
        self._stream: Any = None
        self._resampler: Any = None
        self._rate = SAMPLE_RATE
        self._heard = 0  # samples since the start, lost ones included; written by PortAudio's thread alone
        self._lost_blocks = 0
        self._device_overruns = 0

    @property
    def overruns(self) -> int:
        """Times that sound was lost: blocks that found the queue full, and overflows that the device reported."""
        return self._lost_blocks + self._device_overruns

    def __enter__(self) -> Microphone:
        """Open the microphone and start recording.

        Raises:
            MissingDependencyError: ``sounddevice`` or PortAudio is not installed.
            MicrophoneError: There is no such microphone, or it cannot be opened.
        """
        sounddevice = _sounddevice()
        try:
            self._rate = self._choose_rate(sounddevice)
            self._stream = sounddevice.InputStream(
                samplerate=self._rate,
                blocksize=round(self._rate * BLOCK_SECONDS),
                device=self._device,
                channels=1,
                dtype="float32",
                callback=self._take,
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            self._close()
            raise MicrophoneError(f"cannot open {self._name}: {error}; 'mien devices' lists what there is") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop recording."""
        self._close()

    def __iter__(self) -> Iterator[AudioClip]:
        """Give out clips of ``BLOCK_SECONDS`` as they are recorded, without end.

        Raises:
            MicrophoneError: It delivers nothing any more; it was probably unplugged.
        """
        while True:
            yield self.read()

    def read(self) -> AudioClip:
        """Wait for the next clip. Raises as iterating does."""
        position, samples = self._next_block()
        at = self._start_at + position / self._rate
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        return AudioClip(np.clip(samples, -1.0, 1.0), SAMPLE_RATE, at)

    def _next_block(self) -> tuple[int, npt.NDArray[np.float32]]:
        deadline = time.monotonic() + STALL_SECONDS
        while True:
            try:
                return self._blocks.get(timeout=BLOCK_SECONDS)
            except queue.Empty:
                if self._stream is not None and self._stream.active and time.monotonic() < deadline:
                    continue
                raise MicrophoneError(f"{self._name} delivers no sound any more; was it unplugged?") from None

    def _take(self, block: npt.NDArray[np.float32], frames: int, _time: object, status: Any) -> None:
        """PortAudio's thread: queue a copy of one block ``[frames, 1]``, or count it as lost; nothing slow."""
        position, self._heard = self._heard, self._heard + frames
        if status.input_overflow:
            self._device_overruns += 1
        try:
            self._blocks.put_nowait((position, block[:, 0].copy()))
        except queue.Full:
            self._lost_blocks += 1

    def _choose_rate(self, sounddevice: Any) -> int:
        """16 kHz where the device can record at that; else its own rate, and a resampler."""
        try:
            sounddevice.check_input_settings(
                device=self._device, channels=1, dtype="float32", samplerate=float(SAMPLE_RATE)
            )
        except sounddevice.PortAudioError:
            rate = round(float(sounddevice.query_devices(self._device, "input")["default_samplerate"]))
            soxr = importlib.import_module("soxr")
            self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
            return rate
        return SAMPLE_RATE

    @property
    def _name(self) -> str:
        return "the default microphone" if self._device is None else f"microphone {self._device!r}"

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(ignore_errors=True)


def _sounddevice() -> Any:
    try:
        return importlib.import_module("sounddevice")
    except ImportError as error:
        raise MissingDependencyError("recording needs the package 'sounddevice': pip install 'mien[voice]'") from error
    except OSError as error:  # the package is there, the library is not
        raise MissingDependencyError(_PORTAUDIO_HELP) from error
