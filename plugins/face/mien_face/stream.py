"""One session's face stream: which face is which. Which pictures it is given, and what of them, is the host's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from mien import FaceRegion, ImageFrame, InputError, Prediction, Sample, Stream, StreamSettings
from mien.streams import BoxTracker

MIN_GAP: Final = 2.0
"""A face may be out of sight for at least so long and keep its id, seconds."""
GAP_SNAPSHOTS: Final = 3.0
"""Or for so many snapshot intervals, where that is longer."""


class FaceStream(Stream):
    """Gives the faces of a session stable ids."""

    def __init__(self, settings: StreamSettings) -> None:
        """Start a session."""
        self._tracker = BoxTracker(max_gap=max(MIN_GAP, GAP_SNAPSHOTS * settings.snapshot_interval_seconds))

    def push(self, sample: Sample) -> list[Sample]:
        """Give the picture back.

        Raises:
            InputError: The sample is not a picture.
        """
        if not isinstance(sample, ImageFrame):
            raise InputError(f"the face stream takes pictures, got a {type(sample).__name__}")
        return [sample]

    def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Prediction]:
        """Put track ids on the faces of one analysed picture."""
        seen = [(index, face) for index, face in enumerate(map(_region_of, predictions)) if face is not None]
        ids = self._tracker.update([face.box for _, face in seen], sample.captured_at)
        named = list(predictions)
        for (index, face), name in zip(seen, ids, strict=True):
            named[index] = replace(named[index], subject_id=name, evidence=replace(face, track_id=name))
        return named


def _region_of(prediction: Prediction) -> FaceRegion | None:
    return prediction.evidence if isinstance(prediction.evidence, FaceRegion) else None
