"""A kiosk on fakes: a bright picture holds a face, a dark one nobody, and loud sound is an utterance."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from mien import (
    AnalysisResult,
    AudioClip,
    Box,
    FaceRegion,
    ImageFrame,
    KioskView,
    Prediction,
    Sample,
    SessionSummary,
    Stream,
    StreamSettings,
    Transcript,
)
from mien.config import Settings
from mien.engine import Engine
from mien.kiosk import Kiosk
from mien.kiosk.brain import LocalBrain
from mien.kiosk.feed import Feed, Item, Pause
from mien.live import Event, Notice, Partial, result_of
from mien.plugins.host import PluginHost
from mien.session import SessionConfig
from mien.testing import FakeAnalyzer, make_clip, make_image, make_prediction


def see_face(sample: Sample) -> list[Prediction]:
    assert isinstance(sample, ImageFrame)
    if sample.pixels.mean() < 10:
        return []
    region = FaceRegion(Box(16, 12, 32, 24), quality=1.0)
    satisfied = float(sample.pixels.mean()) / 255
    return [replace(make_prediction("face", satisfaction=satisfied, at=sample.captured_at), evidence=region)]


def hear_words(sample: Sample) -> list[Prediction]:
    assert isinstance(sample, AudioClip)
    if not np.any(sample.samples):
        return []
    spoken = make_prediction("voice", satisfaction=0.9, at=sample.captured_at + sample.duration_seconds)
    return [replace(spoken, evidence=Transcript("thank you", engine="fake"))]


class _OneSubject(Stream):
    def push(self, sample: Sample) -> list[Sample]:
        return [sample]

    def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Prediction]:
        return [replace(prediction, subject_id="t1") for prediction in predictions]


class Murmuring(FakeAnalyzer):
    """A voice whose stream tells what is being said before it gives it out."""

    def open_stream(self, settings: StreamSettings) -> Stream:
        return _Murmur(settings)


class _Murmur(Stream):
    def __init__(self, settings: StreamSettings) -> None:
        self._tell = settings.tell

    def push(self, sample: Sample) -> list[Sample]:
        if self._tell is not None:
            words = Transcript("thank", engine="fake", is_final=False, stability=0.5, revision=1)
            self._tell(replace(make_prediction("voice", at=sample.captured_at), evidence=words))
        return [sample]


class FaceAnalyzer(FakeAnalyzer):
    def open_stream(self, settings: StreamSettings) -> Stream:
        return _OneSubject()


def picture(at: float, brightness: int = 200) -> ImageFrame:
    return make_image(brightness, captured_at=at)


def speech(at: float) -> AudioClip:
    return make_clip(seconds=0.5, frequency=200.0, captured_at=at)


class ScriptFeed(Feed):
    """Gives out what it is told, and then the end."""

    def __init__(self, items: Sequence[Item | float], *, waits: bool = True) -> None:
        """A number sets the clock, as where time passes and nothing comes."""
        self.stop: Callable[[], None] = lambda: None
        self.stop_after = len(items) + 1
        self._items = list(items)
        self._waits = waits
        self._now = 0.0

    @property
    def waits(self) -> bool:
        return self._waits

    def now(self) -> float:
        return self._now

    async def next(self, timeout: float) -> Item:
        await asyncio.sleep(0)
        if not self._items:
            return Pause.END
        item = self._items.pop(0)
        self.stop_after -= 1
        if self.stop_after == 0:
            self.stop()
        if isinstance(item, float):
            self._now = item
            return Pause.TICK
        if isinstance(item, ImageFrame | AudioClip):
            self._now = item.captured_at
        return item

    async def close(self) -> None:
        self._items.clear()


@dataclass
class Seen(KioskView):
    """What the kiosk showed."""

    events: list[Event] = field(default_factory=list)
    waits: int = 0

    def waiting(self, now: float) -> None:
        self.waits += 1

    def show(self, event: Event, now: float) -> None:
        self.events.append(event)

    @property
    def partials(self) -> list[Partial]:
        return [event for event in self.events if isinstance(event, Partial)]

    @property
    def summaries(self) -> list[SessionSummary]:
        return [event for event in self.events if isinstance(event, SessionSummary)]

    @property
    def notices(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Notice)]


@dataclass
class Ran:
    """What one run of a kiosk did."""

    interactions: int
    seen: Seen
    records: list[tuple[str, AnalysisResult | SessionSummary]]


def note(records: list[tuple[str, AnalysisResult | SessionSummary]], session_id: str, event: Event) -> None:
    """Keep what sinks would be shown."""
    result = result_of(event)
    if result is not None:
        records.append((session_id, result))


@dataclass
class Bench:
    """A kiosk's parts; a test may change them before it runs."""

    engine: Engine
    host: PluginHost
    settings: Settings
    face: FakeAnalyzer
    voice: FakeAnalyzer
    config: SessionConfig

    def brain(self) -> LocalBrain:
        return LocalBrain(self.engine, self.host, self.settings)

    def run(self, items: Sequence[Item | float] | Feed, *, once: bool = False) -> Ran:
        seen, records = Seen(), []
        feed = items if isinstance(items, Feed) else ScriptFeed(items)

        async def go() -> int:
            stop = asyncio.Event()
            if isinstance(feed, ScriptFeed):
                feed.stop = stop.set
            kiosk = Kiosk(
                feed=feed,
                brain=self.brain(),
                view=seen,
                record=partial(note, records),
                config=self.config,
                once=once,
            )
            return await kiosk.run(stop)

        return Ran(asyncio.run(go()), seen, records)
