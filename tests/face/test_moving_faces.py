"""Detector, stream and tracker together, on a film made of one portrait: whoever moves keeps the id."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from mien import FaceRegion, ImageFrame, StreamSettings
from mien_face.analyzer import FaceAnalyzer

Pixels = npt.NDArray[np.uint8]

FRAMES = 13
SECONDS = 0.1


def film(head: Pixels) -> list[Pixels]:
    """Two heads that pass each other, the left one in front and lower, over a plain ground."""
    mirrored = np.ascontiguousarray(head[:, ::-1])
    frames = []
    for step in range(FRAMES):
        frame = np.full((480, 640, 3), (96, 104, 112), np.uint8)
        for picture, side, x, y in (
            (cv2.resize(mirrored, (180, 180)), 180, 430 - 32 * step, 20),
            (cv2.resize(head, (240, 240)), 240, 10 + 32 * step, 230),
        ):
            frame[y : y + side, max(x, 0) : x + side] = picture[:, max(-x, 0) :]
        frames.append(frame)
    return frames


def test_two_people_who_pass_each_other_keep_their_ids(analyzer: FaceAnalyzer, astronaut: Pixels) -> None:
    stream = analyzer.open_stream(StreamSettings(snapshot_interval_seconds=0.0))
    left = []
    for step, pixels in enumerate(film(astronaut[0:230, 110:340])):
        (sample,) = stream.push(ImageFrame(pixels, captured_at=step * SECONDS))
        (found,) = analyzer.analyze([sample])
        faces = {}
        for prediction in stream.observe(sample, found):
            assert isinstance(prediction.evidence, FaceRegion)
            faces[prediction.evidence.track_id] = prediction.evidence
        assert set(faces) == {"face-1", "face-2"}, f"step {step}"
        assert all(len(face.landmarks) == 5 for face in faces.values())
        left.append(faces["face-1"].box.x - faces["face-2"].box.x)
    assert left[0] * left[-1] < 0  # they have passed
