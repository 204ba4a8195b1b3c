"""Words while they are spoken: from the end of a word to the partial transcript that has it, and what that costs.

    python benchmarks/voice_partials.py ../shared/data/speech/dev.parquet [--clips 8] [--json FILE]

Real clips go through a session at the pace at which they were spoken, in pieces of 100 ms, beside five pictures a
second; once with partial transcripts and once without. A word ends where the final transcript's alignment says so. A
partial transcript has a word where the word stands in it at the same place as in the final one. Everything is measured
on the clock of the sound: how long after a moment was played something was told of it.

The same is worked out a third time for a machine that does nothing else: there, whatever takes so much processor time
takes so long. It is what to look at where the load is high.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien import (
    AudioClip,
    ImageFrame,
    Modality,
    PluginHost,
    Prediction,
    StreamSettings,
    Transcriber,
    TranscriberStream,
    TranscriberStreamSettings,
    Transcript,
)
from mien.config import Settings, parse_settings
from mien.engine import Engine
from mien.live import Event, LiveSession, Partial, SessionLimits, Update, open_session
from mien.media.audio import decode_audio
from mien.plugins.redecoding import RedecodingStream, Turns
from mien.session import SessionConfig, SessionEnd
from mien.types import Sample, StreamStatus
from mien_voice.analyzer import VoiceAnalyzer
from mien_voice.settings import VoiceSettings
from mien_voice.tonenetwork import WEIGHTS, ToneNetwork
from mien_voice.transcribers import choice

PIECE_SECONDS: Final = 0.1
PICTURE_SECONDS: Final = 0.2
PAUSE_SECONDS: Final = 1.5
"""Of silence between two clips, so that each is an utterance of its own."""


@dataclass(slots=True)
class Told:
    """What a session told, with the moment on the sound's clock at which it did.

    Attributes:
        partials: Moment, and the provisional prediction.
        finals: Moment, and the prediction of an utterance.
        pictures: Seconds from each picture to what was said of it.
        processor_seconds: Of the whole process.
    """

    partials: list[tuple[float, Prediction]] = field(default_factory=list)
    finals: list[tuple[float, Prediction]] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    processor_seconds: float = 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="parquet with the columns audio, seconds, condition")
    parser.add_argument("--clips", type=int, default=8, help="how many, spread over the conditions")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    options = parser.parse_args()
    sound = played(options.data, options.clips)
    seconds = len(sound.samples) / sound.sample_rate
    settings = parse_settings({"engine": {"analyzers": ["face", "voice"]}})
    host = PluginHost.discover(settings)
    engine = Engine(host, settings)
    engine.warm_up()
    figures: dict[str, Any] = {"seconds of sound": round(seconds, 1), "load": round(os.getloadavg()[0], 1)}
    for partials in (False, True):
        told = asyncio.run(follow(host, engine, settings, sound, partials=partials))
        figures |= summed_up(told, seconds, "with partials" if partials else "without partials")
    figures |= summed_up(worked_out(host, sound), seconds, "worked out for an idle machine")
    engine.close()
    host.close()
    for name, value in figures.items():
        print(f"{name:60} {value}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))


def played(path: Path, count: int) -> AudioClip:
    """Some clips, of as many conditions as there are, one after the other with pauses."""
    import pyarrow.parquet as pq

    rows = pq.read_table(path, columns=["audio", "seconds", "condition"]).to_pylist()
    by_condition: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if 3.0 <= row["seconds"] <= 9.0:
            by_condition.setdefault(row["condition"], []).append(row)
    order = [row for rank in zip(*by_condition.values(), strict=False) for row in rank][:count]
    pause = np.zeros(round(PAUSE_SECONDS * 16_000), np.float32)
    clips = [decode_audio(row["audio"]) for row in order]
    return AudioClip(np.concatenate([each for clip in clips for each in (clip.samples, pause)]), 16_000)


async def follow(host: PluginHost, engine: Engine, settings: Settings, sound: AudioClip, *, partials: bool) -> Told:
    """Play the sound to a session."""

    async def predict(analyzer: str, sample: Sample) -> list[Prediction] | StreamStatus:
        return (await engine.predict_async(analyzer, [sample]))[0]

    config = SessionConfig(partials=partials, snapshot_interval_seconds=0.0, max_snapshots=1_000_000)
    session = await open_session(host, config, settings, predict, limits=SessionLimits.of(settings))
    told, began, used = Told(), time.perf_counter(), processor_seconds()
    listening = asyncio.create_task(listen(session, told, began))
    picture = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    size = round(PIECE_SECONDS * sound.sample_rate)
    next_picture = 0.0
    for start in range(0, len(sound.samples), size):
        at = start / sound.sample_rate
        await asyncio.sleep(max(0.0, began + at + PIECE_SECONDS - time.perf_counter()))
        session.push_sound(loaded(AudioClip(sound.samples[start : start + size], sound.sample_rate, at)))
        if at >= next_picture:
            next_picture += PICTURE_SECONDS
            session.push_frame(loaded(ImageFrame(picture, time.perf_counter() - began)))
    await session.finish(SessionEnd.CLOSED, within=60.0)
    await listening
    told.processor_seconds = processor_seconds() - used
    return told


class Idle(Turns):
    """The turns of an engine on a machine that does nothing else: time is the sound's, and processor time."""

    def __init__(self) -> None:
        super().__init__("idle", clock=lambda: self.now + time.process_time() - self.mark)
        self.now = 0.0  # on the sound's clock
        self.mark = time.process_time()
        self.busy_until = 0.0
        self.waiting: list[Any] = []

    def ask(self, stream: Any) -> None:
        """Keep it for ``work``."""
        self.waiting.append(stream)

    def forget(self, stream: Any) -> None:
        """It has ended."""
        self.waiting = [each for each in self.waiting if each is not stream]

    def reach(self, at: float) -> None:
        """Go on to a moment, and begin what waits where the engine is free."""
        self.now = at
        if self.waiting and at >= self.busy_until:
            self.work(self.waiting.pop(0).decode)

    def work(self, function: Any) -> Any:
        """Do something; the engine is busy for as long as it takes."""
        self.now, self.mark = max(self.now, self.busy_until), time.process_time()
        given = function()
        self.busy_until = self.now + time.process_time() - self.mark
        return given


class Redecoded(Transcriber):
    """An engine with streams that take the turns of the benchmark."""

    def __init__(self, engine: Transcriber, turns: Idle) -> None:
        self._engine = engine
        self._turns = turns

    def transcribe(self, clip: AudioClip) -> Transcript:
        """Ask the engine."""
        return self._engine.transcribe(clip)

    def open_stream(self, settings: TranscriberStreamSettings) -> TranscriberStream:
        """As the host opens one."""
        return RedecodingStream(self._engine, self._turns, settings, engine="idle")


def worked_out(host: PluginHost, sound: AudioClip) -> Told:
    """What would be told, and when, where nothing else wants the processor."""
    turns, told = Idle(), Told()
    settings = host.context.settings("voice", VoiceSettings)
    engine = Redecoded(choice.chosen(settings, host.context), turns)
    tone = ToneNetwork(WEIGHTS)
    analyzer = VoiceAnalyzer(transcriber=engine, tone=tone, settings=settings)
    for words in (1, 4, 24, 48):  # compile, and load, as a session's engine has
        tone.predict([" ".join(["fine"] * words)])
    analyzer.analyze([AudioClip(sound.samples[: 5 * sound.sample_rate], sound.sample_rate)])
    used = time.process_time()
    heard: list[Prediction] = []
    stream = analyzer.open_stream(StreamSettings(tell=heard.append))
    size = round(PIECE_SECONDS * sound.sample_rate)
    for start in range(0, len(sound.samples), size):
        piece = AudioClip(sound.samples[start : start + size], sound.sample_rate, start / sound.sample_rate)
        clips = stream.push(piece)
        turns.reach(piece.captured_at + piece.duration_seconds)
        told.partials += [(turns.busy_until, each) for each in heard]
        heard.clear()
        for clip in clips:
            (found,) = turns.work(lambda clip=clip: analyzer.analyze([clip]))
            told.finals += [(turns.busy_until, each) for each in found]
    told.processor_seconds = time.process_time() - used
    return told


async def listen(session: LiveSession, told: Told, began: float) -> None:
    """Keep what the session tells."""
    async for event in session.events():
        note(event, told, time.perf_counter() - began)


def note(event: Event, told: Told, now: float) -> None:
    """Keep one event."""
    if isinstance(event, Partial):
        told.partials.append((now, event.prediction))
    elif isinstance(event, Update):
        heard = [each for each in event.predictions if each.modality == Modality.VOICE]
        told.finals += [(now, each) for each in heard]
        if any(status.modality == Modality.FACE for status in event.streams):
            told.pictures.append(now - event.state.at)


def loaded(sample: Sample) -> Any:
    """What a session calls when the sample's turn comes."""

    async def load() -> Sample:
        return sample

    return load


def summed_up(told: Told, seconds: float, name: str) -> dict[str, Any]:
    """The figures of one run."""
    delays, waits, missed = [], [], 0
    for now, final in told.finals:
        words = transcript_of(final).words
        if words:
            waits.append(now - words[-1].interval.end)
        own = [(at, each) for at, each in told.partials if each.interval.start == final.interval.start]
        for place, word in enumerate(words):
            seen = [at for at, each in own if spelled(transcript_of(each), place) == plain(word.text)]
            delays += [min(seen) - word.interval.end] if seen else []
            missed += not seen
    figures: dict[str, Any] = {
        "utterances": len(told.finals),
        "end of an utterance to its final words and tone, s": spread(waits),
        "processor seconds a second of sound": round(told.processor_seconds / seconds, 3),
    }
    if told.pictures:
        figures["a picture to what is said of it, s"] = spread(told.pictures)
    if told.partials:
        figures |= {
            "partial transcripts": len(told.partials),
            "end of a word to the partial that has it, s": spread(delays),
            "words that were first told by the final transcript, %": round(100 * missed / (missed + len(delays)), 1),
        }
    return {f"{name}: {what}": value for what, value in figures.items()}


def transcript_of(prediction: Prediction) -> Transcript:
    """The words that a prediction rests on."""
    assert isinstance(prediction.evidence, Transcript)
    return prediction.evidence


def spelled(transcript: Transcript, place: int) -> str:
    """The word at a place of a text; empty where the text is shorter."""
    words = [plain(word) for word in transcript.text.split()]
    return words[place] if place < len(words) else ""


def plain(word: str) -> str:
    """Without case and punctuation."""
    return "".join(each for each in word if each.isalnum()).casefold()


def spread(values: Sequence[float]) -> str:
    """Median, 90th percentile and 99th."""
    if not values:
        return "-"
    return " / ".join(f"{value:.2f}" for value in np.percentile(np.asarray(values), [50, 90, 99])) + " (p50/p90/p99)"


def processor_seconds() -> float:
    """Used by this process so far, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
