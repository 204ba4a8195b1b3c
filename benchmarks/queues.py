"""Whether customers who follow each other become visits of their own: splits, merges, delays and lengths.

    python benchmarks/queues.py portraits.parquet scenes.parquet [--queues 72] [--first 0] [--cache FILE] [--out FILE]

Composed queues of three customers each: portraits laid with soft edges over blurred scenes, 640 x 480, four pictures
a second. Customers arrive from a side, from behind or at once, sway, turn away (the head without a face) or are
hidden by somebody who walks by or holds something up, and leave, with 0 to 10 seconds between two. Some bring a
companion, some wait in sight behind who is being served. Every picture is analysed by the shipped detector and
network; those results go, thinned to each pace, through a real kiosk with its tracker, session and policy. That takes
minutes, so that ``--drawn`` leaves pictures out: boxes come from the drawing itself, trembling by 4 % of their size
and missed once in twenty times. Who is who is known from the drawing alone: nothing is recognised. A **merge** is a
visit that counted two customers for 1.5 s or more each, a **split** a customer who has two visits of 1.5 s or more,
**missed** one who has none, the **delay** the time from when the next one stood at the counter, and the one before
was gone, to the visit's end. Nothing of it is a test.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import pickle
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from mien import Box, FaceRegion, ImageFrame, KioskView, Prediction, Sample, Stream, StreamSettings, TimeInterval
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

WIDTH: Final = 640
HEIGHT: Final = 480
STEP: Final = 0.25
"""Seconds between two pictures that are drawn."""
PACES: Final = (0.25, 0.5, 1.0)
"""Seconds between two pictures that the kiosk analyses."""
TREMBLE: Final = 0.04
MISSED: Final = 0.05
ENOUGH: Final = 1.5
"""Seconds of somebody's evidence from which they count in a visit."""
GAPS: Final = (0.0, 1.0, 1.0, 5.0, 5.0, 10.0)
LABELS: Final = tuple(sorted({*make_prediction().emotions, *["angry", "disgust", "fear", "surprise"]}))
HAPPY, OTHERS = "happiness", ("neutral", "anger", "sadness", "disgust")

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One who comes, stands and goes.

    Attributes:
        name: In the drawing.
        arrives: When they come into sight, seconds.
        stands: When they stand at the counter.
        leaves: When they begin to go.
        gone: When they are out of sight.
        place: Centre of the face at the counter, pixels.
        side: Of the face there, pixels.
        enters: How they come: ``left``, ``right``, ``behind`` or ``at once``.
        exits: How they go, the same.
        turned: When they look away, seconds.
        covered: When something is held before the face.
        waits_from: When they are in sight behind, waiting; None where they are not.
        companion: Stands beside them, nearly as near.
    """

    name: str
    arrives: float
    stands: float
    leaves: float
    gone: float
    place: tuple[float, float]
    side: float
    enters: str
    exits: str
    turned: tuple[float, float] | None = None
    covered: tuple[float, float] | None = None
    waits_from: float | None = None
    companion: bool = False

    def face(self, now: float) -> tuple[float, float, float] | None:
        """Centre and side at a moment; None where they are out of sight."""
        x, y = self.place
        if self.waits_from is not None and self.waits_from <= now < self.arrives:
            return _behind(self.place, self.side)
        if not self.arrives <= now < self.gone:
            return None
        if now < self.stands:
            return _between(self._away(self.enters), (x, y, self.side), (now - self.arrives) / self.takes_to_come)
        if now >= self.leaves:
            return _between((x, y, self.side), self._away(self.exits), (now - self.leaves) / (self.gone - self.leaves))
        sway = 0.12 * self.side
        return x + sway * np.sin(1.3 * now + self.side), y + 0.4 * sway * np.sin(0.9 * now), self.side

    @property
    def takes_to_come(self) -> float:
        """Seconds."""
        return max(self.stands - self.arrives, 1e-6)

    def _away(self, how: str) -> tuple[float, float, float]:
        x, y = self.place
        if how == "left":
            return -0.6 * self.side, y, self.side
        if how == "right":
            return WIDTH + 0.6 * self.side, y, self.side
        return _behind(self.place, self.side) if how == "behind" else (x, y, self.side)


@dataclass(frozen=True, slots=True)
class Passer:
    """Somebody who walks through the picture in front of everybody, perhaps with a face."""

    start: float
    seconds: float
    leftwards: bool
    side: float
    has_face: bool

    def face(self, now: float) -> tuple[float, float, float] | None:
        """Centre and side at a moment; None where they are out of sight."""
        share = (now - self.start) / self.seconds
        if not 0.0 <= share <= 1.0:
            return None
        along = -self.side + share * (WIDTH + 2 * self.side)
        return (WIDTH - along if self.leftwards else along), 250.0, self.side


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What is drawn."""

    number: int
    customers: tuple[Customer, ...]
    passers: tuple[Passer, ...]
    gap: float

    @property
    def seconds(self) -> float:
        """All of it, with some seconds after the last."""
        return self.customers[-1].gone + 3.0


def make_queue(number: int) -> Queue:
    """A queue; the same number gives the same."""
    random = np.random.default_rng(7000 + number)
    gap = GAPS[number % len(GAPS)]
    now, customers, passers = float(random.uniform(1.0, 2.0)), [], []
    place = (float(random.uniform(260, 380)), float(random.uniform(190, 250)))
    for index in range(3):
        enters, exits = (str(random.choice(["left", "right", "behind"], p=[0.4, 0.4, 0.2])) for _ in range(2))
        if number % 8 == 7:
            enters = exits = "at once"
        comes, goes = (0.0 if enters == "at once" else float(random.uniform(0.8, 1.6)) for _ in range(2))
        stays = float(random.uniform(6.5, 10.0))
        stands = now + comes
        turned = covered = None
        if number % 3 != 0:
            begin = stands + float(random.uniform(2.0, stays - 4.0))
            length = float(random.uniform(1.0, 2.6))
            if (number + index) % 2:
                turned = (begin, begin + length)
            elif (number + index) % 4 == 0:
                covered = (begin, begin + length)
            else:
                side = float(random.uniform(150, 200))
                passers.append(
                    Passer(begin, float(random.uniform(1.2, 2.4)), bool(random.integers(2)), side, bool(index % 2))
                )
        spot = (place[0] + float(random.normal(0, 18)), place[1] + float(random.normal(0, 10)))
        customer = Customer(
            name=f"c{index}",
            arrives=now,
            stands=stands,
            leaves=stands + stays,
            gone=stands + stays + goes,
            place=spot,
            side=float(random.uniform(105, 150)),
            enters=enters,
            exits=exits,
            turned=turned,
            covered=covered,
            waits_from=max(0.0, now - 6.0) if enters == "behind" and number % 2 else None,
            companion=number % 6 == 4 and index == 1,
        )
        customers.append(customer)
        now = customer.gone + gap if gap else customer.gone - 0.4
    return Queue(number=number, customers=tuple(customers), passers=tuple(passers), gap=gap)


def _between(one: tuple[float, ...], other: tuple[float, ...], share: float) -> tuple[float, float, float]:
    x, y, side = (a + share * (b - a) for a, b in zip(one, other, strict=True))
    return x, y, side


def _behind(place: tuple[float, float], side: float) -> tuple[float, float, float]:
    return place[0] + 1.35 * side, place[1] - 0.35 * side, 0.42 * side


@dataclass(frozen=True, slots=True)
class Portrait:
    """A tight picture of a face, square, and where in it the face is (centre and side, as shares)."""

    pixels: Pixels
    centre: tuple[float, float]
    side: float


class Cast:
    """Portraits and scenes to draw with."""

    def __init__(self, portraits: Path, scenes: Path) -> None:
        import pyarrow.parquet as parquet

        columns = ["image", "boxes", "person", "expression"]
        rows = parquet.read_table(portraits, columns=columns).slice(0, 3000).to_pylist()
        self._by_expression: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            if len(row["boxes"]) == 1:
                self._by_expression[row["expression"]].append(row)
        empty = [row for row in parquet.read_table(scenes, columns=["image", "boxes"]).to_pylist() if not row["boxes"]]
        self._scenes = [row["image"] for row in empty]

    def portrait(self, random: np.random.Generator, *, happy: bool) -> Portrait:
        """Somebody's."""
        rows = self._by_expression[HAPPY if happy else str(random.choice(OTHERS, p=[0.4, 0.2, 0.3, 0.1]))]
        rows = rows or self._by_expression[HAPPY]
        row = rows[int(random.integers(len(rows)))]
        pixels = _decoded(row["image"])
        height, width = pixels.shape[:2]
        x, y, w, h = row["boxes"][0]
        size = max(height, width)
        square = cv2.resize(pixels, (size, size))
        return Portrait(np.asarray(square, np.uint8), ((x + w / 2) / width, (y + h / 2) / height), (w / width))

    def scene(self, random: np.random.Generator, is_empty: Callable[[Pixels], bool]) -> Pixels:
        """A ground in which nothing is taken for a face: what a camera is pointed at is not a matter of queues."""
        while True:
            picture = _decoded(self._scenes[int(random.integers(len(self._scenes)))])
            ground = np.asarray(cv2.GaussianBlur(cv2.resize(picture, (WIDTH, HEIGHT)), (0, 0), 5), np.uint8)
            if is_empty(ground):
                return ground


def _decoded(data: bytes) -> Pixels:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)


def frames(queue: Queue, cast: Cast, ground: Pixels) -> Iterator[tuple[float, Pixels]]:
    """The pictures of a queue."""
    random = np.random.default_rng(queue.number)
    faces = {each.name: cast.portrait(random, happy=index != 1) for index, each in enumerate(queue.customers)}
    friend, passing = cast.portrait(random, happy=True), cast.portrait(random, happy=False)
    for now in np.arange(0.0, queue.seconds, STEP):
        frame = ground.copy()
        for customer in sorted(queue.customers, key=lambda each: _depth(each.face(float(now)))):
            _draw_customer(frame, customer, faces[customer.name], friend, float(now))
        for passer in queue.passers:
            if (at := passer.face(float(now))) is not None:
                _paste(frame, passing, at, blank=not passer.has_face)
        noisy = frame.astype(np.int16) + random.normal(0, 4, (HEIGHT, WIDTH, 1)).astype(np.int16)
        yield float(now), np.clip(noisy, 0, 255).astype(np.uint8)


def _depth(at: tuple[float, float, float] | None) -> float:
    return 0.0 if at is None else at[2]


def _draw_customer(frame: Pixels, customer: Customer, face: Portrait, friend: Portrait, now: float) -> None:
    at = customer.face(now)
    if at is None:
        return
    if customer.companion and customer.arrives <= now:
        _paste(frame, friend, (at[0] - 1.5 * at[2], at[1], 0.9 * at[2]))
    turned = customer.turned is not None and customer.turned[0] <= now < customer.turned[1]
    _paste(frame, face, at, blank=turned)
    if customer.covered is not None and customer.covered[0] <= now < customer.covered[1]:
        x, y, side = (round(each) for each in at)
        cv2.rectangle(frame, (x - side, y - side // 2), (x + side, y + side), (176, 150, 118), -1)


def _paste(frame: Pixels, portrait: Portrait, at: tuple[float, float, float], *, blank: bool = False) -> None:
    """Lay a portrait so that its face has that centre and side; ``blank`` shows a head without a face."""
    x, y, side = at
    size = max(8, round(side / portrait.side))
    left, top = round(x - portrait.centre[0] * size), round(y - portrait.centre[1] * size)
    picture = cv2.resize(portrait.pixels, (size, size), interpolation=cv2.INTER_AREA)
    if blank:
        picture = np.full_like(picture, picture[: size // 6].reshape(-1, 3).mean(axis=0) * 0.5)
    oval = np.zeros((size, size), np.uint8)
    cv2.ellipse(oval, (size // 2, size // 2), (round(size * 0.47), size // 2), 0, 0, 360, (255,), -1)
    soft = cv2.GaussianBlur(oval, (0, 0), max(1.0, size / 40))[..., None].astype(np.float32) / 255
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + size, WIDTH), min(top + size, HEIGHT)
    if x0 >= x1 or y0 >= y1:
        return
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    inside = frame[y0:y1, x0:x1]
    inside[:] = (picture[part] * soft[part] + inside * (1 - soft[part])).astype(np.uint8)


Seen = dict[float, list[Prediction]]
"""Time of a picture -> what the shipped analyzer said of it."""


def analysed(numbers: Sequence[int], portraits: Path, scenes: Path, cache: Path | None) -> dict[int, Seen]:
    """What the shipped analyzer says of each queue's pictures; what the cache has is not asked again."""
    known: dict[int, Seen] = pickle.loads(cache.read_bytes()) if cache is not None and cache.exists() else {}
    missing = [number for number in numbers if number not in known]
    if missing:
        cast = Cast(portraits, scenes)
        analyzer = PluginHost.discover(Settings()).analyzer("face")
        for number in missing:
            seen: Seen = {}
            ground = cast.scene(
                np.random.default_rng(number), lambda pixels: not any(analyzer.analyze([ImageFrame(pixels)]))
            )
            for now, pixels in frames(make_queue(number), cast, ground):
                (seen[now],) = analyzer.analyze([ImageFrame(pixels, captured_at=now)])
            known[number] = seen
            print(f"\rqueue {number} analysed", end="", file=sys.stderr)
            if cache is not None:
                cache.write_bytes(pickle.dumps(known))
    return {number: known[number] for number in numbers}


def drawn(numbers: Sequence[int]) -> dict[int, Seen]:
    """What an analyzer would say of each queue's pictures, from the drawing: its boxes tremble, and some are missed."""
    return {number: dict(_drawn_pictures(make_queue(number))) for number in numbers}


def _drawn_pictures(queue: Queue) -> Iterator[tuple[float, list[Prediction]]]:
    random = np.random.default_rng(queue.number)
    for now in map(float, np.arange(0.0, queue.seconds, STEP)):
        shown = [(face, happy, who is not None) for who, face, happy in _visible(queue, now)]
        faces = []
        for number, ((x, y, side), happy, _) in enumerate(shown):
            nearer = [other for other, _, _ in shown if other[2] > 1.15 * side]
            if random.random() < MISSED or any(np.hypot(x - a, y - b) < 0.6 * c for a, b, c in nearer):
                continue
            x, y, side = (each + float(random.normal(0, TREMBLE * side)) for each in (x, y, side))
            box = _clipped(Box(x - side / 2, y - 0.6 * side, side, 1.2 * side))
            if box is not None:
                faces.append(_prediction(box, now, 0.9 if happy else 0.15, number))
        yield now, faces


def _visible(queue: Queue, now: float) -> Iterator[tuple[str | None, tuple[float, float, float], bool]]:
    """The faces that can be seen: whose (None for a passer), where, and whether happy."""
    for index, each in enumerate(queue.customers):
        if (at := each.face(now)) is None:
            continue
        if each.companion and each.arrives <= now:
            yield "companion", (at[0] - 1.5 * at[2], at[1], 0.9 * at[2]), True
        hidden = (span is not None and span[0] <= now < span[1] for span in (each.turned, each.covered))
        if not any(hidden):
            yield each.name, at, index != 1
    for passer in queue.passers:
        if (at := passer.face(now)) is None:
            continue
        if passer.has_face:
            yield None, at, False


def _clipped(box: Box) -> Box | None:
    """What of a face is in the picture; None where too little is for a detector to find it."""
    left, top = max(box.x, 0.0), max(box.y, 0.0)
    right, bottom = min(box.x + box.width, float(WIDTH)), min(box.y + box.height, float(HEIGHT))
    if right - left < 0.45 * box.width or bottom - top < 0.45 * box.height:
        return None
    return Box(left, top, right - left, bottom - top)


def _prediction(box: Box, now: float, satisfaction: float, number: int) -> Prediction:
    made = make_prediction("face", satisfaction=satisfaction, at=now)
    region = FaceRegion(box=box, quality=0.9)
    return replace(made, subject_id=f"face-{number}", evidence=region, interval=TimeInterval(now, now))


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
class _Watching(KioskView):
    """Keeps whose evidence each visit counted, and when."""

    queue: Queue
    visits: list[dict[str, Any]] = field(default_factory=list)

    def waiting(self, now: float) -> None:
        return

    def show(self, event: Event, now: float) -> None:
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


def followed(queue: Queue, seen: Seen, pace: float, settings: Settings) -> _Watching:
    """Run the kiosk over a queue at a pace."""
    times = [at for at in seen if abs(at / pace - round(at / pace)) < 1e-6]
    known = _Known("face", answer=lambda sample: seen[_time_of(sample)])
    view = _Watching(queue)
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


@dataclass
class Found:
    """What was found over queues at one pace."""

    customers: int = 0
    visits: int = 0
    merges: int = 0
    splits: int = 0
    missed: int = 0
    strangers: int = 0
    delays: list[float] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


def judge(found: Found, watching: _Watching, pace: float) -> None:
    """Compare the visits with the drawing."""
    queue, whose = watching.queue, defaultdict(list)
    found.customers += len(queue.customers)
    for number, visit in enumerate(watching.visits):
        seconds = {who: len(times) * pace for who, times in visit["counted"].items()}
        names = [each.name for each in queue.customers if seconds.get(each.name, 0.0) >= ENOUGH]
        found.visits += 1
        found.strangers += not names
        if len(names) > 1:
            found.merges += 1
            found.bad.append(f"{queue.number} gap {queue.gap:g} pace {pace:g}: {'+'.join(names)} merged")
        for name in names:
            whose[name].append(number)
    for customer in queue.customers:
        visits = whose[customer.name]
        if len(visits) > 1:
            found.splits += 1
            found.bad.append(f"{queue.number} gap {queue.gap:g} pace {pace:g}: {customer.name} split in {len(visits)}")
        elif not visits:
            found.missed += 1
            found.bad.append(f"{queue.number} gap {queue.gap:g} pace {pace:g}: {customer.name} missed")
        else:
            _time(found, queue, customer, watching.visits[visits[0]])


def _time(found: Found, queue: Queue, customer: Customer, visit: Mapping[str, Any]) -> None:
    summary: SessionSummary = visit["summary"]
    length = summary.interval.end - summary.interval.start
    found.lengths.append(length - (customer.gone - customer.arrives))
    following = [each for each in queue.customers if each.arrives > customer.arrives]
    if following:
        found.delays.append(visit["ended"] - max(customer.gone, following[0].stands))


def main() -> None:
    """Compose, follow, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("portraits", type=Path, nargs="?")
    parser.add_argument("scenes", type=Path, nargs="?")
    parser.add_argument("--drawn", action="store_true", help="Boxes from the drawing, no pictures.")
    parser.add_argument("--queues", type=int, default=72)
    parser.add_argument("--first", type=int, default=0, help="Number of the first queue.")
    parser.add_argument("--cache", type=Path, help="What was analysed is kept there.")
    parser.add_argument("--out", type=Path, help="JSON of the figures.")
    parser.add_argument("--verbose", action="store_true", help="Name each split and merge.")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    began = time.perf_counter()
    numbers = range(options.first, options.first + options.queues)
    if options.drawn:
        seen = drawn(numbers)
    elif options.portraits is None or options.scenes is None:
        parser.error("give portraits.parquet and scenes.parquet, or --drawn")
    else:
        seen = analysed(numbers, options.portraits, options.scenes, options.cache)
    table = Table(
        "pace, s", "customers", "visits", "merges", "splits", "missed", "of strangers", "delay, s", "length off, s"
    )
    figures = {}
    for pace in PACES:
        found = Found()
        for number in numbers:
            judge(found, followed(make_queue(number), seen[number], pace, Settings()), pace)
        counts = (found.customers, found.visits, found.merges, found.splits, found.missed, found.strangers)
        delay = (median(found.delays), float(np.percentile(found.delays, 90))) if found.delays else (0.0, 0.0)
        off = fmean(map(abs, found.lengths)) if found.lengths else 0.0
        table.add_row(f"{pace:g}", *map(str, counts), f"{delay[0]:.2f}, 90 % {delay[1]:.2f}", f"{off:.2f}")
        names = ("customers", "visits", "merges", "splits", "missed", "strangers")
        figures[f"{pace:g}"] = {**dict(zip(names, counts, strict=True)), "delay": delay, "length_off": off}
        if options.verbose:
            print(*found.bad, sep="\n")
    Console().print(table)
    print(f"{len(numbers)} queues in {time.perf_counter() - began:.0f} s")
    if options.out is not None:
        options.out.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
