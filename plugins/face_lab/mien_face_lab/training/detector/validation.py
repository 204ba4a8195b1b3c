"""How a detector in training fares on the pictures that are held back, run as it will be run when it ships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from mien import Detection, Manifest
from mien_face.config import Arrays
from mien_face.detection.base import Pixels
from mien_face.detection.config import NETWORK_NAME, DetectorConfig
from mien_face.detection.inference import DetectionNetwork
from mien_face.detection.own import OwnDetector
from mien_face_lab.detection.evaluation import DetectionFigures, evaluate_detections
from mien_face_lab.detection.labelled import LabelledPicture
from mien_face_lab.training.detector.pictures import read_part
from mien_face_lab.training.detector.split import Side

OVERLAP: Final = 0.45
"""Intersection over union from which the lower-scored of two answers is dropped."""

SMALLEST_FACE: Final = 24.0
"""Shorter side, pixels of the picture, from which a face counts in the figures."""

_SEARCHED_SHARE: Final = 0.75
"""Smaller answers than this share of the smallest face are dropped, as ``mien evaluate detector`` does."""

_LOWEST_SCORE: Final = 0.05
_BATCH: Final = 4

Judged: TypeAlias = Sequence[tuple[LabelledPicture, Sequence[Detection]]]


@dataclass(frozen=True, slots=True)
class Validation:
    """Pictures to validate on, by kind: ``portraits``, ``people``, ``people2``, ``scenes``."""

    kinds: Mapping[str, Sequence[LabelledPicture]]

    @classmethod
    def read(cls, folder: Path) -> Validation:
        """Read what a folder holds back.

        Raises:
            InputError: A file is missing or wrong, or nothing of it is held back.
            MissingDependencyError: pyarrow is missing.
        """
        kinds = read_part(folder, Side.VALIDATION)
        return cls({kind: [each.picture for each in found] for kind, found in kinds.items()})

    def first(self, count: int) -> Validation:
        """At most so many pictures of each kind: for a look now and then."""
        return Validation({kind: pictures[:count] for kind, pictures in self.kinds.items()})


def answer(
    config: DetectorConfig, folded: Arrays, validation: Validation, *, long_side: int | None = None
) -> dict[str, Judged]:
    """Let a detector answer for all pictures, down to low scores, so that thresholds can be compared.

    Args:
        config: The network.
        folded: Its arrays, as ``mien_face_lab.detection.folding.fold`` makes them.
        validation: The pictures.
        long_side: Of the network's input, pixels; else what suits each picture.
    """
    detector = runtime_detector(config, folded, min_score=_LOWEST_SCORE, long_side=long_side)
    return {kind: _judged(detector, pictures) for kind, pictures in validation.kinds.items()}


def runtime_detector(
    config: DetectorConfig, folded: Arrays, *, min_score: float, long_side: int | None = None
) -> OwnDetector:
    """A detector of weights that are not written yet, as they will be run when they ship."""
    return OwnDetector(
        DetectionNetwork(config, folded, _draft(config)),
        search_side=long_side,
        min_face_pixels=round(_SEARCHED_SHARE * SMALLEST_FACE),
        min_face_fraction=0.0,
        min_score=min_score,
    )


def figures(answers: Mapping[str, Judged], *, threshold: float) -> dict[str, DetectionFigures]:
    """Figures of every kind of picture at a threshold."""
    return {
        kind: evaluate_detections(judged, min_size=SMALLEST_FACE, threshold=threshold)
        for kind, judged in answers.items()
    }


def _judged(detector: OwnDetector, pictures: Sequence[LabelledPicture]) -> Judged:
    judged: list[tuple[LabelledPicture, Sequence[Detection]]] = []
    for start in range(0, len(pictures), _BATCH):
        part = pictures[start : start + _BATCH]
        decoded: list[Pixels] = [picture.decode() for picture in part]
        judged.extend(zip(part, detector.detect(decoded), strict=True))
    return judged


def _draft(config: DetectorConfig) -> Manifest:
    """A manifest for weights that are not written yet."""
    return Manifest(
        name="draft",
        version="0",
        network=NETWORK_NAME,
        file="draft.safetensors",
        sha256="0" * 64,
        labels={},
        license="Apache-2.0",
        config=config.to_json(),
        calibration={"threshold": 0.5, "overlap": OVERLAP},
    )
