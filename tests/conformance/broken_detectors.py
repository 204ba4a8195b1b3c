"""Detectors that break one rule each, with right ones to compare."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mien import (
    Box,
    Detection,
    DetectorSettings,
    FaceDetector,
)

Pixels = npt.NDArray[np.uint8]


def pictures() -> list[Pixels]:
    """A bright square on black, and nothing."""
    seen = np.zeros((60, 80, 3), np.uint8)
    seen[10:40, 20:50] = 200
    return [seen, np.zeros((60, 80, 3), np.uint8)]


class Bright(FaceDetector):
    """Takes what is bright for a face. Keeps every rule."""

    margin = 0.1
    threshold = 0.3

    def __init__(self, settings: DetectorSettings) -> None:
        self.settings = settings

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        return [self.one(pixels) for pixels in pictures]

    def one(self, pixels: Pixels) -> list[Detection]:
        rows, columns = np.nonzero(pixels[..., 0] > 100)
        if not len(rows):
            return []
        left, top = float(columns.min()), float(rows.min())
        box = Box(left, top, float(columns.max()) - left + 1.0, float(rows.max()) - top + 1.0)
        score = float(pixels[rows, columns].mean()) / 255.0
        least = self.threshold if self.settings.min_score is None else self.settings.min_score
        small = box.width < min(self.settings.min_face_pixels, 1000) and self.settings.min_face_pixels > 40
        return [] if small or score < least else [Detection(box, score)]


class Blind(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        return []


class OneList(Bright):
    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        return [[face for pixels in pictures for face in self.one(pixels)]]


class Outside(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        return [replace(face, box=Box(500.0, 0.0, 9.0, 9.0)) for face in super().one(pixels)]


class OneEyed(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        return [replace(face, landmarks=((1.0, 1.0),)) for face in super().one(pixels)]


class NumpyScores(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        return [replace(face, score=np.float32(face.score)) for face in super().one(pixels)]  # type: ignore[arg-type]


class NoMargin(Bright):
    margin = float("nan")


class Draws(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        found = super().one(pixels)
        pixels[:2] = 7
        return found


class LargestOfAll(Bright):
    """Scores in a batch are against the best of the batch."""

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        found = super().detect(pictures)
        return [[replace(face, score=face.score / len(pictures)) for face in faces] for faces in found]


class Trembles(Bright):
    calls = 0

    def one(self, pixels: Pixels) -> list[Detection]:
        self.calls += 1
        return [replace(face, score=face.score / (1 + self.calls / 1000)) for face in super().one(pixels)]


class OwnScore(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        return Bright(replace(self.settings, min_score=None)).one(pixels)


class AnySize(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        return Bright(replace(self.settings, min_face_pixels=1)).one(pixels)


class DetectorRaces(Bright):
    current: Pixels

    def one(self, pixels: Pixels) -> list[Detection]:
        self.current = pixels
        time.sleep(0.002)  # what makes threads meet; no test waits for it
        return super().one(self.current)


class DetectorWantsRoom(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        int(pixels[8, 8, 0])
        return super().one(pixels)


class DetectorSteps(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        np.random.seed(pixels.shape[0])
        return super().one(pixels)


class DetectorKeeps(Bright):
    def __init__(self, settings: DetectorSettings) -> None:
        super().__init__(settings)
        self.kept: list[Pixels] = []

    def one(self, pixels: Pixels) -> list[Detection]:
        self.kept.append(pixels)
        return super().one(pixels)


DETECTORS: dict[str, tuple[Callable[[DetectorSettings], FaceDetector], str]] = {
    "blind": (Blind, "test_pictures_show_something"),
    "one_list": (OneList, "test_pictures_show_something"),
    "outside": (Outside, "test_faces_are_in_bounds"),
    "one_eyed": (OneEyed, "test_faces_are_in_bounds"),
    "numpy_scores": (NumpyScores, "test_numbers_are_plain"),
    "no_margin": (NoMargin, "test_margin_and_threshold_are_numbers"),
    "draws": (Draws, "test_pictures_are_left_as_they_were"),
    "largest_of_all": (LargestOfAll, "test_a_batch_says_what_single_calls_say"),
    "trembles": (Trembles, "test_the_same_call_gives_the_same_answer"),
    "own_score": (OwnScore, "test_the_least_score_counts"),
    "any_size": (AnySize, "test_the_smallest_face_counts"),
    "races": (DetectorRaces, "test_threads_do_not_disturb_each_other"),
    "wants_room": (DetectorWantsRoom, "test_odd_pictures_are_survived"),
    "seeds": (DetectorSteps, "test_the_process_is_left_as_it_was"),
    "keeps": (DetectorKeeps, "test_memory_does_not_grow"),
}
