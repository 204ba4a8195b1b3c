"""The faces of a photograph as the analyzer sees them: their crops, and what the network says of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mien import ImageFrame, PluginContext
from mien_face.analyzer import FaceAnalyzer
from mien_face.crop import CROP_SIDE
from mien_face.explain.saliency import saliency
from mien_face.factory import build_detector, build_network, build_tables, expression_manifest
from mien_face.inference import ExpressionNetwork, load_folded
from mien_face.labels import FER2013_LABELS
from mien_face.settings import FaceSettings

Crops = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedFace:
    """One face and why it is read as it is.

    Attributes:
        crop: What the network sees, uint8 ``[48, 48]``.
        probabilities: Emotion -> probability, as the analyzer answers.
        emotion: The one that the maps explain.
        grad_cam: ``[48, 48]``, [0, 1].
        guided: ``[48, 48]``, [-1, 1].
    """

    crop: Crops
    probabilities: dict[str, float]
    emotion: str
    grad_cam: npt.NDArray[np.float32]
    guided: npt.NDArray[np.float32]


class _Remembering:
    """A classifier that keeps the crops it was shown."""

    def __init__(self, network: ExpressionNetwork) -> None:
        self._network = network
        self.crops: Crops = np.zeros((0, 48, 48), np.uint8)

    @property
    def labels(self) -> tuple[str, ...]:
        return self._network.labels

    def classify(self, crops: Crops) -> Probabilities:
        self.crops = crops
        return self._network.classify(crops)

    def warm_up(self) -> None:
        """Nothing: one call is all that comes."""


def find_crops(frame: ImageFrame, settings: FaceSettings, parts: PluginContext | None = None) -> Crops:
    """The faces of a picture, largest first, as the analyzer would give them to the network, ``[n, 48, 48]``.

    Args:
        frame: The photograph.
        settings: The analyzer's.
        parts: Where detector and backend are taken from, as ``factory.build_analyzer`` has it.

    Raises:
        MienError: Detector or network cannot be loaded, as ``factory.build_analyzer`` has it.
    """
    network = _Remembering(build_network(settings, parts))
    FaceAnalyzer(build_detector(settings, parts), network, build_tables(settings), settings).analyze([frame])
    return network.crops


def whole_crop(frame: ImageFrame) -> Crops:
    """A picture that is nothing but a face, or the square in its middle, ``[1, 48, 48]``."""
    grey = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    interpolation = cv2.INTER_AREA if side > CROP_SIDE else cv2.INTER_LINEAR
    square = grey[top : top + side, left : left + side]
    return np.asarray(cv2.resize(square, (CROP_SIDE, CROP_SIDE), interpolation=interpolation), np.uint8)[np.newaxis]


def explain_crops(
    crops: Crops, settings: FaceSettings, parts: PluginContext | None = None, *, emotion: str = ""
) -> list[ExplainedFace]:
    """Explain what the network says of faces.

    Args:
        crops: uint8 ``[n, 48, 48]``, at least one.
        settings: The analyzer's; they say which network.
        parts: Where the backend is taken from.
        emotion: Explain this one; empty explains each face's most probable emotion.

    Raises:
        WeightsError: The weights are missing, damaged, or of another network.
    """
    network = load_folded(expression_manifest(settings))
    rows = build_network(settings, parts).classify(crops)
    classes = np.full(len(crops), FER2013_LABELS.index(emotion)) if emotion else rows.argmax(axis=1)
    maps = saliency(network.config, network.arrays, crops, classes)
    return [
        ExplainedFace(
            crop=crop,
            probabilities=dict(zip(FER2013_LABELS, _floats(row), strict=True)),
            emotion=FER2013_LABELS[int(number)],
            grad_cam=cam,
            guided=guided,
        )
        for crop, row, number, cam, guided in zip(crops, rows, classes, maps.grad_cam, maps.guided, strict=True)
    ]


def _floats(values: Sequence[float] | Probabilities) -> list[float]:
    return [float(value) for value in values]
