"""How long the face detectors take on a 640 x 480 frame: side by side in one run, on one thread and on two.

    python benchmarks/face_detection.py [--yunet ONNX] [--repeats N] [--json FILE]

Every detector gets whole frames and reduces them itself, so that all that a frame costs is counted, and runs at its own
size of search (longer side of the reduced frame) and, to compare, at others. What they find at those sizes is told by
``mien evaluate detector --search-side``. A process for each number of threads is bound to as many cores; in it the
detectors take turns, so that all see the same load. Nothing of it is a test.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

WIDTH: Final = 640
HEIGHT: Final = 480
BATCHES: Final = (1, 8)
THREADS: Final = (1, 2)
SIDES: Final[dict[str, tuple[int | None, ...]]] = {
    "haar": (None, 320, 640),
    "yunet": (None, 320, 640),
    "mien": (None, 480, 640),
}
"""Sizes of search to measure; none stands for the detector's own."""


def measure(threads: int, yunet: Path | None, repeats: int) -> list[dict[str, Any]]:
    """Milliseconds a frame of every detector, in this process, on so many threads."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])  # before JAX counts the cores
    import cv2
    import numpy as np
    import skimage.data

    from mien import DetectorSettings
    from mien_face.detection.haar import SEARCH_SIDE as HAAR_SIDE
    from mien_face.factory import build_detector
    from mien_face.settings import FaceSettings

    cv2.setNumThreads(threads)
    portrait = np.asarray(skimage.data.astronaut(), np.uint8)
    frame = np.asarray(cv2.resize(portrait, (WIDTH, WIDTH))[:HEIGHT], np.uint8)
    actions: dict[tuple[str, int, int], Callable[[], object]] = {}
    for name, sides in SIDES.items():
        if name == "yunet" and yunet is None:
            continue
        for side in sides:
            if name == "yunet":
                from mien_yunet.detector import SEARCH_SIDE, YuNetDetector  # of examples/plugins/mien-yunet

                own, detector = SEARCH_SIDE, YuNetDetector(yunet, DetectorSettings(search_side=side))
            else:
                own = HAAR_SIDE if name == "haar" else _own_side()
                detector = build_detector(FaceSettings(detector=name, search_side=side))
            for batch in BATCHES:
                frames = [frame] * batch
                actions[name, side or own, batch] = lambda detector=detector, frames=frames: detector.detect(frames)  # type: ignore[misc]
    for action in actions.values():
        action(), action()
    taken: dict[tuple[str, int, int], list[tuple[float, float]]] = {key: [] for key in actions}
    for _ in range(repeats):
        for key, action in actions.items():
            start, busy = time.perf_counter(), time.process_time()
            action()
            spent = time.perf_counter() - start, time.process_time() - busy
            taken[key].append((spent[0] * 1e3 / key[2], spent[1] * 1e3 / key[2]))
    return [
        {
            "detector": name,
            "side": side,
            "batch": batch,
            "threads": threads,
            "ms": float(np.median([wall for wall, _ in times])),
            "ms_best": float(min(wall for wall, _ in times)),
            "cpu_ms": float(np.median([cpu for _, cpu in times])),
        }
        for (name, side, batch), times in taken.items()
    ]


def _own_side() -> int:
    from mien_face.detection.inference import DetectionNetwork
    from mien_face.factory import DETECTOR_MANIFEST

    return DetectionNetwork.load(DETECTOR_MANIFEST).config.long_side


def main() -> None:
    """Measure in a process for each number of threads, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--yunet", type=Path, help="YuNet's ONNX file, to measure it too")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)  # set in the processes that this one starts
    options = parser.parse_args()
    if options.threads:
        print(json.dumps(measure(options.threads, options.yunet, options.repeats)))
        return
    from rich.console import Console
    from rich.table import Table

    command = [sys.executable, __file__, "--repeats", str(options.repeats)]
    command += ["--yunet", str(options.yunet)] if options.yunet else []
    rows: list[dict[str, Any]] = []
    for threads in THREADS:
        done = subprocess.run([*command, "--threads", str(threads)], stdout=subprocess.PIPE, text=True, check=True)
        rows += json.loads(done.stdout)
    table = Table("detector", "searched", "batch", "threads", "ms a frame", "best", "CPU ms")
    for row in sorted(rows, key=lambda row: (row["threads"], row["batch"], row["detector"], row["side"])):
        times = [f"{row[key]:.1f}" for key in ("ms", "ms_best", "cpu_ms")]
        table.add_row(row["detector"], str(row["side"]), str(row["batch"]), str(row["threads"]), *times)
    console = Console()
    console.print(
        f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, frames of {WIDTH} x {HEIGHT}", highlight=False
    )
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
