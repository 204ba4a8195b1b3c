"""A look at validation while training: what is found at a threshold, by kind of picture. The full figures are elsewhere.

Pictures are brought to one size (their longer side, with a grey border) and go through the folded network as at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import jax
import numpy as np

from mien_face.config import Arrays
from mien_face.detection.config import PADDING_VALUE, DetectorConfig
from mien_face.detection.forward import forward
from mien_face.training.detector.pictures import Floats, Picture, Pixels

OVERLAP: Final = 0.45
"""Intersection over union from which the lower-scored of two answers is dropped."""

_LOWEST_SCORE: Final = 0.05
_MOST: Final = 200


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """A detector's answers for one picture, best first, in its pixels.

    Attributes:
        scores: ``[faces]``.
        boxes: ``[faces, 4]``.
        landmarks: ``[faces, 5, 2]``.
    """

    scores: Floats
    boxes: Floats
    landmarks: Floats


@dataclass(frozen=True, slots=True)
class Figures:
    """How a set of pictures fared at a threshold.

    Attributes:
        faces: Faces of at least the smallest size.
        recall: Share of them found.
        false_per_image: False faces a picture; on ignored boxes and on smaller faces they do not count.
        bad_images: Share of the pictures without a face that have a false one.
        landmark_error: Mean distance of the landmarks of the faces found, in eye distances.
    """

    faces: int
    recall: float
    false_per_image: float
    bad_images: float
    landmark_error: float


def detector_of(
    config: DetectorConfig, arrays: Arrays, *, long_side: int | None = None
) -> Callable[[Sequence[Picture]], list[Answers]]:
    """A function that finds faces with folded arrays, at a longer side of the input in pixels."""
    side = long_side or config.long_side
    run = jax.jit(lambda images: forward(config, arrays, images))  # type: ignore[arg-type]

    def detect(pictures: Sequence[Picture]) -> list[Answers]:
        found = []
        for picture in pictures:
            pixels = picture.pixels()
            image, scale = letterbox(pixels, side)
            scores, boxes, landmarks = (np.asarray(each[0]) for each in run(image[None]))
            found.append(_keep(1 / (1 + np.exp(-scores)), boxes / scale, landmarks / scale))
        return found

    return detect


def letterbox(pixels: Pixels, side: int) -> tuple[Pixels, float]:
    """Scale a picture so that its longer side is ``side``, at the top left of a grey square; and the scale."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = np.full((side, side, 3), PADDING_VALUE, np.uint8)
    image[: size[1], : size[0]] = cv2.resize(pixels, size, interpolation=method)
    return image, scale


def measure(
    pictures: Sequence[Picture], answers: Sequence[Answers], *, threshold: float, smallest: float = 24.0
) -> Figures:
    """Hold answers against labels: a face is found by an answer with an intersection over union of at least 0.5.

    Args:
        pictures: With their labels.
        answers: One for each.
        threshold: Score from which an answer counts.
        smallest: Size (geometric mean of the sides, pixels of the picture) from which a face counts.
    """
    faces = hits = false = bad = empty = 0
    errors: list[float] = []
    for picture, answer in zip(pictures, answers, strict=True):
        kept = answer.scores >= threshold
        boxes, points = answer.boxes[kept], answer.landmarks[kept]
        taken, wrong = np.zeros(len(picture.boxes), bool), 0
        for box, landmarks in zip(boxes, points, strict=True):
            shared = np.where(taken, 0, overlaps(box, picture.boxes))
            best = int(shared.argmax()) if len(shared) else -1
            if best >= 0 and shared[best] >= 0.5:
                taken[best] = True
                truth = picture.landmarks[best]
                eyes = max(float(np.hypot(*(truth[1] - truth[0]))), 0.15 * float(picture.boxes[best, 2] - picture.boxes[best, 0]))
                if _sizes(picture.boxes)[best] >= smallest:
                    errors.append(float(np.hypot(*(landmarks - truth).T).mean()) / eyes)
            elif not _on_ignored(box, picture.ignored):
                wrong += 1
        counted = _sizes(picture.boxes) >= smallest
        faces, hits, false = faces + int(counted.sum()), hits + int(taken[counted].sum()), false + wrong
        if not len(picture.boxes):
            empty, bad = empty + 1, bad + (wrong > 0)
    return Figures(
        faces=faces,
        recall=hits / max(faces, 1),
        false_per_image=false / max(len(pictures), 1),
        bad_images=bad / max(empty, 1),
        landmark_error=float(np.mean(errors)) if errors else 0.0,
    )


def overlaps(box: Floats, others: Floats) -> Floats:
    """Intersection over union of a box with others, ``[others]``."""
    inner = np.maximum(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0).prod(axis=1)
    union = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1) - inner
    return np.asarray(inner / np.maximum(union, 1e-6), np.float32)


def _keep(scores: Floats, boxes: Floats, landmarks: Floats) -> Answers:
    """The best answers, none of which overlaps a better one."""
    order = np.argsort(-scores, kind="stable")[:_MOST]
    waiting = [int(index) for index in order if scores[index] >= _LOWEST_SCORE]
    chosen: list[int] = []
    while waiting:
        chosen.append(waiting[0])
        shared = overlaps(boxes[waiting[0]], boxes[waiting])
        waiting = [index for index, part in zip(waiting, shared, strict=True) if part <= OVERLAP and index != chosen[-1]]
    return Answers(scores[chosen], boxes[chosen], landmarks[chosen])


def _sizes(boxes: Floats) -> Floats:
    return np.asarray(np.sqrt(np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 0)), np.float32)


def _on_ignored(box: Floats, ignored: Floats) -> bool:
    """Whether an answer lies on something that is neither face nor background."""
    if not len(ignored):
        return False
    centre = (box[:2] + box[2:]) / 2
    inside = ((centre >= ignored[:, :2]) & (centre <= ignored[:, 2:])).all(axis=1)
    return bool(inside.any() or (overlaps(box, ignored) >= 0.3).any())
