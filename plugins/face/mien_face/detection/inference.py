"""Runs the shipped, folded detector on pictures of the sizes that it is compiled for. Needs JAX.

The network, the choice of candidates and non-maximum suppression are one compiled program for each input size and
batch size ("bucket"); a batch is padded up to the next bucket, and one over the largest is split.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from mien import Manifest, WeightsError, load_weights, start_jax
from mien_face.compiled import Programs
from mien_face.detection.config import NETWORK_NAME, DetectorConfig
from mien_face.detection.letterbox import Shape

if TYPE_CHECKING:
    import jax

BUCKETS: Final = (1, 4)
"""Batch sizes that are compiled, ascending."""

CANDIDATES: Final = 128
"""Answers that non-maximum suppression looks at, in the least input: a large face takes about ten of them, a small one
four. Comparing 256 took a millisecond."""

MOST_CANDIDATES: Final = 1024
"""In larger inputs more, in proportion to their cells, up to this."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class FoundFaces:
    """The faces of one picture, best score first, in pixels of the network's input.

    Attributes:
        scores: In [0, 1], ``[faces]``.
        boxes: Left, top, right, bottom, ``[faces, 4]``; may reach over the border.
        landmarks: (x, y), ``[faces, 5, 2]``.
    """

    scores: Floats
    boxes: Floats
    landmarks: Floats


class DetectionNetwork:
    """Finds faces in pictures of fixed sizes. Deterministic, and safe to call from several threads.

    Args:
        config: The network.
        arrays: Its folded arrays, float32.
        manifest: What the weights are.

    Raises:
        WeightsError: The manifest's calibration is incomplete or out of range.
    """

    def __init__(self, config: DetectorConfig, arrays: dict[str, Floats], manifest: Manifest) -> None:
        import jax

        start_jax()
        self._config = config
        self._arrays: dict[str, jax.Array] = jax.device_put(arrays)  # or each call would copy them
        self._manifest = manifest
        self._threshold = _unit(manifest, "threshold")
        self._overlap = _unit(manifest, "overlap")
        self._programs: Programs[tuple[int, Shape], jax.stages.Compiled] = Programs(self._compile)

    @classmethod
    def load(cls, manifest_path: Path) -> DetectionNetwork:
        """Load weights. Nothing is compiled yet.

        Raises:
            WeightsError: They are missing, damaged, or of another network.
        """
        manifest, stored = load_weights(manifest_path)
        if manifest.network != NETWORK_NAME:
            raise WeightsError(
                f"{manifest_path} holds weights of {manifest.network!r}; the face detector needs {NETWORK_NAME!r}"
            )
        try:
            config = DetectorConfig.from_json(manifest.config)
        except ValueError as error:
            raise WeightsError(f"{manifest_path} is not fit for the face detector: {error}") from error
        arrays = {name: array.astype(np.float32) for name, array in stored.items()}
        _check_arrays(config, arrays, manifest_path)
        return cls(config, arrays, manifest)

    @property
    def config(self) -> DetectorConfig:
        """The network's shape, and the size of picture that it is meant for."""
        return self._config

    @property
    def threshold(self) -> float:
        """The score from which an answer is taken for a face, as chosen on validation pictures."""
        return self._threshold

    @property
    def manifest(self) -> Manifest:
        """What the weights are."""
        return self._manifest

    def find(self, images: npt.NDArray[np.uint8], *, min_score: float) -> list[FoundFaces]:
        """Find the faces of some pictures of one size.

        Args:
            images: uint8 RGB ``[n, height, width, 3]``; height and width multiples of ``SIZE_MULTIPLE``.
            min_score: Leave out answers with lower scores.

        Returns:
            One entry a picture.
        """
        largest = BUCKETS[-1]
        parts = [images[start : start + largest] for start in range(0, len(images), largest)]
        return [found for part in parts for found in self._find(part, min_score)]

    def compile(self, count: int, shape: Shape) -> None:
        """Compile for batches of ``count``, a bucket, of an input size, unless that is done."""
        self._programs.get((count, shape))

    def _compile(self, key: tuple[int, Shape]) -> jax.stages.Compiled:
        return _compile(self._config, self._overlap, *key)

    def _find(self, images: npt.NDArray[np.uint8], min_score: float) -> list[FoundFaces]:
        count = len(images)
        bucket = next(size for size in BUCKETS if size >= count)
        if bucket > count:
            images = np.concatenate([images, np.zeros((bucket - count, *images.shape[1:]), np.uint8)])
        height, width = images.shape[1:3]
        run = self._programs.get((bucket, (height, width)))
        scores, boxes, landmarks, kept = (
            np.asarray(each) for each in run(self._arrays, images, np.float32(min_score))
        )  # [n, k, ...]
        return [
            FoundFaces(scores[row][kept[row]], boxes[row][kept[row]], landmarks[row][kept[row]]) for row in range(count)
        ]


@lru_cache(maxsize=16)
def _compile(config: DetectorConfig, overlap: float, count: int, shape: Shape) -> jax.stages.Compiled:
    """Compile for any weights of a network, which are an argument: while one learns, new ones come again and again."""
    import jax

    from mien_face.detection.forward import forward
    from mien_face.detection.nms import Candidates, candidates

    cells = sum(math.prod(grid) for grid in config.grids(*shape))
    least = sum(math.prod(grid) for grid in config.grids(config.long_side, config.long_side))
    kept = min(cells, max(CANDIDATES, min(CANDIDATES * cells // least, MOST_CANDIDATES)))

    def find(arrays: dict[str, jax.Array], images: jax.Array, min_score: jax.Array) -> Candidates:
        return candidates(forward(config, arrays, images), count=kept, overlap=overlap, min_score=min_score)

    arrays = {name: np.zeros(size, np.float32) for name, size in _shapes(config).items()}
    images = np.zeros((count, *shape, 3), np.uint8)
    return jax.jit(find).lower(arrays, images, np.float32(0)).compile()


def _unit(manifest: Manifest, key: str) -> float:
    value = manifest.calibration.get(key)
    if not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise WeightsError(f"the manifest of {manifest.name} needs a calibration.{key} in [0, 1], got {value!r}")
    return float(value)


def _check_arrays(config: DetectorConfig, arrays: dict[str, Floats], path: Path) -> None:
    expected = _shapes(config)
    found = {name: array.shape for name, array in arrays.items()}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise WeightsError(f"the arrays that {path} names do not fit its config: {', '.join(wrong[:5])}")


def _shapes(config: DetectorConfig) -> dict[str, tuple[int, ...]]:
    """Of a folded network's arrays."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in config.layers():
        shapes[f"{layer.name}.kernel"] = (layer.side, layer.side, layer.inputs, layer.outputs)
        shapes[f"{layer.name}.bias"] = (layer.outputs,)
    return shapes
