"""PocketSphinx in a process of its own.

Its decoder holds Python's interpreter lock for as long as it recognises, which takes seconds: in the server's own
process it would stop every other thread for that time, faces and health checks among them. The other side of the pipe
is ``mien_pocketsphinx.worker``.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
from typing import IO, Final

from pydantic import TypeAdapter

from mien import AudioClip, InputError, PluginError, Transcriber, Transcript

HEADER: Final = struct.Struct("<IId")
"""Before a clip's float32 samples: their number, their rate in Hz, and when the first was heard."""

ANSWER: Final = struct.Struct("<BI")
"""Before an answer's bytes: what it is, and their number."""

READY: Final = 0
TRANSCRIPT: Final = 1
REFUSED: Final = 2

WORKER: Final = "mien_pocketsphinx.worker"
TRANSCRIPTS: Final = TypeAdapter(Transcript)


class IsolatedPocketSphinx(Transcriber):
    """Recognises in a child process, one clip after the other. ``close`` it.

    Raises:
        PluginError: The child could not start; it has said why on stderr.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False
        with self._lock:
            self._started()

    @property
    def process_id(self) -> int | None:
        """Of the child; None while there is none."""
        child = self._child
        return None if child is None else child.pid

    def transcribe(self, clip: AudioClip) -> Transcript:
        """Recognise one utterance; see ``PocketSphinxTranscriber.transcribe``.

        Raises:
            InputError: The clip has another rate than 16 kHz.
            PluginError: The child ended; the next call starts another one.
        """
        header = HEADER.pack(len(clip.samples), clip.sample_rate, clip.captured_at)
        with self._lock:
            child = self._started()
            try:
                kind, content = _asked(child, header + clip.samples.astype("<f4").tobytes())
            except (OSError, EOFError) as error:
                self._end()
                raise PluginError("the speech recogniser's process ended; it is started again") from error
        if kind == REFUSED:
            raise InputError(content.decode())
        return TRANSCRIPTS.validate_json(content)

    def close(self) -> None:
        """End the child, also where it is at work. May be called twice."""
        self._closed = True
        child = self._child
        if child is not None:
            child.kill()  # wakes a call that waits for it, which gives the lock back
        with self._lock:
            self._end()

    def _started(self) -> subprocess.Popen[bytes]:
        """The child, started where there is none. Needs the lock."""
        if self._closed:
            raise PluginError("the speech recogniser is closed")
        if self._child is None:
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
            command = [sys.executable, "-P", "-m", WORKER]
            self._child = subprocess.Popen(  # this Python, and a module of ours
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
            )
            try:
                _answer(_pipe(self._child.stdout))
            except EOFError as error:
                self._end()
                raise PluginError("the speech recogniser's process could not start; see stderr for why") from error
        return self._child

    def _end(self) -> None:
        """End and forget the child. Needs the lock."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()


def _asked(child: subprocess.Popen[bytes], request: bytes) -> tuple[int, bytes]:
    stdin = _pipe(child.stdin)
    stdin.write(request)
    stdin.flush()
    return _answer(_pipe(child.stdout))


def _answer(stdout: IO[bytes]) -> tuple[int, bytes]:
    kind, length = ANSWER.unpack(read_exactly(stdout, ANSWER.size))
    return kind, read_exactly(stdout, length)


def read_exactly(stream: IO[bytes], length: int) -> bytes:
    """Read so many bytes.

    Raises:
        EOFError: The stream ends before.
    """
    content = stream.read(length)
    if len(content) < length:
        raise EOFError(f"expected {length} bytes, got {len(content)}")
    return content


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise PluginError("the speech recogniser's process has no pipe")
    return stream
