"""Turns averaged weights into the files that ship: folded, stored as float16, with a threshold chosen on validation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien import Manifest, save_weights
from mien_face.config import Arrays
from mien_face.detection.config import NETWORK_NAME, DetectorConfig
from mien_face_lab.detection.evaluation import DetectionFigures, evaluate_detections
from mien_face_lab.detection.folding import fold
from mien_face_lab.training.detector.validation import OVERLAP, SMALLEST_FACE, Judged, Validation, answer, figures

VERSION: Final = "2.0.0"
"""Of the weights that this code makes."""

MANIFEST_NAME: Final = "detector.json"

LANDMARK_LABELS: Final = ("right_eye", "left_eye", "nose", "right_mouth_corner", "left_mouth_corner")

LICENSE_NOTE: Final = (
    "Trained on portraits of muxspace/facial_expressions (Apache-2.0; many are of Labeled Faces in the Wild), on "
    "photographs of people from Flickr8k (for research, not for commerce) and ten other collections of the web, some "
    "without a stated licence (DETECTOR_CARD.md lists them), and on samples of ImageNet (for research). The pictures "
    "are not distributed here. Boxes and landmarks are those on which two versions of YuNet (MIT) agree."
)

LIMITS: Final = {("portraits",): 0.02, ("people", "people2"): 0.05}
"""False faces a picture that a threshold may allow, by kinds that are taken together."""

MOST_ALARMED: Final = 0.03
"""Share of the face-free scenes in which a threshold may allow a false face."""

_THRESHOLDS: Final = tuple(step / 100 for step in range(20, 91))


def export(
    config: DetectorConfig,
    arrays: Arrays,
    *,
    validation: Validation,
    manifest_path: Path,
    training: Mapping[str, Any],
) -> Manifest:
    """Write weights and manifest.

    Args:
        config: The network.
        arrays: Parameters and running statistics, not folded.
        validation: The threshold is chosen and figures are taken on it.
        manifest_path: Where the manifest goes; the weights go beside it.
        training: How the weights were made, for the manifest.
    """
    stored = {name: array.astype(np.float16) for name, array in fold(config, arrays).items()}
    as_run = {name: array.astype(np.float32) for name, array in stored.items()}
    answers = answer(config, as_run, validation)
    threshold = choose_threshold(answers)
    found = figures(answers, threshold=threshold)
    return save_weights(
        manifest_path,
        stored,
        labels={"landmarks": list(LANDMARK_LABELS)},
        name=manifest_path.stem,
        version=VERSION,
        network=NETWORK_NAME,
        license="Apache-2.0",
        license_note=LICENSE_NOTE,
        config=config.to_json(),
        calibration={"threshold": threshold, "overlap": OVERLAP},
        training={**training, "validation": {kind: each.to_json() for kind, each in found.items()}},
        metrics=quote(found),
    )


def choose_threshold(answers: Mapping[str, Judged]) -> float:
    """The lowest threshold that keeps false faces within ``LIMITS`` and ``MOST_ALARMED``; else the highest tried."""
    return next((each for each in _THRESHOLDS if _is_strict_enough(answers, each)), _THRESHOLDS[-1])


def _is_strict_enough(answers: Mapping[str, Judged], threshold: float) -> bool:
    together = {kinds: [each for kind in kinds for each in answers.get(kind, ())] for kinds in LIMITS}
    judged = {kinds: judged for kinds, judged in together.items() if judged}
    found = {
        kinds: evaluate_detections(each, min_size=SMALLEST_FACE, threshold=threshold) for kinds, each in judged.items()
    }
    if any(each.false_positives_per_image > LIMITS[kinds] for kinds, each in found.items()):
        return False
    if "scenes" not in answers:
        return True
    scenes = evaluate_detections(answers["scenes"], min_size=SMALLEST_FACE, threshold=threshold)
    return (scenes.face_free_with_false or 0.0) <= MOST_ALARMED


def quote(by_kind: Mapping[str, DetectionFigures]) -> dict[str, float]:
    """The figures that a manifest and a journal quote; those without a case to judge by are left out."""
    names = (
        "pictures", "faces", "recall", "precision", "false_positives_per_image", "ap50", "landmark_error",
        "face_free_pictures", "face_free_with_false",
    )  # fmt: skip
    quoted = {f"{kind}_{name}": getattr(each, name) for kind, each in by_kind.items() for name in names}
    return {name: float(value) for name, value in quoted.items() if value is not None}
