"""How pictures become crops to learn from: find the face, level its eyes, even out light; and copies to learn from.

What is done to one picture (``prepare_picture``) is done for training and evaluation alike; copies (``extend``) are
made of training data only, before the first epoch, unlike the changes of ``augment``, which are drawn anew in each.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from mien import Box, InputError
from mien_face.config import INPUT_SIZE
from mien_face.crop import crop_box
from mien_face.detection.haar import HaarDetector, load_cascade
from mien_face_lab.training.augment import Augmentation, augment
from mien_face_lab.training.faces import FaceData, Skipped
from mien_face_lab.training.names import Crop, Equalise

Grey = npt.NDArray[np.uint8]
"""``[height, width]``."""

EYE_CASCADE: Final = "haarcascade_eye.xml"
EYE_SEARCH_WIDTH: Final = 240
"""The face is brought to this width before its eyes are looked for, pixels. Of 97 portraits both eyes are then found in
88, and their line with a median error of 2 degrees; with 160 pixels in 81."""
EYE_REGION: Final = 0.6
"""Eyes are looked for in this upper share of the face."""
STEEPEST_EYE_LINE: Final = 30.0
"""Degrees; a steeper line joins something else than two eyes."""

AFFINE: Final = Augmentation(rotation=10, scale=0.1, shift=0.1 * INPUT_SIZE, mirror=0, erase=0)
"""How far affine copies are changed."""

_CLAHE_LIMIT: Final = 2.0
_CLAHE_TILES: Final = (6, 6)
"""8x8 pixels of a crop each."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is done to pictures before training or evaluation.

    Attributes:
        crop: The largest face that the Haar cascade finds, or the whole; by itself the first for sequences, whose
            pictures show head and shoulders, and the second for everything else.
        align: Whether the line through the eyes is made level, where both are found.
        equalise: How light is evened out.
        mirrored_copies: Whether a mirrored copy of every face is added (training only).
        affine_copies: Randomly turned, shifted and enlarged copies added of every face (training only).
        balance: Every class is brought to this number of faces, by leaving some out or by affine copies
            (training only); 0: left as they are.
    """

    crop: Crop = Crop.AUTO
    align: bool = False
    equalise: Equalise = Equalise.NONE
    mirrored_copies: bool = False
    affine_copies: int = 0
    balance: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain data, for a manifest."""
        return asdict(self)


AS_IT_COMES: Final = Preparation()
"""No preparation but what a layout needs."""


class NoFaceError(Exception):
    """No face was found in a picture that was to be cropped."""


def prepare_picture(grey: Grey, preparation: Preparation, *, crop: Crop) -> Grey:
    """Make a crop of a picture.

    Args:
        grey: uint8 ``[height, width]``.
        preparation: What is done.
        crop: What is kept; not ``AUTO``.

    Returns:
        uint8 ``[48, 48]``.

    Raises:
        NoFaceError: The face was to be cut out, and none was found.
    """
    box, margin = _face(grey) if crop is Crop.HAAR else (_centre_square(grey), 0.0)
    if preparation.align:
        grey = level_eyes(grey, box)
    if box == Box(0.0, 0.0, INPUT_SIZE, INPUT_SIZE) and grey.shape == (INPUT_SIZE, INPUT_SIZE):
        made = grey
    else:
        made = crop_box(np.repeat(grey[..., np.newaxis], 3, axis=2), box, margin=margin)
    return equalised(made, preparation.equalise)


def prepare_crops(data: FaceData, preparation: Preparation, *, source: str) -> FaceData:
    """Prepare faces that are crops already; those whose face is not found again are listed as skipped.

    Raises:
        InputError: None is left.
    """
    crop = Crop.WHOLE if preparation.crop is Crop.AUTO else preparation.crop
    if crop is Crop.WHOLE and not preparation.align and preparation.equalise is Equalise.NONE:
        return data
    kept: list[int] = []
    crops: list[Grey] = []
    skipped: list[Skipped] = []
    for index, face in enumerate(data.crops):
        try:
            crops.append(prepare_picture(face, preparation, crop=crop))
            kept.append(index)
        except NoFaceError:
            skipped.append(Skipped(f"{source}, face {index}", "the Haar cascade finds no face in it"))
    if not kept:
        raise InputError(f"the Haar cascade finds no face in any of the {len(data)} pictures of {source}")
    chosen = data.take(np.array(kept, np.int64))
    return replace(chosen, crops=np.stack(crops), skipped=(*data.skipped, *skipped))


def equalised(crop: Grey, how: Equalise) -> Grey:
    """Even out a crop's light."""
    match how:
        case Equalise.NONE:
            return crop
        case Equalise.HISTOGRAM:
            return np.asarray(cv2.equalizeHist(crop), np.uint8)
        case Equalise.CLAHE:
            return np.asarray(cv2.createCLAHE(_CLAHE_LIMIT, _CLAHE_TILES).apply(crop), np.uint8)


def level_eyes(grey: Grey, box: Box) -> Grey:
    """Turn a picture about the middle of a face until its eyes are level; as it is where they are not both found."""
    angle = eye_angle(grey, box)
    if angle is None:
        return grey
    centre = (box.x + box.width / 2, box.y + box.height / 2)
    matrix = cv2.getRotationMatrix2D(centre, angle, 1.0)
    size = (grey.shape[1], grey.shape[0])
    return np.asarray(cv2.warpAffine(grey, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def eye_angle(grey: Grey, box: Box) -> float | None:
    """Degrees by which the line through the eyes goes down to the right; None where they are not both found."""
    left, top = max(0, round(box.x)), max(0, round(box.y))
    face = grey[top : round(box.y + EYE_REGION * box.height), left : round(box.x + box.width)]
    if min(face.shape) < 2:
        return None
    scale = EYE_SEARCH_WIDTH / face.shape[1]
    enlarged = cv2.resize(face, (EYE_SEARCH_WIDTH, max(1, round(face.shape[0] * scale))))
    found = _eye_cascade().detectMultiScale(enlarged, scaleFactor=1.1, minNeighbors=3, minSize=(20, 20))
    eyes = [(float(x) + width / 2, float(y) + height / 2, int(width)) for x, y, width, height in found]
    middle = EYE_SEARCH_WIDTH / 2
    halves = [[eye for eye in eyes if eye[0] < middle], [eye for eye in eyes if eye[0] >= middle]]
    if not all(halves):
        return None
    (x1, y1, _), (x2, y2, _) = (max(half, key=lambda eye: eye[2]) for half in halves)
    angle = math.degrees(math.atan2(y2 - y1, x2 - x1))
    return angle if abs(angle) <= STEEPEST_EYE_LINE else None


def extend(data: FaceData, preparation: Preparation, *, seed: int) -> FaceData:
    """Add the copies that are asked for to training data, and balance its classes."""
    generator = np.random.default_rng([seed, len(data)])
    if preparation.mirrored_copies:
        data = data.joined(replace(data, crops=np.ascontiguousarray(data.crops[:, :, ::-1]), skipped=()))
    if preparation.affine_copies:
        copies = data.take(np.repeat(np.arange(len(data)), preparation.affine_copies))
        data = data.joined(replace(copies, crops=augment(copies.crops, AFFINE, generator), skipped=()))
    return _balanced(data, preparation.balance, generator) if preparation.balance else data


def _balanced(data: FaceData, count: int, generator: np.random.Generator) -> FaceData:
    originals: list[npt.NDArray[np.int64]] = []
    copies: list[npt.NDArray[np.int64]] = []
    for label in np.unique(data.labels):
        own = np.flatnonzero(data.labels == label)
        originals.append(np.sort(generator.permutation(own)[:count]))
        copies.append(generator.choice(own, max(0, count - len(own))))
    changed = data.take(np.concatenate(copies))
    changed = replace(changed, crops=augment(changed.crops, AFFINE, generator))
    return data.take(np.concatenate(originals)).joined(replace(changed, skipped=()))


def _centre_square(grey: Grey) -> Box:
    height, width = grey.shape
    side = min(height, width)
    return Box(float((width - side) // 2), float((height - side) // 2), float(side), float(side))


def _face(grey: Grey) -> tuple[Box, float]:
    detector = _detector()
    (faces,) = detector.detect([np.repeat(grey[..., np.newaxis], 3, axis=2)])
    if not faces:
        raise NoFaceError
    return max((face.box for face in faces), key=lambda box: box.width * box.height), detector.margin


@cache
def _detector() -> HaarDetector:
    return HaarDetector(search_side=480, min_face_pixels=20, min_face_fraction=0.1, min_score=0.0)


@cache
def _eye_cascade() -> Any:
    return load_cascade(EYE_CASCADE)
