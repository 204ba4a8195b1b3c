"""The process in which costly bytes are decoded: one job after the other from standard input, answers to the output.

Started by ``mien.media.budget`` as ``python -m mien.media.budgetchild MEMORY_BYTES``. A job that takes more processor
time than it may is ended by a signal, and the process with it; one that takes more memory is refused by the system.

A job is a line of JSON and the bytes; an answer is a line of JSON and the samples. No job can make this process send
anything that its parent would run.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import sys
import traceback
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from mien.errors import InputError, InputTooLargeError, MienError, MissingDependencyError

MOST_HELD: Final = 32 << 20
"""Bytes that a process may hold on to after a job, over what it held before its first: more, and it makes room for a
fresh one, because a heap that a job has torn to pieces is not given back."""

NICENESS: Final = 5
"""What is costly waits for the server's own work where there are not processors for both."""

_LIBRARIES: Final = ("PIL.Image", "av", "soundfile", "soxr")
"""Loaded before the first job, whose time they would take; those that are missing are named by whoever needs them."""

ERRORS: Final = {kind.__name__: kind for kind in (InputTooLargeError, InputError, MissingDependencyError)}
"""What a job may answer, by name."""


def main() -> None:
    """Work until standard input ends."""
    jobs, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    for library in _LIBRARIES:
        with contextlib.suppress(ImportError, OSError):
            importlib.import_module(library)
    from mien.media import audio, images  # noqa: F401 - loaded now

    _confine(int(sys.argv[1]))
    at_rest = _pages(resident=True)
    while line := jobs.readline():
        job = json.loads(line)
        data = jobs.read(job.pop("bytes"))
        _answer(answers, data, at_rest=at_rest, **job)


def _confine(memory_bytes: int) -> None:
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (_pages(resident=False) + memory_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # which would hold faces


def _pages(*, resident: bool) -> int:
    """Bytes of memory that this process holds, or has asked for."""
    with open("/proc/self/statm", encoding="ascii") as sizes:  # noqa: PTH123 - no file of anybody's
        return int(sizes.read().split()[int(resident)]) * resource.getpagesize()


def _answer(
    answers: BinaryIO, data: bytes, *, at_rest: int, kind: str, seconds: float, options: dict[str, Any]
) -> None:
    header: dict[str, Any]
    samples: npt.NDArray[Any] | None = None
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        samples = _decoded(kind, data, options)
        header = {"shape": samples.shape}
    except MemoryError:
        header = _refusal(InputTooLargeError(f"the {kind} needs more memory to decode than this server gives it"))
    except MienError as error:
        header = _refusal(error)
    except Exception as error:  # a bug, which the parent logs: where it was, and no words of the caller's
        where = "".join(traceback.format_tb(error.__traceback__))
        header = {"error": type(error).__name__, "message": where}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
    held = _pages(resident=True) - at_rest - (samples.nbytes if samples is not None else 0)
    header["is_worn"] = held > MOST_HELD
    answers.write(json.dumps(header).encode() + b"\n")
    if samples is not None:
        answers.write(np.ascontiguousarray(samples).data)
    answers.flush()


def _refusal(error: MienError) -> dict[str, Any]:
    kind = next((name for name, each in ERRORS.items() if isinstance(error, each)), InputError.__name__)
    return {"error": kind, "message": str(error)}


def _decoded(kind: str, data: bytes, options: dict[str, Any]) -> npt.NDArray[Any]:
    from mien.media.audio import decode_audio
    from mien.media.images import decode_image

    return decode_image(data, **options).pixels if kind == "picture" else decode_audio(data, **options).samples


if __name__ == "__main__":
    main()
