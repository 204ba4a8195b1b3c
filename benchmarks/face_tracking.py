"""How often a tracked face changes its id: in drawn crossings, and in a video of portraits that move.

    python benchmarks/face_tracking.py [--portraits portraits.parquet] [--detector haar --detector mien] [--videos N]

Drawn: two to four faces walk straight through a picture, most of them past each other; their boxes tremble and are
missed now and then, as a detector's do. Video: portraits are laid over a plain ground and moved in the same way; the
nearer hides the farther; what a detector finds goes through the tracker. A *switch* is a face that carries another id
than when it was last seen. Nothing of it is a test.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data
from rich.console import Console
from rich.table import Table

from mien import Box
from mien.streams import BoxTracker
from mien_face.factory import build_detector
from mien_face.settings import DetectorName, FaceSettings

WIDTH: Final = 640
HEIGHT: Final = 480
MAX_GAP: Final = 2.0
SAME: Final = 0.4
"""Intersection over union from which a found box is a portrait's face."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Walker:
    """Somebody who walks: where (centre, pixels) at a time (seconds), and how large."""

    start: tuple[float, float]
    velocity: tuple[float, float]
    side: float

    def box(self, now: float) -> Box:
        """The face at a moment."""
        x, y = self.start[0] + self.velocity[0] * now, self.start[1] + self.velocity[1] * now
        return Box(x - self.side / 2, y - self.side / 2, self.side, self.side)


def walkers(generator: np.random.Generator, seconds: float) -> list[Walker]:
    """People who start left and right in turn and end on the other side, or thereabouts."""
    people = []
    for number in range(int(generator.integers(2, 5))):
        side = float(generator.uniform(60, 130))
        left, right = float(generator.uniform(60, 200)), float(generator.uniform(440, 580))
        first, last = (right, left) if number % 2 else (left, right)
        height = float(generator.uniform(180, 300))
        rise = float(generator.uniform(-40, 40)) / seconds
        people.append(Walker((first, height), ((last - first) / seconds, rise), side))
    return people


def hidden(box: Box, nearer: Sequence[Box]) -> bool:
    """Whether a face is mostly behind another."""
    return any(box.intersection(other) > 0.5 * box.area for other in nearer)


@dataclass(slots=True)
class Count:
    """Sightings, and changes of id among them."""

    sightings: int = 0
    switches: int = 0

    def note(self, known: dict[int, str], who: int, name: str) -> None:
        """Take in that somebody was seen under a name."""
        self.sightings += 1
        self.switches += known.get(who, name) != name
        known[who] = name


def drawn(interval: float, scenes: int, tremble: float, missed: float) -> Count:
    """Track drawn boxes."""
    count = Count()
    for scene in range(scenes):
        generator = np.random.default_rng(scene)
        people = sorted(walkers(generator, 4.0), key=lambda walker: -walker.side)  # the largest is nearest
        tracker, known = BoxTracker(max_gap=MAX_GAP), dict[int, str]()
        for now in np.arange(0.0, 4.0, interval):
            true = [walker.box(float(now)) for walker in people]
            seen = [who for who, box in enumerate(true) if not hidden(box, true[:who]) and generator.random() >= missed]
            boxes = [trembling(true[who], tremble, generator) for who in seen]
            order = generator.permutation(len(seen))
            names = tracker.update([boxes[place] for place in order], float(now))
            for place, name in zip(order, names, strict=True):
                count.note(known, seen[place], name)
    return count


def trembling(box: Box, tremble: float, generator: np.random.Generator) -> Box:
    """A box as a detector would give it."""
    dx, dy, grow = generator.normal(0.0, tremble * box.width, 3)
    side = max(4.0, box.width + grow)
    return Box(box.x + dx - (side - box.width) / 2, box.y + dy - (side - box.width) / 2, side, side)


def portraits(path: Path | None) -> list[Pixels]:
    """Tight square pictures of faces."""
    if path is None:
        astronaut = np.asarray(skimage.data.astronaut(), np.uint8)
        return [
            np.ascontiguousarray(astronaut[40:220, 135:315]),
            np.ascontiguousarray(astronaut[40:220, 135:315][:, ::-1]),
        ]
    import pyarrow.parquet as parquet

    rows = parquet.read_table(path, columns=["image", "boxes"]).slice(0, 200).to_pylist()
    images = [row["image"] for row in rows if len(row["boxes"]) == 1]
    return [np.asarray(cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8) for each in images]


def video(people: Sequence[Walker], faces: Sequence[Pixels], interval: float) -> Iterator[tuple[float, Pixels]]:
    """Frames of portraits that move; the first is nearest."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    ground = np.stack([90 + rows // 8, 110 + columns // 16, 120 - rows // 12], axis=-1).astype(np.uint8)
    for now in np.arange(0.0, 4.0, interval):
        frame = ground.copy()
        for who in reversed(range(len(people))):
            box = people[who].box(float(now))
            side = round(box.width * 1.3)  # the portrait around the face
            left, top = round(box.x - 0.15 * box.width), round(box.y - 0.15 * box.width)
            inside = frame[max(top, 0) : top + side, max(left, 0) : left + side]
            oval = np.zeros((side, side), np.uint8)
            cv2.ellipse(oval, (side // 2, side // 2), (round(side * 0.46), side // 2), 0, 0, 360, (255,), -1)
            soft = cv2.GaussianBlur(oval, (0, 0), side / 40)[..., None].astype(np.float32) / 255
            picture = cv2.resize(faces[who], (side, side), interpolation=cv2.INTER_AREA)
            part = (
                slice(max(-top, 0), max(-top, 0) + len(inside)),
                slice(max(-left, 0), max(-left, 0) + inside.shape[1]),
            )
            inside[:] = (picture[part] * soft[part] + inside * (1 - soft[part])).astype(np.uint8)
        yield float(now), frame


def filmed(name: DetectorName, faces: Sequence[Pixels], interval: float, videos: int) -> tuple[Count, int]:
    """Track what a detector finds; also how many faces there were to see."""
    detector = build_detector(FaceSettings(detector=name))
    count, visible = Count(), 0
    for number in range(videos):
        generator = np.random.default_rng(1000 + number)
        people = sorted(walkers(generator, 4.0), key=lambda walker: -walker.side)
        cast = [faces[index % len(faces)] for index in generator.permutation(max(len(faces), len(people)))]
        tracker, known = BoxTracker(max_gap=MAX_GAP), dict[int, str]()
        for now, frame in video(people, cast, interval):
            (found,) = detector.detect([frame])
            boxes = [face.box for face in found if face.score >= detector.threshold]
            names = tracker.update(boxes, now)
            true = [walker.box(now) for walker in people]
            free = set(range(len(boxes)))
            for who, box in enumerate(true):
                if hidden(box, true[:who]):
                    continue
                visible += 1
                best = max(free, key=lambda index: boxes[index].iou(box), default=None)
                if best is not None and boxes[best].iou(box) >= SAME:
                    free.remove(best)
                    count.note(known, who, names[best])
    return count, visible


def main() -> None:
    """Count switches."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portraits", type=Path, help="Parquet file of portraits; without it scikit-image's astronaut")
    parser.add_argument("--detector", type=DetectorName, action="append", help="haar or mien; may be given again")
    parser.add_argument("--videos", type=int, default=6)
    parser.add_argument("--scenes", type=int, default=150)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    table = Table("boxes", "seconds between pictures", "faces seen", "of", "switches")
    for tremble, missed in ((0.0, 0.0), (0.03, 0.05), (0.06, 0.15)):
        for interval in (0.1, 0.25, 1.0):
            count = drawn(interval, options.scenes, tremble, missed)
            label = f"drawn, trembling {tremble:.0%}, missed {missed:.0%}"
            table.add_row(label, f"{interval}", str(count.sightings), "", str(count.switches))
    faces = portraits(options.portraits)
    for name in options.detector or []:
        for interval in (0.1, 0.25):
            count, visible = filmed(name, faces, interval, options.videos)
            table.add_row(f"video, {name}", f"{interval}", str(count.sightings), str(visible), str(count.switches))
    Console().print(table)


if __name__ == "__main__":
    main()
