"""Face detectors: pictures in, boxes of faces out. The face plugin's analyzer is built on one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mien.types import Box


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorInfo:
    """What is known of a face detector before it is loaded.

    Attributes:
        version: Of the detector and its weights together.
        weights_license: SPDX expression or a short phrase; ``none`` where there are no weights.
        description: One line.
    """

    version: str
    weights_license: str = "none"
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSettings:
    """What is asked of a detector, whichever it is.

    Attributes:
        search_side: Larger pictures are reduced until their longer side has so many pixels; None takes the detector's
            own choice.
        min_face_pixels: Faces narrower than so many pixels of the picture are not looked for.
        min_face_fraction: Nor those narrower than this share of the picture's shorter side, [0, 1].
        min_score: Faces that the detector trusts less are left out, [0, 1]; None takes the detector's ``threshold``.
    """

    search_side: int | None = None
    min_face_pixels: int = 40
    min_face_fraction: float = 0.1
    min_score: float | None = None


@dataclass(frozen=True, slots=True)
class Detection:
    """A face that was found.

    Attributes:
        box: Pixels of the picture; may reach over its border where the face does.
        score: The detector's confidence, [0, 1].
        landmarks: Right eye, left eye, nose, right and left mouth corner (x, y) in pixels; empty where unknown.
    """

    box: Box
    score: float
    landmarks: tuple[tuple[float, float], ...] = ()


class Detections(list[Detection]):
    """The faces of one picture, with the number of those that were left out; a plain list does where that is not known.

    Attributes:
        too_small: Faces that were surely seen and are smaller than was asked for.
    """

    def __init__(self, faces: Iterable[Detection] = (), *, too_small: int = 0) -> None:
        super().__init__(faces)
        self.too_small = too_small


class FaceDetector(ABC):
    """Finds faces. Deterministic, and safe to call from several threads."""

    @property
    @abstractmethod
    def margin(self) -> float:
        """What to add on every side of its boxes, as a share of their longer side, to frame faces as FER2013 does."""

    @property
    @abstractmethod
    def threshold(self) -> float:
        """The score that a face needs unless the settings say otherwise, [0, 1]."""

    @abstractmethod
    def detect(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> list[list[Detection]]:
        """Find the faces of some pictures.

        Args:
            pictures: uint8 RGB, ``[height, width, 3]`` each, of any sizes.

        Returns:
            One list a picture, in no particular order; an empty one where nobody is seen. ``Detections`` where it is
            known how many were left out.
        """

    def warm_up(self) -> None:
        """Make ready what the first call would otherwise wait for. May be called twice."""
        return
