"""How long the face pipeline takes: each stage, faces a second, the first answer of a fresh process, and its memory.

    python benchmarks/face_pipeline.py [--repeats N] [--backend NAME] [--json FILE]

The pictures are made from scikit-image's portrait. Figures are medians and 95th percentiles of wall-clock time on the
machine as it is, which the first line describes; beside them stands the median of the CPU time of all threads, which
other programs disturb less. Nothing here fails for being slow, and nothing of it is a test.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import psutil
import skimage.data
from rich.console import Console
from rich.table import Table

from mien import ImageFrame
from mien.media.images import decode_image
from mien_face.backends.names import BackendName

WIDTH: Final = 640
HEIGHT: Final = 480
BATCHES: Final = (1, 4, 16)
STARTS: Final = 5
"""Fresh processes that are timed."""

Pixels = npt.NDArray[np.uint8]
Row = dict[str, Any]


def compose(faces: int) -> Pixels:
    """A picture of 640 x 480 with one or four faces, 100 to 140 pixels wide."""
    portrait = np.asarray(skimage.data.astronaut(), np.uint8)
    if faces == 1:
        return np.asarray(cv2.resize(portrait, (WIDTH, WIDTH))[:HEIGHT], np.uint8)
    head = cv2.resize(portrait[0:230, 70:377], (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    return np.tile(np.asarray(head, np.uint8), (2, 2, 1))


def encoded(pixels: Pixels) -> bytes:
    """The picture as JPEG."""
    done, content = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    return content.tobytes()


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of each call: on the clock, and of CPU over all threads."""

    wall: list[float]
    cpu: list[float]


def timed(action: Callable[[], object], repeats: int) -> Times:
    """Time some calls, after two that do not count."""
    action(), action()
    times = Times([], [])
    for _ in range(repeats):
        start, busy = time.perf_counter(), time.process_time()
        action()
        times.wall.append((time.perf_counter() - start) * 1e3)
        times.cpu.append((time.process_time() - busy) * 1e3)
    return times


def summary(name: str, values: list[float], unit: str, *, aim: str = "", cpu: list[float] | None = None) -> Row:
    """One row: the median, the worse tail (95 %; of a rate, 5 %), and the median CPU time where it was taken."""
    tail = np.percentile(values, 5 if unit.endswith("/s") else 95)
    busy = float(np.median(cpu)) if cpu else None
    return {
        "name": name,
        "median": float(np.median(values)),
        "p95": float(tail),
        "unit": unit,
        "cpu_ms": busy,
        "aim": aim,
    }


def rates(name: str, batch: int, times: Times) -> Row:
    """One row of faces a second."""
    return summary(name, [batch * 1e3 / ms for ms in times.wall], "faces/s", cpu=times.cpu)


def stages(faces: int, repeats: int, backend: BackendName) -> list[Row]:
    """Decode, detect, preprocess, classify, and all of them as the analyzer does it; by the large network as well."""
    from mien_face.crop import crop_face
    from mien_face.factory import build_analyzer, build_detector, build_network
    from mien_face.preprocess import normalise
    from mien_face.quality import assess
    from mien_face.settings import FaceSettings, WeightsName

    settings = FaceSettings(backend=backend)
    by_large = settings.model_copy(update={"weights": WeightsName.LARGE})
    detector = build_detector(settings)
    (network, large), (analyzer, large_analyzer) = (
        [build(each) for each in (settings, by_large)] for build in (build_network, build_analyzer)
    )
    for each in (network, large, analyzer, large_analyzer):
        each.warm_up()
    picture = encoded(compose(faces))
    pixels = decode_image(picture).pixels
    (found,) = detector.detect([pixels])
    assert len(found) == faces, f"expected {faces} faces, the detector found {len(found)}"

    def preprocess() -> npt.NDArray[np.uint8]:
        crops = [crop_face(pixels, face, margin=detector.margin) for face in found]
        for crop, face in zip(crops, found, strict=True):
            assess(crop, face.box, width=WIDTH, height=HEIGHT, settings=settings.quality)
        return np.stack(crops)

    crops = preprocess()
    label = f"{faces} face{'s' if faces > 1 else ''}"
    whole = "10" if backend is BackendName.JAX else "8"
    aims = {"classify": "3", "whole": whole} if faces == 1 else {}
    actions: dict[str, Callable[[], object]] = {
        "decode": lambda: decode_image(picture),
        "detect": lambda: detector.detect([pixels]),
        "preprocess": lambda: normalise(preprocess()),
        "classify": lambda: network.classify(crops),
        "whole": lambda: analyzer.analyze([decode_image(picture)]),
        "classify by large": lambda: large.classify(crops),
        "whole by large": lambda: large_analyzer.analyze([decode_image(picture)]),
    }
    rows = []
    for name, action in actions.items():
        times = timed(action, repeats)
        rows.append(summary(f"{name}, {label}", times.wall, "ms", aim=aims.get(name, ""), cpu=times.cpu))
    return rows


def throughput(repeats: int, backend: BackendName) -> list[Row]:
    """Faces a second through the network alone, and pictures a second through the analyzer, by batch."""
    from mien_face.factory import EXPRESSION_MANIFEST, build_analyzer
    from mien_face.inference import ExpressionNetwork
    from mien_face.settings import FaceSettings

    network = ExpressionNetwork.load(EXPRESSION_MANIFEST, backend=backend)
    analyzer = build_analyzer(FaceSettings(backend=backend))
    network.warm_up()
    analyzer.warm_up()
    frame = ImageFrame(compose(1))
    crops = np.random.default_rng(0).integers(0, 256, (max(BATCHES), 48, 48), dtype=np.uint8)
    rows = []
    for batch in BATCHES:
        times = timed(lambda batch=batch: network.classify(crops[:batch]), repeats)  # type: ignore[misc]
        rows.append(rates(f"classified, batch {batch}", batch, times))
    for batch in BATCHES:
        times = timed(lambda batch=batch: analyzer.analyze([frame] * batch), max(3, repeats // batch))  # type: ignore[misc]
        rows.append(rates(f"detected and classified, batch {batch}", batch, times))
    return rows


def starts(backend: BackendName) -> list[Row]:
    """First answer and memory of fresh processes, with the plugins discovered as the service does it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.jpg"
        path.write_bytes(encoded(compose(1)))
        told = []
        for _ in range(STARTS):
            began = time.time()
            command = [sys.executable, __file__, "--first-answer", str(path), "--backend", str(backend)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            told.append({**json.loads(done.stdout), "began": began})
    return [
        summary(
            "first answer after process start",
            [(one["answered"] - one["began"]) * 1e3 for one in told],
            "ms",
            aim="4000",
        ),
        summary("all batch sizes compiled", [(one["warm"] - one["began"]) * 1e3 for one in told], "ms"),
        summary("resident memory after warm-up", [one["resident"] for one in told], "MB", aim="450"),
    ]


def first_answer(path: Path, backend: BackendName) -> None:
    """What the fresh process does: answer once, warm up, and say when and with how much memory."""
    from mien.config import Settings
    from mien.plugins.host import PluginHost

    host = PluginHost.discover(Settings(plugins={"face": {"backend": backend}}))
    analyzer = host.analyzer("face")
    (faces,) = analyzer.analyze([decode_image(path.read_bytes())])
    answered = time.time()
    assert len(faces) == 1
    analyzer.warm_up()
    warm = time.time()
    analyzer.analyze([decode_image(path.read_bytes())])
    resident = psutil.Process().memory_info().rss / 1e6
    print(json.dumps({"answered": answered, "warm": warm, "resident": resident}))
    host.close()


def describe_machine() -> dict[str, Any]:
    """What the figures were taken on, and how busy it was."""
    return {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "opencv": cv2.__version__,
        "opencv_threads": cv2.getNumThreads(),
        "load_average": os.getloadavg()[0],
    }


def show(machine: dict[str, Any], rows: list[Row]) -> None:
    """Print the table."""
    console = Console()
    console.print(", ".join(f"{key} {value}" for key, value in machine.items()), highlight=False)
    table = Table("", "median", "p95", "unit", "CPU ms", "aim")
    for column in table.columns[1:3]:
        column.justify = "right"
    for row in rows:
        busy = "" if row["cpu_ms"] is None else f"{row['cpu_ms']:.1f}"
        table.add_row(row["name"], f"{row['median']:.1f}", f"{row['p95']:.1f}", row["unit"], busy, row["aim"])
    console.print(table)


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=50, help="calls of each stage that count (default 50)")
    parser.add_argument("--threads", type=int, default=0, help="OpenCV's threads (default: OpenCV's choice)")
    parser.add_argument("--backend", type=BackendName, default=BackendName.AUTO, choices=list(BackendName))
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--first-answer", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first_answer:
        first_answer(options.first_answer, options.backend)
        return
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")
    if options.threads > 0:
        cv2.setNumThreads(options.threads)
    machine = describe_machine()
    repeats, backend = options.repeats, options.backend
    rows = [*stages(1, repeats, backend), *stages(4, repeats, backend), *throughput(repeats, backend), *starts(backend)]
    show(machine, rows)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "figures": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
