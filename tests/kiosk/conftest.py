"""A kiosk on fakes: a bright picture holds a face, a dark one nobody, and loud sound is an utterance."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from mien import (
    AnalysisResult,
    AudioClip,
    Box,
    FaceRegion,
    ImageFrame,
    Prediction,
    Sample,
    SampleKind,
    SessionSummary,
    Stream,
    StreamSettings,
    Transcript,
)
from mien.config import Settings
from mien.engine import Engine
from mien.host import PluginHost
from mien.kiosk import Kiosk, View
from mien.kiosk.brain import LocalBrain
from mien.kiosk.feed import Feed, Item, Pause
from mien.live import Event, Notice
from mien.session import Consent, SessionConfig
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info, make_clip, make_image, make_prediction


def _face(sample: Sample) -> list[Prediction]:
    assert isinstance(sample, ImageFrame)
    if sample.pixels.mean() < 10:
        return []
    region = FaceRegion(Box(16, 12, 32, 24), quality=1.0)
    satisfied = float(sample.pixels.mean()) / 255
    return [replace(make_prediction("face", satisfaction=satisfied, at=sample.captured_at), evidence=region)]


def _voice(sample: Sample) -> list[Prediction]:
    assert isinstance(sample, AudioClip)
    if not np.any(sample.samples):
        return []
    spoken = make_prediction("voice", satisfaction=0.9, at=sample.captured_at + sample.duration)
    return [replace(spoken, evidence=Transcript("thank you", engine="fake"))]


class _OneSubject(Stream):
    def push(self, sample: Sample) -> list[Sample]:
        return [sample]

    def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Prediction]:
        return [replace(prediction, subject_id="t1") for prediction in predictions]


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
class Seen(View):
    """What the kiosk showed."""

    events: list[Event] = field(default_factory=list)
    waits: int = 0

    def waiting(self, now: float) -> None:
        self.waits += 1

    def show(self, event: Event, now: float) -> None:
        self.events.append(event)

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


@dataclass
class Bench:
    """A kiosk's parts; a test may change them before it runs."""

    engine: Engine
    host: PluginHost
    face: FakeAnalyzer
    voice: FakeAnalyzer
    config: SessionConfig

    def brain(self) -> LocalBrain:
        return LocalBrain(self.engine, self.host)

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
                record=lambda name, result: records.append((name, result)),
                config=self.config,
                once=once,
            )
            return await kiosk.run(stop)

        return Ran(asyncio.run(go()), seen, records)


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    opened: list[Engine] = []

    def make(*, with_voice: bool = True, **options: object) -> Bench:
        face, voice = FaceAnalyzer("face", answer=_face), FakeAnalyzer("voice", answer=_voice)
        analyzers = {"face": (analyzer_info("face"), lambda: face)}
        if with_voice:
            analyzers["voice"] = (analyzer_info("voice", SampleKind.AUDIO), lambda: voice)
        plugins = {
            "fake": FakePlugin(analyzers=analyzers),
            "fusion": FakePlugin(fusers={"weighted_sum": FakeFuser}),
        }
        settings = Settings()
        host = PluginHost.from_plugins(plugins, settings)
        engine = Engine(host, settings)
        opened.append(engine)
        given = {"consent": Consent.NOTICE_SHOWN, "require_consent": True, "idle_timeout": 5.0, **options}
        return Bench(engine, host, face, voice, SessionConfig.from_settings(settings, **given))

    yield make
    for engine in opened:
        engine.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture(scope="session")
def portrait_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a real face that sways a little, 320 x 240, without sound."""
    cv2 = pytest.importorskip("cv2")
    data = pytest.importorskip("skimage.data", reason="the portrait comes with scikit-image")
    path = tmp_path_factory.mktemp("video") / "portrait.avi"
    face = cv2.resize(cv2.cvtColor(data.astronaut()[:256, 100:356], cv2.COLOR_RGB2BGR), (200, 200))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5.0, (320, 240))
    for index in range(20):
        canvas = np.full((240, 320, 3), 128, np.uint8)
        left = 50 + index
        canvas[20:220, left : left + 200] = face
        writer.write(canvas)
    writer.release()
    return path
