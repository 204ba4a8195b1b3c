"""Decodes what may cost much, in processes of their own that can be ended: each job has a budget of time and memory.

For whoever takes bytes from strangers. The processes start when they are first needed and know nothing but the job.
What may be decoded without all this is told by ``mien.media.census``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien.errors import InputTooLargeError, MienError
from mien.media.budgetchild import ERRORS

MEMORY_BYTES: Final = 256 << 20
"""Over what a decoder's process takes at rest; ``memory_for`` adds what its limits ask for."""

START_SECONDS: Final = 60.0
"""How long a process may take to start, on a machine that is busy."""

IDLE_SECONDS: Final = 20.0
"""A process that has had no job for so long is ended, and its memory given back."""

PATIENCE: Final = 8.0
"""Times its budget of processor time that a job may last on the clock, beside others that want the processor."""

_DTYPES: Final = {"picture": np.uint8, "sound": np.float32}
_MOST_HEADER: Final = 65_536


_log = logging.getLogger("mien.media")


class DecodingStoppedError(MienError):
    """Nobody waits for the job any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Some bytes to decode.

    Attributes:
        kind: ``picture`` or ``sound``.
        data: The file.
        options: Of ``mien.media.images.decode_image`` or ``mien.media.audio.decode_audio``.
    """

    kind: str
    data: bytes
    options: Mapping[str, float]


class Stop:
    """Ends one job from another thread, whether it has begun or not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_set = False

    def set(self) -> None:
        """End it."""
        with self._lock:
            self._is_set = True
            if self._process is not None:
                self._process.kill()

    @property
    def is_set(self) -> bool:
        """Whether it was ended."""
        return self._is_set

    def watch(self, process: subprocess.Popen[bytes] | None) -> None:
        """The job runs in this process from now on, or in none any more.

        Raises:
            DecodingStoppedError: It was ended before.
        """
        with self._lock:
            if self._is_set and process is not None:
                raise DecodingStoppedError("the decoding was stopped")
            self._process = process


class BudgetedDecoders:
    """Decodes one job at a time in each thread that asks, up to as many as there are processes; ``close`` it."""

    def __init__(self, *, processes: int, seconds: float, memory_bytes: int) -> None:
        """Prepare; nothing is started.

        Args:
            processes: Jobs at once.
            seconds: Processor time that a job may take.
            memory_bytes: Memory that it may take, over a process at rest.
        """
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._free = threading.Semaphore(processes)
        self._lock = threading.Lock()
        self._idle: list[_Idle] = []
        self._retiring: threading.Timer | None = None
        self._closed = False

    def decode(self, job: Job, stop: Stop) -> npt.NDArray[Any]:
        """Decode; blocks.

        Args:
            job: What to decode.
            stop: Ends it early.

        Returns:
            uint8 RGB ``[height, width, 3]``, or float32 ``[time]`` at 16 kHz.

        Raises:
            InputError: As the decoder raises.
            InputTooLargeError: The same, or the budget was used up.
            MissingDependencyError: The extra ``mien[voice]`` is not installed.
            DecodingStoppedError: It was ended from elsewhere.
            RuntimeError: The process could not be started, or met a bug.
        """
        with self._free:
            process = self._take()
            usable = False
            try:
                stop.watch(process)
                answer, usable = self._run(process, job)
            except _EndedError:
                raise self._explained(process, job, stop) from None
            finally:
                stop.watch(None)
                self._give_back(process, usable=usable and not stop.is_set)
        if isinstance(answer, MienError):
            raise answer
        return answer

    def close(self) -> None:
        """End the processes that wait for work; one that works ends with its job."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            if self._retiring is not None:
                self._retiring.cancel()
        for each in idle:
            _end(each.process)

    def _take(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise DecodingStoppedError("the decoding was stopped")
            if self._idle:
                return self._idle.pop().process
        return _started(self._memory_bytes)

    def _give_back(self, process: subprocess.Popen[bytes], *, usable: bool) -> None:
        with self._lock:
            if usable and not self._closed:
                self._idle.append(_Idle(process, time.monotonic()))
                self._look_later()
                return
        _end(process)

    def _look_later(self) -> None:
        if self._retiring is None and self._idle and not self._closed:
            self._retiring = threading.Timer(IDLE_SECONDS, self._retire)
            self._retiring.daemon = True
            self._retiring.start()

    def _retire(self) -> None:
        """End what has been idle for long."""
        with self._lock:
            before = time.monotonic() - IDLE_SECONDS
            old = [each for each in self._idle if each.since <= before]
            self._idle = [each for each in self._idle if each.since > before]
            self._retiring = None
            self._look_later()
        for each in old:
            _end(each.process)

    def _run(self, process: subprocess.Popen[bytes], job: Job) -> tuple[npt.NDArray[Any] | MienError, bool]:
        """The answer, and whether the process may be given another job."""
        assert process.stdin is not None  # noqa: S101 - it was started with pipes
        head = {"kind": job.kind, "bytes": len(job.data), "seconds": self._seconds, "options": dict(job.options)}
        try:
            process.stdin.write(json.dumps(head).encode() + b"\n")
            process.stdin.write(job.data)
            process.stdin.flush()
        except OSError:
            raise _EndedError from None
        pipe = _Answers(process, until=time.monotonic() + START_SECONDS + PATIENCE * self._seconds)
        answer = json.loads(pipe.line())
        usable = not answer["is_worn"]
        if "error" in answer:
            if answer["error"] not in ERRORS:
                _log.error("a decoder raised %s\n%s", answer["error"], answer["message"])
                raise RuntimeError(f"a decoder raised {answer['error']}")
            return ERRORS[answer["error"]](answer["message"]), usable
        dtype, shape = np.dtype(_DTYPES[job.kind]), tuple(int(each) for each in answer["shape"])
        samples = np.frombuffer(pipe.exactly(int(np.prod(shape)) * dtype.itemsize), dtype)
        return samples.reshape(shape), usable

    def _explained(self, process: subprocess.Popen[bytes], job: Job, stop: Stop) -> Exception:
        process.kill()
        code = process.wait()
        if stop.is_set:
            return DecodingStoppedError("the decoding was stopped")
        if code == -signal.SIGPROF or code == -signal.SIGKILL:
            return InputTooLargeError(
                f"decoding the {job.kind} takes more than the {self._seconds:g} s of processor time that this server"
                " gives it; send it smaller, or saved in a simpler way"
            )
        if code < 0:  # a library fell over bytes that nobody writes
            return ERRORS["InputError"](f"the {job.kind} is damaged and cannot be decoded; save it again")
        return RuntimeError(f"the process that decodes ended with code {code}")


@dataclass(frozen=True, slots=True)
class _Idle:
    """A process without a job, and since when on the monotonic clock."""

    process: subprocess.Popen[bytes]
    since: float


class _EndedError(Exception):
    """The process is gone, or is taking too long."""


class _Answers:
    """Reads what a process answers, and no longer than is reasonable."""

    def __init__(self, process: subprocess.Popen[bytes], *, until: float) -> None:
        assert process.stdout is not None  # noqa: S101 - it was started with pipes
        self._descriptor = process.stdout.fileno()
        self._until = until
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)
        self._rest = b""

    def line(self) -> bytes:
        held = b""
        while b"\n" not in held:
            held += self._some(_MOST_HEADER)
            if len(held) > 2 * _MOST_HEADER and b"\n" not in held:
                raise _EndedError
        line, _, self._rest = held.partition(b"\n")
        return line

    def exactly(self, count: int) -> bytearray:
        """``count`` bytes; they were promised, so memory is taken for all of them at once."""
        held = bytearray(count)
        view = memoryview(held)
        filled = min(len(self._rest), count)
        view[:filled] = self._rest[:filled]
        while filled < count:
            self._wait()
            got = os.readv(self._descriptor, [view[filled:]])
            if not got:
                raise _EndedError
            filled += got
        return held

    def _some(self, most: int) -> bytes:
        self._wait()
        got = os.read(self._descriptor, most)
        if not got:
            raise _EndedError
        return got

    def _wait(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0 or not self._poll.poll(left * 1000):
            raise _EndedError


def memory_for(*, max_image_pixels: int, max_audio_seconds: float) -> int:
    """Bytes that the largest honest picture and the longest sound take while they are decoded, with room to spare.

    Args:
        max_image_pixels: Of a picture; one of 16 bits passes through four arrays of 8 bytes a pixel.
        max_audio_seconds: Of a sound; three copies of 8 channels at 96 kHz in 4 bytes.
    """
    return MEMORY_BYTES + 64 * max_image_pixels + round(max_audio_seconds * 96_000 * 8 * 4 * 3)


def _started(memory_bytes: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - this interpreter, and a number
        [sys.executable, "-m", "mien.media.budgetchild", str(memory_bytes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is the server's, which drains
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # something was still to be written to it
                pipe.close()
