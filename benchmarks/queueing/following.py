"""A queue through a real kiosk, and whose evidence each visit counted."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from mien import Box, FaceRegion, ImageFrame, KioskView, Sample, Stream, StreamSettings
from mien.config import Settings
from mien.engine import Engine
from mien.kiosk import Kiosk
from mien.kiosk.brain import LocalBrain
from mien.kiosk.feed import Feed, Item, Pause
from mien.live import Event, Started, Update
from mien.plugins.host import PluginHost
from mien.session import Consent, SessionConfig, SessionSummary
from mien.testing import FakeAnalyzer, FakePlugin, analyzer_info, make_prediction
from mien_face.stream import FaceStream
from queueing.people import HEIGHT, WIDTH, Queue
from queueing.seeing import Seen

LABELS: Final = tuple(sorted({*make_prediction().emotions, *["angry", "disgust", "fear", "surprise"]}))


class _Thinned(Feed):
    """The pictures of one pace, without their pixels: the analyzer below knows what was in them."""

    def __init__(self, times: Sequence[float]) -> None:
        self._times = list(times)
        self._now = 0.0

    @property
    def waits(self) -> bool:
        return True

    def now(self) -> float:
        return self._now

    async def next(self, timeout: float) -> Item:
        if not self._times:
            return Pause.END
        self._now = self._times.pop(0)
        return ImageFrame(np.zeros((HEIGHT, WIDTH, 3), np.uint8), captured_at=self._now)

    async def close(self) -> None:
        self._times.clear()


class _Known(FakeAnalyzer):
    """Says what was said of these pictures before; its streams are those of faces."""

    def open_stream(self, settings: StreamSettings) -> Stream:
        return FaceStream(settings)


@dataclass
class Watching(KioskView):
    """Keeps whose evidence each visit counted, and when."""

    queue: Queue
    visits: list[dict[str, Any]] = field(default_factory=list)

    def waiting(self, now: float) -> None:
        """Nothing to keep."""

    def show(self, event: Event, now: float) -> None:
        """Keep what a visit counted, and its summary."""
        if isinstance(event, Started):
            self.visits.append({"counted": defaultdict(list), "samples": 0})
        elif isinstance(event, Update):
            self._count(event)
        elif isinstance(event, SessionSummary):
            self.visits[-1] |= {"summary": event, "ended": now}

    def _count(self, event: Update) -> None:
        visit = self.visits[-1]
        part = event.state.satisfaction.contributions.get("face")
        samples = 0 if part is None else part.samples
        if samples > visit["samples"]:
            for each in event.predictions:
                if each.subject_id == event.state.subject_id and isinstance(each.evidence, FaceRegion):
                    visit["counted"][self._who(each.evidence.box, each.interval.end)].append(each.interval.end)
        visit["samples"] = samples

    def _who(self, box: Box, at: float) -> str:
        """Whose face it is, from the drawing; companions and passers have names of their own."""
        x, y = box.x + box.width / 2, box.y + box.height / 2
        places = {each.name: each.face(at) for each in self.queue.customers}
        for each in self.queue.customers:
            if each.companion and (face := places[each.name]) is not None:
                places["companion"] = (face[0] - 1.5 * face[2], face[1], 0.9 * face[2])
        places |= {f"passer {index}": each.face(at) for index, each in enumerate(self.queue.passers)}
        found = {name: np.hypot(x - at_[0], y - at_[1]) for name, at_ in places.items() if at_ is not None}
        return min(found, key=found.__getitem__, default="nobody")


def followed(queue: Queue, seen: Seen, pace: float, settings: Settings) -> Watching:
    """Run the kiosk over a queue at a pace."""
    times = [at for at in seen if abs(at / pace - round(at / pace)) < 1e-6]
    known = _Known("face", answer=lambda sample: seen[_time_of(sample)])
    view = Watching(queue)
    host = PluginHost.from_plugins(
        {
            "face": FakePlugin(analyzers={"face": (replace(analyzer_info("face"), labels=LABELS), lambda: known)}),
            "fusion": _fusion(),
        },
        settings,
    )
    engine = Engine(host, settings)
    config = SessionConfig.from_settings(settings, consent=Consent.NOTICE_SHOWN, snapshot_interval_seconds=pace)
    kiosk = Kiosk(
        feed=_Thinned(times),
        brain=LocalBrain(engine, host, settings),
        view=view,
        record=lambda session_id, event: None,
        config=replace(config, idle_timeout_seconds=15.0, max_snapshots=1000),
    )
    try:
        asyncio.run(kiosk.run(asyncio.Event()))
    finally:
        engine.close()
        host.close()
    return view


def _time_of(sample: Sample) -> float:
    return sample.captured_at


def _fusion() -> object:
    import mien_fusion.plugin

    return mien_fusion.plugin
