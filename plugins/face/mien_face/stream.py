"""One session's face stream: which pictures are analysed, what is left out of them, and which face is which."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from mien import FaceRegion, ImageFrame, InputError, Prediction, Sample, Stream, StreamSettings
from mien_face.tracking import FaceTracker

MIN_GAP: Final = 2.0
"""A face may be out of sight for at least so long and keep its id, seconds."""
GAP_SNAPSHOTS: Final = 3.0
"""Or for so many snapshot intervals, where that is longer."""
EARLY: Final = 0.01
"""A picture this much early still counts as on time: cameras do not keep time to the millisecond. Seconds."""

Region = tuple[float, float, float, float]


class FaceStream(Stream):
    """Takes a picture every snapshot interval, blanks the excluded regions, and gives faces stable ids."""

    def __init__(self, settings: StreamSettings) -> None:
        """Start a session.

        Raises:
            ValueError: An excluded region is not four fractions in [0, 1].
        """
        for region in settings.exclude_regions:
            if len(region) != 4 or not all(0.0 <= part <= 1.0 for part in region):
                raise ValueError(f"an excluded region is four fractions (x, y, width, height), got {region}")
        self._settings = settings
        self._taken: float | None = None
        self._tracker = FaceTracker(max_gap=max(MIN_GAP, GAP_SNAPSHOTS * settings.snapshot_interval_seconds))

    def push(self, sample: Sample) -> list[Sample]:
        """Give the picture back, its excluded regions blank, if a snapshot is due; nothing otherwise.

        Raises:
            InputError: The sample is not a picture.
        """
        if not isinstance(sample, ImageFrame):
            raise InputError(f"the face stream takes pictures, got a {type(sample).__name__}")
        if not self._due(sample.captured_at):
            return []
        self._taken = sample.captured_at
        return [blanked(sample, self._settings.exclude_regions)]

    def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Prediction]:
        """Put track ids on the faces of one analysed picture."""
        seen = [(index, face) for index, face in enumerate(map(_region_of, predictions)) if face is not None]
        ids = self._tracker.update([face.box for _, face in seen], sample.captured_at)
        named = list(predictions)
        for (index, face), name in zip(seen, ids, strict=True):
            named[index] = replace(named[index], subject_id=name, evidence=replace(face, track_id=name))
        return named

    def _due(self, now: float) -> bool:
        """A late picture is dropped; one from long before the last says that the clock was set back, and counts."""
        if self._taken is None:
            return True
        return abs(now - self._taken) >= self._settings.snapshot_interval_seconds - EARLY


def blanked(frame: ImageFrame, regions: Sequence[Region]) -> ImageFrame:
    """The picture with regions made black, rounded outwards to whole pixels; the frame itself where there are none.

    Args:
        frame: A picture.
        regions: Fractions (x, y, width, height) of its size.
    """
    if not regions:
        return frame
    pixels = frame.pixels.copy()
    height, width = pixels.shape[:2]
    for x, y, across, down in regions:
        rows = slice(math.floor(y * height), math.ceil((y + down) * height))
        columns = slice(math.floor(x * width), math.ceil((x + across) * width))
        pixels[rows, columns] = 0
    return ImageFrame(pixels, captured_at=frame.captured_at)


def _region_of(prediction: Prediction) -> FaceRegion | None:
    return prediction.evidence if isinstance(prediction.evidence, FaceRegion) else None
