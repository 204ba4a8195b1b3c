"""A queue as pictures: portraits laid with soft edges over blurred scenes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from queueing.people import HEIGHT, STEP, WIDTH, Customer, Pixels, Queue

HAPPY, OTHERS = "happiness", ("neutral", "anger", "sadness", "disgust")


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
