"""What finding and framing a face do to reading it: neutral against happiness on portraits in context and turned.

    python benchmarks/face_alignment.py PORTRAITS [--limit 300] [--angle 0 --angle 15 ...] [--split validation]

PORTRAITS is a Parquet file with ``image``, ``boxes``, ``landmarks``, ``person``, ``name`` and ``expression``. Each
portrait is padded to twice its size and turned about its middle. Then its face is found and cut out in each way, and
the network judges it. Where no face is found, it judges the whole picture, so that no way gains by giving up. Printed
is the area under the ROC curve of the network's log-odds of happy against neutral, with the share of faces that were
found. Nothing of it is a test.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as parquet
from rich.console import Console
from rich.table import Table

from mien import Box, Detection, FaceDetector
from mien_face.backends.names import BackendName
from mien_face.crop import crop_face
from mien_face.factory import EXPRESSION_MANIFEST, build_detector
from mien_face.inference import ExpressionNetwork
from mien_face.settings import DetectorName, FaceSettings
from mien_face_lab.training.detector.split import Part, part_of

PADDING: Final = 0.5
"""Added on every side, as a share of the portrait's side."""
EXPRESSIONS: Final = ("neutral", "happiness")
FOUND: Final = 0.3
"""Intersection over union with the label's turned box from which the face counts as found."""

Pixels = npt.NDArray[np.uint8]
Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Way:
    """One way from a picture to a crop."""

    name: str
    detector: FaceDetector
    aligned: bool


@dataclass(frozen=True, slots=True, eq=False)
class Turned:
    """A portrait in context."""

    pixels: Pixels
    face: Box


def read(path: Path, split: str, limit: int) -> Rows:
    """Portraits of one face with one of the two labels, in a fixed random order."""
    columns = ["image", "boxes", "person", "name", "expression"]
    rows = [
        row
        for row in parquet.read_table(path, columns=columns).to_pylist()
        if row["expression"] in EXPRESSIONS
        and len(row["boxes"]) == 1
        and (split == "all" or part_of(name=row["name"], person=row["person"]) is Part(split))
    ]
    order = np.random.default_rng(0).permutation(len(rows))[:limit]
    return [rows[index] for index in order]


def turned(row: dict[str, Any], degrees: float) -> Turned:
    """Pad a portrait with its blurred self, and turn it."""
    portrait = np.asarray(cv2.imdecode(np.frombuffer(row["image"], np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)
    height, width = portrait.shape[:2]
    border_x, border_y = round(PADDING * width), round(PADDING * height)
    big = (width + 2 * border_x, height + 2 * border_y)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    matrix[:, 2] += border_x, border_y
    ground = cv2.GaussianBlur(cv2.resize(portrait, big), (0, 0), 25)
    mask = cv2.warpAffine(np.full((height, width), 255, np.uint8), matrix, big)[..., None] > 127
    pixels = np.where(mask, cv2.warpAffine(portrait, matrix, big), ground)
    x, y, across, down = row["boxes"][0]
    centre = matrix[:, :2] @ (x + across / 2, y + down / 2) + matrix[:, 2]
    face = Box(float(centre[0]) - across / 2, float(centre[1]) - down / 2, across, down)
    return Turned(np.asarray(pixels, np.uint8), face)


def crop(way: Way, picture: Turned) -> tuple[Pixels, bool]:
    """The face as the network will see it, and whether it was found."""
    (found,) = way.detector.detect([picture.pixels])
    sure = [face for face in found if face.score >= way.detector.threshold]
    best = max(sure, key=lambda face: face.box.area, default=None)
    if best is None:
        height, width = picture.pixels.shape[:2]
        return crop_face(picture.pixels, Detection(Box(0, 0, width, height), 0.0), margin=0.0), False
    chosen = best if way.aligned else replace(best, landmarks=())
    return crop_face(picture.pixels, chosen, margin=way.detector.margin), best.box.iou(picture.face) >= FOUND


def area_under_curve(scores: npt.NDArray[np.float64], positive: npt.NDArray[np.bool_]) -> float:
    """The probability that a positive is scored above a negative (Mann-Whitney)."""
    high, low = scores[positive], scores[~positive]
    return float(np.mean((high[:, None] > low) + 0.5 * (high[:, None] == low)))


def measure(
    way: Way, pictures: Sequence[Turned], positive: npt.NDArray[np.bool_], network: ExpressionNetwork
) -> tuple[float, float]:
    """Area under the curve, and the share that was found."""
    crops, found = zip(*(crop(way, picture) for picture in pictures), strict=True)
    rows = np.log(network.classify(np.stack(crops)).astype(np.float64) + 1e-9)
    odds = rows[:, network.labels.index("happy")] - rows[:, network.labels.index("neutral")]
    return area_under_curve(odds, positive), float(np.mean(found))


def main() -> None:
    """Measure every way at every angle."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("portraits", type=Path)
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--angle", type=float, action="append", help="degrees (default 0, 15, -15, 30, -30)")
    parser.add_argument("--split", choices=("training", "validation", "all"), default="validation")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rows = read(options.portraits, options.split, options.limit)
    positive = np.array([row["expression"] == "happiness" for row in rows])
    network = ExpressionNetwork.load(EXPRESSION_MANIFEST, backend=BackendName.JAX)
    haar, own = (build_detector(FaceSettings(detector=name)) for name in (DetectorName.HAAR, DetectorName.MIEN))
    ways = [Way("Haar", haar, False), Way("mien's", own, False), Way("mien's, aligned", own, True)]
    table = Table("degrees", *(way.name for way in ways))
    figures = []
    for angle in options.angle or [0.0, 15.0, -15.0, 30.0, -30.0]:
        pictures = [turned(row, angle) for row in rows]
        judged = [measure(way, pictures, positive, network) for way in ways]
        table.add_row(f"{angle:g}", *(f"{area:.4f} (found {found:.1%})" for area, found in judged))
        figures += [
            {"degrees": angle, "way": way.name, "auc": area, "found": found}
            for way, (area, found) in zip(ways, judged, strict=True)
        ]
    Console().print(f"{len(rows)} portraits, {int(positive.sum())} of them happy", highlight=False)
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
