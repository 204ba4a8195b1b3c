"""The engine: utterances go to a Wyoming server, words come back; while somebody speaks, where the server can.

Each utterance has a connection of its own, so that a server that was restarted is found again with the next one.
"""

from __future__ import annotations

import math
import threading
import time
import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np

from mien import (
    AudioClip,
    InputError,
    LocalAgreement,
    PluginError,
    Transcriber,
    TranscriberStream,
    TranscriberStreamSettings,
    Transcript,
)
from mien_wyoming.connection import Connection
from mien_wyoming.settings import WyomingSettings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # as in ``connection``
    from wyoming import asr
    from wyoming.audio import AudioChunk, AudioStart, AudioStop
    from wyoming.error import Error
    from wyoming.event import Event
    from wyoming.info import Describe, Info

NAME: Final = "wyoming"
SAMPLE_RATE: Final = 16_000
CHUNK_SAMPLES: Final = SAMPLE_RATE // 10
"""Of one event: 100 ms."""

_WIDTH: Final = 2  # bytes
_FULL_SCALE: Final = 32_767.0
_SILENCE_PEAK: Final = 1e-3  # -60 dB; many a model makes words up for silence
_FORMAT: Final = {"rate": SAMPLE_RATE, "width": _WIDTH, "channels": 1}


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself.

    Attributes:
        streams: It tells words while somebody speaks.
        language: BCP 47 tag, where it has one only; else empty.
    """

    streams: bool
    language: str


class WyomingTranscriber(Transcriber):
    """Asks a server; several utterances at once, where it takes them."""

    def __init__(self, settings: WyomingSettings) -> None:
        """Connect to nobody yet: the server may start later."""
        self._settings = settings
        self._server: Server | None = None

    def transcribe(self, clip: AudioClip) -> Transcript:
        """Send one utterance and wait for its words.

        Raises:
            InputError: The clip is not sampled at 16 kHz.
            PluginError: The server cannot be reached, takes too long, goes away or answers something else.
        """
        if float(np.abs(clip.samples).max(initial=0.0)) < _SILENCE_PEAK:
            return Transcript("", language=self._settings.language, engine=NAME, confidence=0.0)
        stream = WyomingStream(self, TranscriberStreamSettings(starts_at=clip.captured_at))
        try:
            stream.push(clip)
            return stream.finish()
        finally:
            stream.close()

    def open_stream(self, settings: TranscriberStreamSettings) -> TranscriberStream | None:
        """Follow an utterance, where the server streams. Raises as ``transcribe`` does."""
        return WyomingStream(self, settings) if self.server().streams else None

    def server(self) -> Server:
        """What the server is. Asked once, and again after it was not there.

        Raises:
            PluginError: As ``transcribe`` does; or it recognises no speech, or has no such model.
        """
        if self._server is None:
            connection = Connection(self._settings)
            try:
                connection.send(Describe())
                event = connection.receive()
                while not Info.is_type(event.type):
                    event = connection.receive()
                self._server = self._described(event, connection)
            finally:
                connection.close()
        return self._server

    def begin(self, connection: Connection) -> None:
        """Announce an utterance."""
        request = asr.Transcribe(name=self._settings.model or None, language=self._settings.language or None)
        connection.send(request, AudioStart(**_FORMAT))

    def connect(self) -> Connection:
        """A new connection; where that fails, the server is asked again what it is."""
        try:
            self.server()
            return Connection(self._settings)
        except PluginError:
            self._server = None
            raise

    def heard(self, text: str, language: str | None) -> Transcript:
        """Words from the server."""
        known = language or self._settings.language or (self._server.language if self._server else "")
        confidence = self._settings.confidence if text.strip() else 0.0
        return Transcript(text.strip(), language=known, engine=NAME, confidence=confidence)

    @property
    def timeout_seconds(self) -> float:
        """How long the server may take for an answer."""
        return self._settings.timeout_seconds

    def _described(self, event: Event, connection: Connection) -> Server:
        try:
            info = Info.from_event(event)
        except Exception as error:  # whatever a stranger's JSON brings the library to raise
            raise connection.unusable("a description of itself that is not valid") from error
        programs = [program for program in info.asr if program.installed]
        models = {model.name: (program, model) for program in programs for model in program.models if model.installed}
        if not programs:
            raise connection.unusable("that it recognises no speech; it is a server for something else")
        wanted = self._settings.model
        if wanted and wanted not in models:
            known = ", ".join(sorted(models)) or "none"
            raise connection.unusable(f"that it has no model {wanted!r}; it has: {known}")
        program = models[wanted][0] if wanted else programs[0]
        chosen = [models[wanted][1]] if wanted else program.models
        languages = {language for model in chosen for language in model.languages}
        return Server(program.supports_transcript_streaming, languages.pop() if len(languages) == 1 else "")


class WyomingStream(TranscriberStream):
    """One utterance on one connection. A thread of its own listens to what the server tells meanwhile."""

    def __init__(self, engine: WyomingTranscriber, settings: TranscriberStreamSettings) -> None:
        """Connect, and announce the utterance.

        Raises:
            PluginError: The server cannot be reached.
        """
        self._engine = engine
        self._settings = settings
        self._agreement = LocalAgreement()
        self._lock = threading.Lock()
        self._over = False
        self._deadline = math.inf  # for the final words; none while the utterance goes on
        self._chunks: list[str] = []
        self._language: str | None = None
        self._answered = threading.Event()
        self._final: Transcript | None = None
        self._failure: PluginError | None = None
        self._connection = engine.connect()
        try:
            engine.begin(self._connection)
        except PluginError:
            self._connection.close()
            raise
        threading.Thread(target=self._listen, name="mien-wyoming", daemon=True).start()

    def push(self, clip: AudioClip) -> None:
        """Send the next piece; what goes wrong there, ``finish`` tells.

        Raises:
            InputError: The clip is not sampled at 16 kHz.
        """
        if clip.sample_rate != SAMPLE_RATE:
            raise InputError(f"speech must be sampled at {SAMPLE_RATE} Hz, got {clip.sample_rate}; resample it first")
        pcm = (np.clip(clip.samples, -1.0, 1.0) * _FULL_SCALE).astype("<i2")
        for start in range(0, len(pcm), CHUNK_SAMPLES):
            at = round(1000 * (clip.captured_at + start / SAMPLE_RATE))
            audio = pcm[start : start + CHUNK_SAMPLES].tobytes()
            self._send(AudioChunk(**_FORMAT, audio=audio, timestamp=at))

    def finish(self) -> Transcript:
        """Wait for the server's last word.

        Raises:
            PluginError: It did not come.
        """
        with self._lock:
            self._over = True
        self._send(AudioStop())
        self._deadline = time.monotonic() + self._engine.timeout_seconds
        if not self._answered.wait(2 * self._engine.timeout_seconds):  # the listener gives up earlier
            self._fail(self._connection.unusable("nothing"))
        self._connection.end()
        if self._final is None:
            raise self._failure or self._connection.unusable("nothing")
        return self._agreement.final(self._final)

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            self._over = True
        self._connection.end()

    def _send(self, event: AudioChunk | AudioStop) -> None:
        if self._failure is None and not self._answered.is_set():
            try:
                self._connection.send(event)
            except PluginError as error:
                self._fail(error)

    def _fail(self, error: PluginError) -> None:
        self._failure = self._failure or error
        self._answered.set()

    def _listen(self) -> None:
        """Take events until the final words have come, or something went wrong."""
        try:
            while self._final is None:
                self._take(self._connection.receive(give_up=lambda: time.monotonic() >= self._deadline))
        except PluginError as error:
            self._fail(error)
        finally:
            self._answered.set()
            self._connection.close()

    def _take(self, event: Event) -> None:
        if Error.is_type(event.type):
            raise self._connection.unusable(f"with an error: {_text(event, 'text') or 'it does not say which'}")
        if asr.TranscriptStart.is_type(event.type):
            self._language = _text(event, "language")
            self._chunks.clear()
        elif asr.TranscriptChunk.is_type(event.type):
            self._chunks.append(self._required_text(event))
            self._tell()
        elif asr.Transcript.is_type(event.type):
            self._final = self._engine.heard(self._required_text(event), _text(event, "language") or self._language)

    def _tell(self) -> None:
        with self._lock:
            if not self._over:
                hypothesis = self._engine.heard("".join(self._chunks), self._language)
                self._settings.tell(self._agreement.partial(hypothesis))

    def _required_text(self, event: Event) -> str:
        text = _text(event, "text")
        if text is None:
            raise self._connection.unusable(f"a {event.type} without a text")
        return text


def _text(event: Event, key: str) -> str | None:
    value = event.data.get(key)
    return value if isinstance(value, str) else None
