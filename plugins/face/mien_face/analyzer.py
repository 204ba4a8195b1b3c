"""The face analyzer: pictures in, one prediction a face out. It puts the parts together and holds no model of its own.

For every picture the detector finds the faces; the crops of all faces of all pictures then go through the network in
one call, because that is what makes batching pay. Faces are ordered by size, largest first (the nearest person is most
likely the customer), equals from left to right.

    confidence = p_top * quality * detection_score

where ``p_top`` is the calibrated probability of the most probable emotion, ``quality`` what ``mien_face.quality`` makes
of the crop, and ``detection_score`` the detector's own confidence. Valence and satisfaction are the expected values of
two tables (emotion -> value) under the emotion probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mien import (
    Analyzer,
    AnalyzerRuntime,
    Detection,
    Detections,
    FaceDetector,
    FaceRegion,
    Findings,
    ImageFrame,
    InputError,
    Modality,
    Prediction,
    Sample,
    StreamSettings,
    TimeInterval,
)
from mien_face.crop import crop_face
from mien_face.detection.base import clip
from mien_face.quality import Quality, assess
from mien_face.settings import FaceSettings
from mien_face.stream import FaceStream

Crops = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]


class Classifier(Protocol):
    """Tells expressions apart. Deterministic, and safe to call from several threads."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions, in the order of the outputs."""

    def classify(self, crops: Crops) -> Probabilities:
        """Classify grey faces, uint8 ``[faces, 48, 48]``, into calibrated probabilities ``[faces, labels]``."""

    def warm_up(self) -> None:
        """Compile what the first call would otherwise wait for."""


@dataclass(frozen=True, slots=True)
class EmotionTables:
    """What each emotion says of the customer.

    Attributes:
        valence: Emotion -> [-1, 1].
        satisfaction: Emotion -> [0, 1].
    """

    valence: Mapping[str, float]
    satisfaction: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Face:
    """A face that waits for its classification."""

    picture: int
    region: FaceRegion
    crop: Crops  # [48, 48]


class FaceAnalyzer(Analyzer):
    """Finds the faces of pictures and says what they express."""

    def __init__(
        self, detector: FaceDetector, classifier: Classifier, tables: EmotionTables, settings: FaceSettings
    ) -> None:
        """Put an analyzer together.

        Raises:
            ValueError: A table lacks one of the classifier's labels.
        """
        self._detector = detector
        self._classifier = classifier
        self._settings = settings
        asked = settings.min_detection_score
        self._min_score = detector.threshold if asked is None else asked
        self._valence = _column("valence", tables.valence, classifier.labels)
        self._satisfaction = _column("satisfaction", tables.satisfaction, classifier.labels)

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        """Analyse a batch of pictures.

        Raises:
            InputError: A sample is not a picture.
        """
        frames = [_as_frame(sample) for sample in samples]
        detected = self._detector.detect([frame.pixels for frame in frames])
        faces = [
            face
            for index, (frame, found) in enumerate(zip(frames, detected, strict=True))
            for face in self._faces_of(index, frame, found)
        ]
        predictions: list[list[Prediction]] = [self._remarked(found) for found in detected]
        if not faces:
            return predictions
        rows = self._classifier.classify(np.stack([face.crop for face in faces]))  # [faces, labels]
        for face, row in zip(faces, rows, strict=True):
            of_picture = predictions[face.picture]
            of_picture.append(self._predict(face, row, frames[face.picture].captured_at, number=len(of_picture) + 1))
        return predictions

    def runtime(self) -> AnalyzerRuntime:
        """What the expression network runs on, where the classifier is one that can say."""
        runtime: Callable[[], AnalyzerRuntime] = getattr(self._classifier, "runtime", AnalyzerRuntime)
        return runtime()

    def open_stream(self, settings: StreamSettings) -> FaceStream:
        """Start a session, in which faces are tracked."""
        return FaceStream(settings)

    def warm_up(self) -> None:
        """Compile the network for every batch size, and make the detector ready, side by side."""
        with ThreadPoolExecutor(max_workers=2) as pool:
            for ready in [pool.submit(self._detector.warm_up), pool.submit(self._classifier.warm_up)]:
                ready.result()

    def _faces_of(self, index: int, frame: ImageFrame, found: Sequence[Detection]) -> list[_Face]:
        usable = [face for face in found if self._is_usable(face, frame)]
        usable.sort(key=lambda face: (-face.box.area, face.box.x, face.box.y))
        return [self._prepare(index, frame, face) for face in usable[: self._settings.max_faces]]

    def _remarked(self, found: Sequence[Detection]) -> Findings:
        """No predictions yet, and what was left out of them."""
        count = found.too_small if isinstance(found, Detections) else 0
        if not count:
            return Findings()
        pixels, share = self._settings.min_face_pixels, self._settings.min_face_fraction
        faces = "1 face" if count == 1 else f"{count} faces"
        return Findings(
            remark=f"at least {faces} left out: under {pixels} pixels or {share:.0%} of the picture's shorter side; "
            "lower min_face_pixels or min_face_fraction in [plugins.face] to have them read"
        )

    def _is_usable(self, face: Detection, frame: ImageFrame) -> bool:
        height, width = frame.pixels.shape[:2]
        return face.score >= self._min_score and clip(face.box, width=width, height=height).area > 0

    def _prepare(self, index: int, frame: ImageFrame, face: Detection) -> _Face:
        height, width = frame.pixels.shape[:2]
        crop = crop_face(frame.pixels, face, margin=self._detector.margin)
        quality: Quality = assess(crop, face.box, width=width, height=height, settings=self._settings.quality)
        region = FaceRegion(
            box=clip(face.box, width=width, height=height),
            quality=quality.value,
            detection_score=face.score,
            landmarks=face.landmarks,
            issues=quality.issues,
            brightness=quality.brightness,
        )
        return _Face(index, region, crop)

    def _predict(self, face: _Face, row: Probabilities, captured_at: float, *, number: int) -> Prediction:
        probabilities = row.astype(np.float64)
        probabilities /= probabilities.sum()
        region = face.region
        return Prediction(
            modality=Modality.FACE,
            emotions=dict(zip(self._classifier.labels, probabilities.tolist(), strict=True)),
            valence=_within(float(probabilities @ self._valence), -1.0),
            satisfaction=_within(float(probabilities @ self._satisfaction), 0.0),
            confidence=_within(float(probabilities.max()) * region.quality * region.detection_score, 0.0),
            interval=TimeInterval(captured_at, captured_at),
            subject_id=f"face-{number}",
            evidence=region,
        )


def _as_frame(sample: Sample) -> ImageFrame:
    if not isinstance(sample, ImageFrame):
        raise InputError(f"the face analyzer takes pictures, got a {type(sample).__name__}")
    return sample


def _column(name: str, table: Mapping[str, float], labels: Sequence[str]) -> npt.NDArray[np.float64]:
    missing = [label for label in labels if label not in table]
    if missing:
        raise ValueError(f"the {name} table lacks {', '.join(missing)}")
    return np.array([table[label] for label in labels], np.float64)


def _within(value: float, lowest: float) -> float:
    """Rounding may put an expected value a hair outside its range."""
    return min(max(value, lowest), 1.0)
