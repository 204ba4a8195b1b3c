"""Choosing the detector's threshold, and what ships."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mien import Box, Detection, Manifest, read_manifest
from mien_face.detection.config import DetectorConfig
from mien_face.factory import DETECTOR_MANIFEST
from mien_face_lab.detection.labelled import LabelledFace, LabelledPicture
from mien_face_lab.training.detector.card import CARD_NAME, render
from mien_face_lab.training.detector.export import choose_threshold


def judged(*answers: tuple[float, Box], faces: Sequence[Box] = ()) -> tuple[LabelledPicture, list[Detection]]:
    labelled = LabelledPicture("made up", b"", tuple(LabelledFace(face) for face in faces))
    return labelled, [Detection(box, score) for score, box in answers]


def test_the_threshold_is_the_lowest_that_keeps_false_faces_few() -> None:
    here, there = Box(0, 0, 40, 40), Box(100, 100, 40, 40)
    answers = {
        "portraits": [judged((0.9, here), faces=[here])],
        "people": [judged((0.6, here), (0.45, there), faces=[here])],  # the second one is false
        "scenes": [judged((0.3, here))],
    }

    assert choose_threshold(answers) == pytest.approx(0.46)


def test_the_shipped_weights_find_the_astronaut() -> None:
    data = pytest.importorskip("skimage.data")
    from mien_face.detection.inference import DetectionNetwork
    from mien_face.detection.own import OwnDetector

    manifest = DETECTOR_MANIFEST
    network = DetectionNetwork.load(manifest)
    detector = OwnDetector(network, search_side=320, min_face_pixels=24, min_face_fraction=0.0)

    (found,) = detector.detect([np.asarray(data.astronaut(), np.uint8)])

    best = max(found, key=lambda each: each.score)
    assert best.box.iou(Box(174, 64, 92, 124)) > 0.5
    right_eye, left_eye = best.landmarks[:2]
    assert abs(right_eye[1] - left_eye[1]) < 20
    assert right_eye[0] < left_eye[0]


def test_the_shipped_manifest_says_what_the_weights_are() -> None:
    manifest: Manifest = read_manifest(DETECTOR_MANIFEST)

    assert DetectorConfig.from_json(manifest.config).flops(240, 320) <= 140e6
    assert "Flickr8k" in manifest.license_note
    assert manifest.training


def test_the_card_is_of_the_shipped_weights() -> None:
    plugin = DETECTOR_MANIFEST.parents[2]
    manifest = read_manifest(plugin / "mien_face" / "weights" / "detector.json")

    assert (plugin / CARD_NAME).read_text(encoding="utf-8") == render(manifest), "copy it from where train put it"
