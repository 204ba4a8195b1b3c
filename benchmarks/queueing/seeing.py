"""What an analyzer says of a queue: the shipped one of its pictures, or what follows from the drawing alone."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from mien import Box, FaceRegion, ImageFrame, Prediction, TimeInterval
from mien.config import Settings
from mien.plugins.host import PluginHost
from mien.testing import make_prediction
from queueing.drawing import Cast, frames
from queueing.people import HEIGHT, STEP, WIDTH, Queue, make_queue

MISSED: Final = 0.05

TREMBLE: Final = 0.04

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
