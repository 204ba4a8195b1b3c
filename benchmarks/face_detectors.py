"""How many faces the detectors find, what they take for a face that is none, and how long they take.

    python benchmarks/face_detectors.py FOLDER [--yunet ONNX] [--side 200 --side 320] [--limit 300]

FOLDER holds ``*.parquet`` files with the columns ``image`` (encoded), ``boxes`` ([x, y, width, height] a face, pixels)
and ``uncertain_boxes``. Only faces of at least 30 pixels and 13 % of the shorter side count. Nothing of it is a test.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from mien import Box
from mien_face.detection.base import Detector
from mien_face.factory import build_detector
from mien_face.settings import SEARCH_SIDE, DetectorName, FaceSettings

MIN_FACE_PIXELS: Final = 30
MIN_FACE_SHARE: Final = 0.13
NEAR: Final = 0.4
"""A detection hits a face where their centres are nearer than this share of the face's longer side."""


def hits(found: Box, face: Box) -> bool:
    """Whether a detection means this face; boxes of different detectors differ in shape, so overlap is not asked."""
    side = max(face.width, face.height)
    across = found.x + found.width / 2 - face.x - face.width / 2
    down = found.y + found.height / 2 - face.y - face.height / 2
    return math.hypot(across, down) < NEAR * side and 0.5 < max(found.width, found.height) / side < 2.0


def boxes(rows: Any) -> list[Box]:
    """Boxes of a column that may be empty."""
    return [Box(*map(float, row)) for row in (rows or [])]


def measure(path: Path, detector: Detector, limit: int) -> tuple[int, int, int, int, float]:
    """Pictures, faces that count, those found, false alarms, and CPU milliseconds a picture."""
    rows = pq.read_table(path, columns=["image", "boxes", "uncertain_boxes"]).to_pylist()
    chosen = np.random.default_rng(0).permutation(len(rows))[:limit]
    faces = found = false = 0
    busy = 0.0
    for index in chosen:
        picture = cv2.imdecode(np.frombuffer(rows[index]["image"], np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise SystemExit(f"{path}: row {index} holds no picture that OpenCV can decode")
        pixels = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
        start = time.process_time()
        seen = [face.box for face in detector.detect(pixels)]
        busy += time.process_time() - start
        true = boxes(rows[index]["boxes"])
        least = max(MIN_FACE_PIXELS, MIN_FACE_SHARE * min(pixels.shape[:2]))
        large = [face for face in true if face.height >= least]
        faces += len(large)
        found += sum(any(hits(box, face) for box in seen) for face in large)
        known = true + boxes(rows[index]["uncertain_boxes"])
        false += sum(not any(hits(box, face) for face in known) for box in seen)
    return len(chosen), faces, found, false, busy / max(len(chosen), 1) * 1e3


def main() -> None:
    """Measure every detector on every file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--yunet", type=Path, help="YuNet's ONNX file, to measure it too")
    parser.add_argument("--side", type=int, action="append", help="longer side of the searched picture, pixels")
    parser.add_argument("--limit", type=int, default=300, help="pictures of each file (default 300)")
    options = parser.parse_args()
    paths = sorted(options.folder.glob("*.parquet"))
    if not paths:
        parser.error(f"there is no *.parquet file in {options.folder}")
    cv2.setNumThreads(1)
    names = [DetectorName.HAAR] + ([DetectorName.YUNET] if options.yunet else [])
    table = Table("detector", "side", "pictures of", "faces", "recall", "false alarms a picture", "CPU ms")
    for name in names:
        for side in options.side or [SEARCH_SIDE[name]]:
            settings = FaceSettings(detector=name, yunet_path=options.yunet, search_side=side, min_face_pixels=20)
            detector = build_detector(settings)
            for path in paths:
                pictures, faces, found, false, busy = measure(path, detector, options.limit)
                recall = f"{found / faces:.3f}" if faces else "-"
                table.add_row(
                    name, str(side), path.stem, str(faces), recall, f"{false / max(pictures, 1):.3f}", f"{busy:.1f}"
                )
    Console().print(table)


if __name__ == "__main__":
    main()
