"""The child process of ``mien_pocketsphinx.isolated``: clips come in on stdin, transcripts go out on stdout."""

from __future__ import annotations

import os
import signal
import sys
from typing import IO

import numpy as np

from mien import AudioClip, InputError
from mien_pocketsphinx.isolated import ANSWER, HEADER, READY, REFUSED, TRANSCRIPT, TRANSCRIPTS, read_exactly
from mien_pocketsphinx.transcriber import PocketSphinxTranscriber


def main() -> None:
    """Recognise until stdin ends, which it does with the parent, however that ends."""
    # A signal to the whole group, such as Ctrl-C, is the parent's to act on: it finishes what it has taken in.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the answers
    transcriber = PocketSphinxTranscriber()
    _answer(answers, READY, b"")
    while (header := sys.stdin.buffer.read(HEADER.size)) and len(header) == HEADER.size:
        count, sample_rate, captured_at = HEADER.unpack(header)
        samples = np.frombuffer(read_exactly(sys.stdin.buffer, 4 * count), "<f4").astype(np.float32)
        try:
            transcript = transcriber.transcribe(AudioClip(samples, sample_rate, captured_at))
        except InputError as error:
            _answer(answers, REFUSED, str(error).encode())
        else:
            _answer(answers, TRANSCRIPT, TRANSCRIPTS.dump_json(transcript))


def _answer(answers: IO[bytes], kind: int, content: bytes) -> None:
    answers.write(ANSWER.pack(kind, len(content)) + content)
    answers.flush()


if __name__ == "__main__":
    main()
