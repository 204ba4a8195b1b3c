"""Training pictures: photographs cropped and scaled, portraits pasted into scenes, portraits close up, and mosaics.

A canvas is decided by its generator alone. How light and compression damage it is in ``damage``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeAlias

import cv2
import numpy as np

from mien_face_lab.training.detector.canvas import Canvas, Matrix, move_box, placed, similarity, varied
from mien_face_lab.training.detector.damage import damage, occlude
from mien_face_lab.training.detector.drawn import draw_decoys
from mien_face_lab.training.detector.paste import paste_decoy, paste_face
from mien_face_lab.training.detector.pictures import Floats, Picture, Pictures

Generator: TypeAlias = np.random.Generator

_COMPOSED: Final = {"pasted": 22 / 54, "close_up": 12 / 54, "mosaic": 20 / 54}
"""Shares among the canvases that are not one photograph."""

_SMALLEST: Final = 12.0

_DRAWN: Final = 0.15
"""Share of the canvases on which things are drawn that are no faces."""

_ANIMALS: Final = 0.05
"""Share of the photographs that show animals' faces."""

_ANY_WAY_UP: Final = 0.08
"""Share of what is turned that is turned by any angle."""

_FILLED: Final = 0.75
"""Share of a canvas's side that a photograph takes at least: detectors are given pictures that fill their input."""


class Composer:
    """Makes canvases of a set of pictures.

    Args:
        pictures: Of the training part.
        side: Height and width of a canvas, pixels.
        photographs: Share of the canvases that are one photograph.
        damaged: Share of the canvases that are made worse.
    """

    def __init__(self, pictures: Pictures, *, side: int, photographs: float = 0.46, damaged: float = 0.65) -> None:
        self._side = side
        everyday = pictures.people + pictures.scenes
        self._damaged = damaged
        rest = {kind: (1 - photographs) * share for kind, share in _COMPOSED.items()}
        self._shares = {"photograph": photographs, **rest}
        self._portraits = pictures.portraits
        self._with_faces = [each for each in everyday if len(each.boxes)]
        self._others = [each for each in everyday if not len(each.boxes)]
        self._backgrounds = [each for each in everyday if each.is_empty]
        self._animals = [each for each in everyday if len(each.animals)]
        self._hard: list[Picture] = []

    def show_more(self, names: Collection[str]) -> None:
        """Show photographs without faces more often: those of these names."""
        self._hard = [each for each in self._others if each.name in names]

    def compose(self, generator: Generator, *, uses: int = 1) -> list[Canvas]:
        """Make canvases: their pixels, faces and what is to be ignored.

        Args:
            generator: Decides everything.
            uses: How many to make of the same pictures: mirrored, scaled, turned and damaged in different ways, which
                takes a fraction of the time that new ones take.
        """
        kind = generator.choice(list(self._shares), p=list(self._shares.values()))
        makers = {"photograph": self._photograph, "pasted": self._pasted, "close_up": self._close_up}
        plain = self._mosaic(generator) if kind == "mosaic" else makers[str(kind)](generator, self._side)
        if generator.random() < _DRAWN:
            draw_decoys(plain, generator)
        canvases = [*(self._varied(plain, generator, mirror=use % 2 == 0) for use in range(uses - 1)), plain]
        for canvas in canvases:
            occlude(canvas, generator)
            if generator.random() < self._damaged:
                canvas.pixels = damage(canvas.pixels, generator)
        return canvases

    def _varied(self, plain: Canvas, generator: Generator, *, mirror: bool) -> Canvas:
        """A piece of a canvas, most often a little enlarged."""
        matrix = similarity(
            scale=math.exp(generator.uniform(-0.15, 0.4)),
            degrees=generator.normal(0, 5),
            source=generator.uniform(0.35, 0.65, 2) * self._side,
            target=np.full(2, self._side / 2),
            mirror=mirror,
        )
        return varied(plain, matrix, mirror=mirror)

    def _photograph(self, generator: Generator, side: int) -> Canvas:
        """A real photograph, cropped, scaled and turned; sometimes others' faces take the place of its own."""
        draw = generator.random()
        if draw < 0.55:
            picture = _pick(self._with_faces, generator)
        elif self._animals and draw < 0.55 + _ANIMALS:
            picture = _pick(self._animals, generator)
        elif self._hard and draw < 0.8:
            picture = _pick(self._hard, generator)
        else:
            picture = _pick(self._others, generator)
        mirror, degrees = bool(generator.random() < 0.5), _turn(generator)
        height, width = picture.pixels().shape[:2]
        if len(picture.boxes) and generator.random() < 0.65:  # around one of its faces
            box = picture.boxes[int(generator.integers(len(picture.boxes)))]
            scale = _size(generator, side * 0.7) / _box_size(box)
            scale = min(max(scale, _FILLED * side / max(height, width)), 4.0 * side / 288)
            source, target = (box[:2] + box[2:]) / 2, generator.uniform(0.1, 0.9, 2) * side
        else:
            scale = side / max(height, width) * math.exp(generator.uniform(-0.3, 0.8))
            source = np.array([width, height]) * generator.uniform(0.3, 0.7, 2)
            target = np.full(2, side / 2)
        matrix = similarity(scale=scale, degrees=degrees, source=source, target=target, mirror=mirror)
        border = cv2.BORDER_REPLICATE if generator.random() < 0.3 else cv2.BORDER_CONSTANT
        if picture.is_empty and generator.random() < 0.6:
            border = cv2.BORDER_REFLECT_101
        canvas = placed(picture, matrix, height=side, width=side, border=border, mirror=mirror)
        if len(picture.boxes) and generator.random() < 0.2:
            return self._with_other_faces(canvas, generator, turn=degrees)
        if not len(picture.boxes) and generator.random() < 0.15:
            self._paste_faces(canvas, generator, 1)
        return canvas

    def _with_other_faces(self, canvas: Canvas, generator: Generator, *, turn: float) -> Canvas:
        """The same picture, turned by so many degrees, with portraits laid over its faces, eye on eye."""
        changed = Canvas(canvas.pixels, ignored=list(canvas.ignored))
        for box, landmarks in zip(canvas.boxes, canvas.landmarks, strict=True):
            portrait = _pick(self._portraits, generator)
            mirror = _looks(portrait.landmarks[0]) * _looks(landmarks) < 0
            eyes = landmarks[1] - landmarks[0]
            degrees = math.degrees(math.atan2(float(eyes[1]), float(eyes[0])))
            tilt = (degrees - turn + 180) % 360 - 180
            scale = _box_size(box) / _box_size(portrait.boxes[0]) * generator.uniform(0.95, 1.15)
            centre = (portrait.boxes[0, :2] + portrait.boxes[0, 2:]) / 2
            matrix = similarity(
                scale=scale,
                degrees=degrees if abs(tilt) < 40 else turn,
                source=centre,
                target=(box[:2] + box[2:]) / 2,
                mirror=mirror,
            )
            paste_face(changed, portrait, matrix, generator, mirror=mirror)
        return changed

    def _pasted(self, generator: Generator, side: int) -> Canvas:
        """A face-free scene with portraits and, blended alike, pieces of other scenes."""
        canvas = self._background(generator, side)
        decoys = int(generator.integers(0, 4))
        for _ in range(decoys):
            scene, box = self._decoy(generator)
            scale = _size(generator, side * 0.6) / _box_size(box)
            source, target = (box[:2] + box[2:]) / 2, generator.uniform(0, side, 2)
            matrix = similarity(scale=scale, degrees=_turn(generator), source=source, target=target)
            paste_decoy(canvas, scene, box, matrix, generator)
        self._paste_faces(canvas, generator, int(generator.integers(1, 7)))
        return canvas

    def _decoy(self, generator: Generator) -> tuple[Picture, Floats]:
        """An animal's face, or any piece of a picture without a face."""
        if self._animals and generator.random() < 0.4:
            picture = _pick(self._animals, generator)
            return picture, picture.animals[int(generator.integers(len(picture.animals)))]
        picture = _pick(self._backgrounds, generator)
        height, width = picture.pixels().shape[:2]
        extent = generator.uniform(0.15, 0.45) * min(height, width)
        middle = np.array([generator.uniform(extent, width - extent), generator.uniform(extent, height - extent)])
        halves = np.array([0.8 * extent, extent])
        return picture, np.concatenate([middle - halves, middle + halves]).astype(np.float32)

    def _paste_faces(self, canvas: Canvas, generator: Generator, count: int) -> None:
        side = canvas.pixels.shape[0]
        for _ in range(count):
            portrait = _pick(self._portraits, generator)
            mirror = bool(generator.random() < 0.5)
            scale = _size(generator, side * 0.75) / _box_size(portrait.boxes[0])
            centre = (portrait.boxes[0, :2] + portrait.boxes[0, 2:]) / 2
            target = generator.uniform(-0.03, 1.03, 2) * side
            matrix = similarity(scale=scale, degrees=_turn(generator), source=centre, target=target, mirror=mirror)
            if not canvas.covers(move_box(portrait.boxes[0], matrix), 0.12):
                paste_face(canvas, portrait, matrix, generator, mirror=mirror)

    def _close_up(self, generator: Generator, side: int) -> Canvas:
        """A portrait as it is, filling the canvas or a part of it; beyond its border grey, streaks, or a scene."""
        portrait = _pick(self._portraits, generator)
        height, width = portrait.pixels().shape[:2]
        mirror = bool(generator.random() < 0.5)
        middle = np.array([width, height], np.float32) / 2
        if generator.random() < 0.5:  # as a detector is given it
            scale, degrees, target = side / max(height, width), 0.0, np.full(2, side / 2)
        else:
            scale = side / max(height, width) * generator.uniform(0.5, 1.35)
            degrees, target = _turn(generator), side * generator.uniform(0.35, 0.65, 2)
        matrix = similarity(scale=scale, degrees=degrees, source=middle, target=target, mirror=mirror)
        if generator.random() < 0.35:
            return self._over_scene(portrait, matrix, generator, side, mirror=mirror)
        border = cv2.BORDER_REPLICATE if generator.random() < 0.4 else cv2.BORDER_CONSTANT
        return placed(portrait, matrix, height=side, width=side, border=border, mirror=mirror)

    def _over_scene(
        self, portrait: Picture, matrix: Matrix, generator: Generator, side: int, *, mirror: bool
    ) -> Canvas:
        """The whole portrait with its hard border, as a picture hung before a scene."""
        canvas = placed(portrait, matrix, height=side, width=side, mirror=mirror)
        whole = np.full(portrait.pixels().shape[:2], 255, np.uint8)
        covered = cv2.warpAffine(whole, matrix, (side, side), flags=cv2.INTER_NEAREST)[..., None] > 0
        canvas.pixels = np.where(covered, canvas.pixels, self._background(generator, side).pixels)
        return canvas

    def _background(self, generator: Generator, side: int) -> Canvas:
        """A piece of a picture without a face."""
        picture = _pick(self._backgrounds, generator)
        height, width = picture.pixels().shape[:2]
        scale = side / min(height, width) * math.exp(generator.uniform(-0.2, 0.8))
        mirror = bool(generator.random() < 0.5)
        source = np.array([width, height]) * generator.uniform(0.25, 0.75, 2)
        target = np.full(2, side / 2)
        degrees = _turn(generator) / 2
        matrix = similarity(scale=scale, degrees=degrees, source=source, target=target, mirror=mirror)
        return placed(picture, matrix, height=side, width=side, border=cv2.BORDER_REFLECT_101)

    def _mosaic(self, generator: Generator) -> Canvas:
        """Four smaller canvases side by side."""
        half = self._side // 2
        makers: list[Callable[[Generator, int], Canvas]] = [self._photograph, self._pasted, self._close_up]
        whole = Canvas(np.empty((2 * half, 2 * half, 3), np.uint8))
        for top in (0, half):
            for left in (0, half):
                part = makers[int(generator.choice(3, p=(0.6, 0.2, 0.2)))](generator, half)
                whole.pixels[top : top + half, left : left + half] = part.pixels
                corner = np.array([left, top], np.float32)
                whole.boxes.extend(box + np.tile(corner, 2) for box in part.boxes)
                whole.landmarks.extend(points + corner for points in part.landmarks)
                limits = np.array([left, top, left + half, top + half], np.float32)
                for box in part.ignored:
                    moved = box + np.tile(corner, 2)
                    clipped = np.concatenate([np.maximum(moved[:2], limits[:2]), np.minimum(moved[2:], limits[2:])])
                    whole.ignored.append(clipped.astype(np.float32))
        return whole


def _pick(pictures: Sequence[Picture], generator: Generator) -> Picture:
    return pictures[int(generator.integers(len(pictures)))]


def _looks(landmarks: Floats) -> float:
    """To which side a face is turned, by its sign: where its nose lies along its eyes' line."""
    return float((landmarks[2] - landmarks.mean(0)) @ (landmarks[1] - landmarks[0]))


def _turn(generator: Generator) -> float:
    """Degrees: mostly a little, often up to 30, now and then any."""
    if generator.random() < _ANY_WAY_UP:
        return float(generator.uniform(-180, 180))
    return float(generator.uniform(-30, 30) if generator.random() < 0.4 else generator.normal(0, 5))


def _size(generator: Generator, largest: float) -> float:
    """Of a face, pixels: every octave as likely as another."""
    return math.exp(generator.uniform(math.log(_SMALLEST), math.log(largest)))


def _box_size(box: Floats) -> float:
    return math.sqrt(max(1.0, float((box[2] - box[0]) * (box[3] - box[1]))))
