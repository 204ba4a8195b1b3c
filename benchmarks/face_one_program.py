"""One compiled program from frame to expression, against the separate steps that the plugin takes.

    python benchmarks/face_one_program.py [--repeats N] [--picture FILE ...] [--json FILE]

The program: reduce the frame by area averaging, run the detector, choose candidates and suppress overlapping ones, turn
and cut out up to ``FACES`` faces a frame by their landmarks, and classify as many of them as there are (rounded up to a
compiled batch size, with ``lax.switch``); only probabilities leave it. The separate steps: OpenCV reduces and cuts out,
and two compiled programs detect and classify. Both take 640 x 480 frames. Printed are milliseconds a frame by turns in
one run, and how far the answers agree.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import skimage.data
from rich.console import Console
from rich.table import Table

from mien import load_weights
from mien_face.backends.names import BackendName
from mien_face.config import Arrays, NetworkConfig
from mien_face.crop import ALIGNED_SIDE, CROP_SIDE, MOUTH_SPAN, crop_face
from mien_face.detection.forward import forward as detect
from mien_face.detection.inference import CANDIDATES, DetectionNetwork
from mien_face.detection.nms import candidates
from mien_face.detection.own import OwnDetector
from mien_face.factory import DETECTOR_MANIFEST, EXPRESSION_MANIFEST
from mien_face.forward import forward as classify
from mien_face.forward import prepare
from mien_face.inference import Calibration, ExpressionNetwork, combine
from mien_face.labels import FER2013_LABELS, FERPLUS_LABELS
from mien_face.preprocess import MIN_CONTRAST

WIDTH: Final = 640
HEIGHT: Final = 480
REDUCTION: Final = 2
FACES: Final = 8
"""Faces a frame that the program has room for."""
SAMPLES: Final = 3
"""Points across and down that are averaged for each pixel of a crop."""
BATCHES: Final = (1, 4, 8)

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def grid() -> Floats:
    """Sample points of an aligned square, ``[points, 2]``, in sides of the square from its centre."""
    fine = (np.arange(CROP_SIDE * SAMPLES, dtype=np.float32) + 0.5) / (CROP_SIDE * SAMPLES) - 0.5
    across, down = np.meshgrid(fine, fine)
    return np.stack([across.ravel(), down.ravel()], axis=1)


def crops_of(frame: jax.Array, landmarks: jax.Array) -> jax.Array:
    """Aligned grey squares of a frame ``[h, w, 3]`` (uint8) by landmarks ``[k, 5, 2]``: ``[k, 48, 48]``."""
    eyes, mouth = landmarks[:, :2].mean(axis=1), landmarks[:, 3:].mean(axis=1)  # [k, 2]
    across, down = landmarks[:, 1] - landmarks[:, 0], mouth - eyes
    unit = jnp.maximum(jnp.linalg.norm(across, axis=1), jnp.linalg.norm(down, axis=1) / MOUTH_SPAN)
    level = across + jnp.stack([down[:, 1], -down[:, 0]], axis=1)
    level /= jnp.maximum(jnp.linalg.norm(level, axis=1, keepdims=True), 1e-6)
    turn = jnp.stack([level, jnp.stack([-level[:, 1], level[:, 0]], axis=1)], axis=1)  # [k, (across, down), 2]
    points = (jnp.asarray(grid()) @ turn) * (ALIGNED_SIDE * unit)[:, None, None] + ((eyes + mouth) / 2)[:, None]
    columns = jnp.clip(points[..., 0].astype(jnp.int32), 0, frame.shape[1] - 1)  # [k, points]
    rows = jnp.clip(points[..., 1].astype(jnp.int32), 0, frame.shape[0] - 1)
    grey = frame[rows, columns].astype(jnp.float32) @ jnp.array([0.299, 0.587, 0.114], jnp.float32)  # [k, points]
    fine = grey.reshape(-1, CROP_SIDE, SAMPLES, CROP_SIDE, SAMPLES)
    return jnp.round(fine.mean(axis=(2, 4)))


def normalised(crops: jax.Array) -> jax.Array:
    """As ``mien_face.preprocess.normalise``."""
    mean, deviation = crops.mean(axis=(1, 2), keepdims=True), crops.std(axis=(1, 2), keepdims=True)
    return ((crops - mean) / jnp.maximum(deviation, MIN_CONTRAST))[..., None]


class OneProgram:
    """Frames ``[n, 480, 640, 3]`` in; validity and logits of up to ``FACES`` faces each out."""

    def __init__(self, detector: DetectionNetwork, network: NetworkConfig, arrays: Arrays, found: Arrays) -> None:
        self._config, self._threshold = detector.config, detector.threshold
        self._overlap = float(detector.manifest.calibration["overlap"])
        self._network, self._arrays = network, jax.device_put((found, arrays))
        self._compiled: dict[int, Any] = {}

    def run(self, frames: Pixels) -> tuple[npt.NDArray[np.bool_], Floats, Floats]:
        """Which places hold a face ``[n, FACES]``, boxes ``[n, FACES, 4]``, logits ``[n, FACES, 15]``."""
        count = len(frames)
        if count not in self._compiled:
            self._compiled[count] = jax.jit(self._program).lower(*self._arrays, frames).compile()
        valid, boxes, logits = self._compiled[count](*self._arrays, frames)
        return np.asarray(valid), np.asarray(boxes), np.asarray(logits)

    def _program(self, detector: Arrays, expression: Arrays, frames: jax.Array) -> tuple[jax.Array, ...]:
        count = frames.shape[0]
        pixels = frames.astype(jnp.float32)
        halves = pixels.reshape(count, HEIGHT // REDUCTION, REDUCTION, WIDTH // REDUCTION, REDUCTION, 3)
        answers = detect(self._config, detector, jnp.round(halves.mean(axis=(2, 4))))  # type: ignore[arg-type]
        found = candidates(answers, count=CANDIDATES, overlap=self._overlap, min_score=self._threshold)
        areas = jnp.prod(found.boxes[..., 2:] - found.boxes[..., :2], axis=-1)
        _, places = jax.lax.top_k(jnp.where(found.kept, areas, -1.0), FACES)  # [n, FACES]: the largest faces
        valid = jnp.take_along_axis(found.kept, places, axis=1)
        boxes = jnp.take_along_axis(found.boxes, places[..., None], axis=1) * REDUCTION
        landmarks = jnp.take_along_axis(found.landmarks, places[..., None, None], axis=1) * REDUCTION
        order = jnp.argsort(~valid.reshape(-1), stable=True)  # faces first, whichever frame they are on
        sizes = [size for size in (1, 2, 4, 8, 16) if size <= count * FACES]

        def judge(size: int) -> Callable[[], jax.Array]:
            def branch() -> jax.Array:
                chosen = order[:size]
                points = landmarks.reshape(-1, 5, 2)[chosen]
                crops = jax.vmap(lambda frame, one: crops_of(frame, one[None])[0])(frames[chosen // FACES], points)
                logits = classify(self._network, expression, normalised(crops))  # type: ignore[arg-type]
                rows = jnp.zeros((count * FACES, logits.shape[1]), jnp.float32)
                return rows.at[chosen].set(logits)

            return branch

        def nobody() -> jax.Array:
            return jnp.zeros((count * FACES, len(FER2013_LABELS) + len(FERPLUS_LABELS)), jnp.float32)

        which = jnp.searchsorted(jnp.array([0, *sizes]), valid.sum())
        logits = jax.lax.switch(jnp.minimum(which, len(sizes)), [nobody, *(judge(size) for size in sizes)])
        return valid, boxes, logits.reshape(count, FACES, -1)


def separately(detector: OwnDetector, network: ExpressionNetwork, frames: Sequence[Pixels]) -> list[Floats]:
    """The plugin's own steps but for what both ways would do after them: probabilities by frame, largest face first."""
    found = [sorted(faces, key=lambda face: -face.box.area)[:FACES] for faces in detector.detect(frames)]
    crops = [
        crop_face(frame, face, margin=detector.margin)
        for frame, faces in zip(frames, found, strict=True)
        for face in faces
    ]
    if not crops:
        return [np.zeros((0, len(FER2013_LABELS)), np.float32) for _ in frames]
    rows = network.classify(np.stack(crops))
    return np.split(rows, np.cumsum([len(faces) for faces in found])[:-1])


def example_frames(paths: Sequence[Path]) -> dict[str, Pixels]:
    """Frames to time by: without a face, with one and with four; and those that were named."""
    portrait = np.asarray(skimage.data.astronaut(), np.uint8)
    head = cv2.resize(portrait[0:230, 70:377], (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    frames = {
        "no face": np.full((HEIGHT, WIDTH, 3), 120, np.uint8),
        "1 face": np.asarray(cv2.resize(portrait, (WIDTH, WIDTH))[:HEIGHT], np.uint8),
        "4 faces": np.tile(np.asarray(head, np.uint8), (2, 2, 1)),
    }
    for path in paths:
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if picture is None:
            raise SystemExit(f"cannot read {path}")
        frames[path.name] = np.asarray(cv2.resize(picture, (WIDTH, HEIGHT)), np.uint8)
    return frames


def timed_by_turns(actions: dict[str, Callable[[], object]], repeats: int) -> dict[str, tuple[float, float]]:
    """Median milliseconds on the clock and of CPU for each action, taken by turns so that both see the same load."""
    for action in actions.values():
        action(), action()
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in actions}
    for _ in range(repeats):
        for name, action in actions.items():
            start, busy = time.perf_counter(), time.process_time()
            action()
            taken[name].append(((time.perf_counter() - start) * 1e3, (time.process_time() - busy) * 1e3))
    return {name: tuple(np.median(values, axis=0).tolist()) for name, values in taken.items()}  # type: ignore[misc]


def main() -> None:
    """Measure both ways."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--picture", type=Path, action="append", default=[], help="another picture to compare on")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    detection = DetectionNetwork.load(DETECTOR_MANIFEST)
    expression = ExpressionNetwork.load(EXPRESSION_MANIFEST, backend=BackendName.JAX)
    detector = OwnDetector(detection, search_side=WIDTH // REDUCTION, min_face_pixels=1, min_face_fraction=0.0)
    manifest, arrays = load_weights(EXPRESSION_MANIFEST)
    _, found = load_weights(DETECTOR_MANIFEST)
    as_float = [{name: array.astype(np.float32) for name, array in each.items()} for each in (arrays, found)]
    network = NetworkConfig.from_json(manifest.config)
    program = OneProgram(detection, network, prepare(network, as_float[0]), as_float[1])
    calibration = Calibration.from_json(manifest.calibration)
    frames = example_frames(options.picture)
    table = Table(
        "frames",
        "batch",
        "one program: ms a frame",
        "CPU",
        "separate: ms a frame",
        "CPU",
        "same faces",
        "largest difference",
    )
    figures = []
    for name, frame in frames.items():
        for batch in BATCHES:
            stacked = np.stack([frame] * batch)
            valid, _, logits = program.run(stacked)
            together = combine(logits[0][valid[0]], calibration).combined
            apart = separately(detector, expression, list(stacked))[0]
            same = together.shape == apart.shape
            difference = float(np.abs(together - apart).max(initial=0.0)) if same else float("nan")
            times = timed_by_turns(
                {
                    "one": lambda stacked=stacked: program.run(stacked),  # type: ignore[misc]
                    "separate": lambda stacked=stacked: separately(detector, expression, list(stacked)),  # type: ignore[misc]
                },
                options.repeats,
            )
            cells = [f"{value / batch:.2f}" for key in ("one", "separate") for value in times[key]]
            table.add_row(name, str(batch), *cells, "yes" if same else "no", f"{difference:.3f}")
            figures.append({"frames": name, "batch": batch, "ms": times, "same_faces": same, "difference": difference})
    Console().print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}", highlight=False)
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
