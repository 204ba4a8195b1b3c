"""What the tests of training have in common: engines by name, and made-up pictures for the detector's training."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from mien_face.detection.config import DetectorConfig
from mien_face_lab.training.detector.compose import Composer
from mien_face_lab.training.detector.pictures import Picture, Pictures
from mien_face_lab.training.detector.recipe import Recipe
from mien_face_lab.training.detector.targets import Batch, collect
from mien_face_lab.training.engines import EngineName

ENGINES = tuple(EngineName)

CONFIG = DetectorConfig(stem=4, widths=(4, 8, 8), depths=(0, 1, 1), bottleneck=4, heads=(4, 4, 8))
RECIPE = Recipe(epochs=2, steps=2, batch_size=4, side=64, warm_up=1)
POINTS = np.array([[14, 16], [26, 16], [20, 22], [15, 28], [25, 28]], np.float32)
BOX = np.array([8, 6, 32, 36], np.float32)


def drawn(seed: int, *, side: int = 96) -> npt.NDArray[np.uint8]:
    """A picture whose every part differs."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def encoded(pixels: npt.NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


def picture(name: str, *, faces: int = 0, seed: int = 0) -> Picture:
    shifts = [np.array([40 * (face % 2), 40 * (face // 2)], np.float32) for face in range(faces)]
    return Picture(
        name=name,
        encoded=encoded(drawn(seed)),
        boxes=np.array([BOX + np.tile(shift, 2) for shift in shifts], np.float32).reshape(-1, 4),
        landmarks=np.array([POINTS + shift for shift in shifts], np.float32).reshape(-1, 5, 2),
        ignored=np.empty((0, 4), np.float32),
    )


def made_up() -> Pictures:
    return Pictures(
        portraits=(picture("portrait", faces=1, seed=1),),
        people=(picture("two", faces=2, seed=2), picture("nobody", seed=3)),
        scenes=(picture("scene", seed=4),),
    )


def first_batch(count: int = 4) -> Batch:
    composer = Composer(made_up(), side=64)
    return collect(
        CONFIG, [canvas for each in np.random.default_rng(0).spawn(count) for canvas in composer.compose(each)]
    )


def made_engine(package: str, name: EngineName, config: object, recipe: object) -> Iterator[Any]:
    """The engine of this name of a package that trains, closed afterwards; skips without its library."""
    pytest.importorskip({"jax": "optax", "torch": "torch"}[name])
    made = getattr(import_module(f"{package}.{name}_engine"), f"{name.capitalize()}Engine")(config, recipe)
    yield made
    made.close()
