"""How fast each backend runs the expression network, how soon it answers in a fresh process, and with how much memory.

    python benchmarks/face_network.py [--rounds N] [--json FILE|-] [--faces PARQUET]

All installed backends are timed in one process, in turns, on both networks that ship, the small and the large one. A
block of calls follows a pause and two calls that do not count, so that one runtime's idle threads do not slow the next.
Figures are milliseconds a face: the median, the 95th percentile and the least of the wall-clock
time, and the median CPU time of all threads, which other programs disturb less; on a busy machine the least is nearest
to what the machine can do. Nothing here fails for being slow, and nothing of it is a test.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from mien import ExecutionBackend, Precision
from mien_face.backends.base import BUCKETS
from mien_face.backends.choice import build_backend
from mien_face.backends.names import BackendName
from mien_face.config import INPUT_SIZE, Arrays, NetworkConfig
from mien_face.factory import EXPRESSION_MANIFEST, SHIPPED
from mien_face.inference import ExpressionNetwork, load_folded

BATCHES: Final = (1, 4, 16)
CALLS: Final = 5
"""Timed calls of a block."""

PAUSE: Final = 0.02
"""Seconds before a block: longer than any of the runtimes lets idle threads spin."""

STARTS: Final = 3
"""Fresh processes of each backend."""

SAMPLE: Final = 512
"""Random crops on which backends are compared where no faces are given."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contender:
    """A backend in one precision."""

    name: BackendName
    precision: Precision
    label: str


@dataclass(slots=True)
class Times:
    """Milliseconds a face of every timed call."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def contenders() -> list[Contender]:
    """What is installed, JAX first."""
    found = [Contender(BackendName.JAX, Precision.FLOAT32, "jax")]
    if importlib.util.find_spec("onnxruntime"):
        found.append(Contender(BackendName.ONNXRUNTIME, Precision.FLOAT32, "onnxruntime"))
    if importlib.util.find_spec("openvino"):
        from mien_face.backends.openvino_backend import has_bfloat16

        found.append(Contender(BackendName.OPENVINO, Precision.FLOAT32, "openvino"))
        if has_bfloat16():
            found.append(Contender(BackendName.OPENVINO, Precision.AUTO, "openvino bfloat16"))
    return found


def compete(config: NetworkConfig, arrays: Arrays, rounds: int) -> list[Row]:
    """Time all backends on one network, in turns."""
    backends = {
        one.label: build_backend(config, arrays, name=one.name, precision=one.precision) for one in contenders()
    }
    images = np.random.default_rng(1).standard_normal((max(BATCHES), INPUT_SIZE, INPUT_SIZE, 1), np.float32)
    times = {(label, batch): Times() for label in backends for batch in BATCHES}
    for _ in range(rounds):
        for (label, batch), taken in times.items():
            _time_block(backends[label], images[:batch], taken)
    return [
        {
            "backend": label,
            "batch": batch,
            "median_ms": float(np.median(taken.wall)),
            "p95_ms": float(np.percentile(taken.wall, 95)),
            "least_ms": min(taken.wall),
            "cpu_ms": float(np.median(taken.cpu)),
        }
        for (label, batch), taken in times.items()
    ]


def _time_block(backend: ExecutionBackend, images: npt.NDArray[np.float32], times: Times) -> None:
    time.sleep(PAUSE)
    backend.run(images), backend.run(images)
    for _ in range(CALLS):
        start, busy = time.perf_counter(), time.process_time()
        backend.run(images)
        times.wall.append((time.perf_counter() - start) * 1e3 / len(images))
        times.cpu.append((time.process_time() - busy) * 1e3 / len(images))


class RoundedBackend(ExecutionBackend):
    """What bfloat16 does to answers, where no processor computes in it: all that goes from layer to layer is rounded.

    Args:
        config: The network.
        arrays: Its folded arrays.
    """

    precision = "bfloat16"

    def __init__(self, config: NetworkConfig, arrays: Arrays) -> None:
        import jax
        import jax.numpy as jnp

        from mien_face.forward import forward, prepare

        def rounded(values: jax.Array) -> jax.Array:
            return values.astype(jnp.bfloat16).astype(jnp.float32)

        narrow = {name: np.asarray(rounded(jnp.asarray(array))) for name, array in arrays.items()}
        self._arrays = jax.device_put(prepare(config, narrow))
        self._logits = jax.jit(
            lambda known, images: forward(config, known, rounded(images), rectify=lambda x: rounded(jax.nn.relu(x)))
        )

    def run(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Logits of both heads side by side, [n, 7 + 8]."""
        return np.asarray(self._logits(self._arrays, images), np.float32)


def agreement(faces: Path | None) -> list[Row]:
    """How far the other backends' answers are from JAX's, on real faces or on random crops."""
    if faces is None:
        crops = np.random.default_rng(0).integers(0, 256, (SAMPLE, INPUT_SIZE, INPUT_SIZE), np.uint8)
    else:
        from mien_face_lab.training.data import read_faces

        crops = read_faces(faces, part="validation").crops
    expected, *others = (
        (
            one.label,
            ExpressionNetwork.load(EXPRESSION_MANIFEST, backend=one.name, precision=one.precision).classify(crops),
        )
        for one in contenders()
    )
    shipped = load_folded(EXPRESSION_MANIFEST)
    rounded = ExpressionNetwork(RoundedBackend(shipped.config, shipped.arrays), shipped.calibration, shipped.manifest)
    others.append(("jax, rounded to bfloat16", rounded.classify(crops)))
    return [
        {
            "backend": label,
            "crops": len(crops),
            "largest_difference": float(np.abs(found - expected[1]).max()),
            "same_label": float(np.mean(found.argmax(axis=1) == expected[1].argmax(axis=1))),
        }
        for label, found in others
    ]


def starts() -> list[Row]:
    """First answer, time until every batch size is ready, and memory, in fresh processes of each backend, in turns."""
    told: dict[str, list[dict[str, float]]] = {}
    for _ in range(STARTS):
        for one in contenders():
            command = [sys.executable, __file__, "--start", str(one.name), str(one.precision)]
            began = time.time()
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            answer = json.loads(done.stdout)
            answer["answered"] -= began
            answer["ready"] -= began
            told.setdefault(one.label, []).append(answer)
    return [
        {"backend": label, **{key: float(np.median([each[key] for each in answers])) for key in answers[0]}}
        for label, answers in told.items()
    ]


def start(name: BackendName, precision: Precision) -> None:
    """What a fresh process does: answer once, make every batch size ready, and say when and with how much memory."""
    network = ExpressionNetwork.load(EXPRESSION_MANIFEST, backend=name, precision=precision)
    crops = np.random.default_rng(0).integers(0, 256, (BUCKETS[-1], INPUT_SIZE, INPUT_SIZE), np.uint8)
    network.classify(crops[:1])
    answered, answered_cpu = time.time(), time.process_time()
    network.warm_up()
    network.classify(crops)
    told = {
        "answered": answered,
        "answered_cpu": answered_cpu,
        "ready": time.time(),
        "ready_cpu": time.process_time(),
        "peak_mb": peak_megabytes(),
    }
    print(json.dumps(told))


def peak_megabytes() -> float:
    """Most memory that this process has had resident (Linux); ``getrusage`` counts that of its parent as well."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def describe_machine() -> Row:
    """What the figures were taken on, and how busy it was."""
    versions = {name: version(name) for name in ("jax", "onnxruntime", "openvino") if importlib.util.find_spec(name)}
    load = os.getloadavg()[0]
    return {"cpus": os.cpu_count(), "machine": platform.machine(), "load_average": round(load, 1), **versions}


def show(title: str, rows: list[Row]) -> None:
    """Print one table."""
    if not rows:
        return
    table = Table(*rows[0], title=title)
    for row in rows:
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()))
    Console().print(table)


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help=f"blocks of {CALLS} calls (default 20)")
    parser.add_argument("--faces", type=Path, help="compare answers on these faces (FER2013) instead of random crops")
    parser.add_argument("--json", help="also write the figures here; '-' prints only them")
    parser.add_argument("--start", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.start:
        start(BackendName(options.start[0]), Precision(options.start[1]))
        return
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    measurements: dict[str, Callable[[], list[Row]]] = {
        f"{name}, {network.config.operations() / 1e6:.0f} MFLOPs, milliseconds a face": partial(
            compete, network.config, network.arrays, options.rounds
        )
        for name, network in ((name, load_folded(manifest)) for name, manifest in SHIPPED.items())
    }
    measurements |= {
        "fresh processes: seconds, and CPU seconds of all threads": starts,
        "answers held against jax's": lambda: agreement(options.faces),
    }
    report: dict[str, Any] = {"machine": describe_machine(), "tables": {}}
    quiet = options.json == "-"
    if not quiet:
        print(", ".join(f"{key} {value}" for key, value in report["machine"].items()))
    for title, measure in measurements.items():
        report["tables"][title] = measure()
        if not quiet:
            show(title, report["tables"][title])
    text = json.dumps(report, indent=2)
    if quiet:
        print(text)
    elif options.json:
        Path(options.json).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
