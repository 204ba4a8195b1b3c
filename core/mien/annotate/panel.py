"""The panel beside the picture: the satisfaction gauge, then a card with emotion bars for each subject."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from mien.annotate.style import (
    BACKGROUND,
    FAINT_INK,
    INK,
    RAISED,
    VERDICT_COLORS,
    Color,
    Subject,
    font,
    mix,
    score_color,
    shortened,
)
from mien.types import Satisfaction

_MARGIN: Final = 24
_DIAL_RADIUS: Final = 104
_DIAL_WIDTH: Final = 20
_CARDS_TOP: Final = 248
_TITLE_HEIGHT: Final = 30
_ROW_HEIGHT: Final = 22
_CARD_GAP: Final = 16
_MOST_ROWS: Final = 8
"""The layout, in units."""

_FINE_BELOW: Final = 2.0
"""Panels with fewer pixels a unit are drawn at twice the size and reduced, which smooths every edge."""


def draw_panel(
    size: tuple[int, int], satisfaction: Satisfaction, subjects: Sequence[Subject], *, unit: float, caption: str
) -> npt.NDArray[np.uint8]:
    """Draw the panel.

    Args:
        size: Width and height, pixels.
        satisfaction: What the gauge shows.
        subjects: Who gets a card; those for whom there is no room are counted in a last line.
        unit: Pixels a unit of the layout.
        caption: A few characters in the upper right corner.

    Returns:
        uint8 RGB ``[height, width, 3]``.
    """
    finer = 2 if unit < _FINE_BELOW else 1
    image = Image.new("RGB", (size[0] * finer, size[1] * finer), BACKGROUND)
    panel = _Panel(image, unit * finer)
    panel.draw_heading(caption)
    panel.draw_gauge(satisfaction)
    panel.draw_cards(subjects)
    return np.asarray(image.reduce(finer) if finer > 1 else image)


class _Panel:
    """Draws in units onto one image."""

    def __init__(self, image: Image.Image, unit: float) -> None:
        self._draw = ImageDraw.Draw(image)
        self._unit = unit
        self._width = image.width / unit
        self._height = image.height / unit

    def draw_heading(self, caption: str) -> None:
        """The panel's title, and the caption at the other end of the line."""
        self._text(_MARGIN, 30, "SATISFACTION", 14, FAINT_INK, "lm")
        self._text(self._width - _MARGIN, 30, caption, 14, FAINT_INK, "rm")

    def draw_gauge(self, satisfaction: Satisfaction) -> None:
        """A half dial: the scale, the interval on it, a needle at the score, and the verdict below."""
        x, y = self._width / 2, 60 + _DIAL_RADIUS
        for step in range(60):
            share = (step + 0.5) / 60
            inside = satisfaction.interval.low <= share <= satisfaction.interval.high
            color = score_color(share)
            self._arc(x, y, step / 60, (step + 1) / 60, color if inside else mix(BACKGROUND, color, 0.28))
        known = satisfaction.confidence > 0
        if known:
            self._needle(x, y, satisfaction.score)
        self._text(x, y - 26, f"{satisfaction.score:.2f}" if known else "?", 54, INK, "mm")
        self._text(x - _DIAL_RADIUS + _DIAL_WIDTH / 2, y + 14, "0", 13, FAINT_INK, "mm")
        self._text(x + _DIAL_RADIUS - _DIAL_WIDTH / 2, y + 14, "1", 13, FAINT_INK, "mm")
        color = VERDICT_COLORS[satisfaction.verdict]
        self._rounded(x - 62, y + 8, x + 62, y + 36, 14, color)
        self._text(x, y + 22, satisfaction.verdict.value.upper(), 16, BACKGROUND, "mm")
        interval = satisfaction.interval
        said = f"90% in {interval.low:.2f} to {interval.high:.2f}, confidence {satisfaction.confidence:.2f}"
        self._text(x, y + 54, said if known else "no evidence", 13, FAINT_INK, "mm")

    def draw_cards(self, subjects: Sequence[Subject]) -> None:
        """A card for each subject, with as many bars each as there is room for."""
        if not subjects:
            self._text(_MARGIN, _CARDS_TOP + 16, "nobody found", 17, FAINT_INK, "lm")
            return
        rows, shown = self._fit(subjects)
        y = float(_CARDS_TOP)
        for subject in subjects[:shown]:
            y = self._card(subject, rows, y) + _CARD_GAP
        if shown < len(subjects):
            self._text(_MARGIN, y + 6, f"and {len(subjects) - shown} more", 14, FAINT_INK, "lm")

    def _fit(self, subjects: Sequence[Subject]) -> tuple[int, int]:
        """How many bars a card has, and how many cards there are."""
        room = self._height - _CARDS_TOP - _MARGIN / 2
        for rows in range(_MOST_ROWS, -1, -1):
            high = sum(
                _TITLE_HEIGHT + min(rows, len(subject.prediction.emotions)) * _ROW_HEIGHT + _CARD_GAP
                for subject in subjects
            )
            if high <= room:
                return rows, len(subjects)
        return 0, max(1, int((room - _ROW_HEIGHT) // (_TITLE_HEIGHT + _CARD_GAP)))

    def _card(self, subject: Subject, rows: int, y: float) -> float:
        """Draw one card from ``y`` down; where it ends."""
        prediction = subject.prediction
        middle = y + 12
        wide = max(26.0, self._length(subject.name, 15) + 16)
        self._rounded(_MARGIN, y, _MARGIN + wide, y + 24, 8, subject.color)
        self._text(_MARGIN + wide / 2, middle, subject.name, 15, BACKGROUND, "mm")
        top = f"{shortened(prediction.top_emotion, 16)} {prediction.emotions[prediction.top_emotion]:.0%}"
        self._text(_MARGIN + wide + 10, middle, top, 16, INK, "lm")
        confidence = f"confidence {prediction.confidence:.2f}"
        if wide + 20 + self._length(top, 16) + self._length(confidence, 13) <= self._width - 2 * _MARGIN:
            self._text(self._width - _MARGIN, middle, confidence, 13, FAINT_INK, "rm")
        y += _TITLE_HEIGHT
        ordered = sorted(prediction.emotions.items(), key=lambda item: -item[1])
        for index, (label, share) in enumerate(ordered[:rows]):
            self._bar(label, share, subject.color if index == 0 else mix(RAISED, subject.color, 0.6), y)
            y += _ROW_HEIGHT
        return y

    def _bar(self, label: str, share: float, color: Color, y: float) -> None:
        left, right = 122.0, self._width - _MARGIN - 42
        middle = y + _ROW_HEIGHT / 2
        self._text(_MARGIN, middle, shortened(label, 13), 14, FAINT_INK, "lm")
        self._rounded(left, middle - 5, right, middle + 5, 5, RAISED)
        if share * (right - left) >= 1:
            self._rounded(left, middle - 5, max(left + share * (right - left), left + 4), middle + 5, 5, color)
        self._text(self._width - _MARGIN, middle, f"{share:.0%}", 14, INK, "rm")

    def _needle(self, x: float, y: float, score: float) -> None:
        """A light stroke across the dial at the score."""
        angle = math.pi * (1 - score)
        ends = [
            ((x + radius * math.cos(angle)) * self._unit, (y - radius * math.sin(angle)) * self._unit)
            for radius in (_DIAL_RADIUS - _DIAL_WIDTH - 6, _DIAL_RADIUS + 5)
        ]
        self._draw.line(ends, fill=BACKGROUND, width=round(9 * self._unit))
        self._draw.line(ends, fill=INK, width=round(5 * self._unit))

    def _arc(self, x: float, y: float, start: float, end: float, color: Color) -> None:
        """A piece of the dial, from one share of it to another."""
        u, r = self._unit, _DIAL_RADIUS
        bounds = ((x - r) * u, (y - r) * u, (x + r) * u, (y + r) * u)
        self._draw.arc(bounds, 180 + 180 * start - 0.3, 180 + 180 * end + 0.3, fill=color, width=round(_DIAL_WIDTH * u))

    def _rounded(self, left: float, top: float, right: float, bottom: float, radius: float, color: Color) -> None:
        u = self._unit
        self._draw.rounded_rectangle((left * u, top * u, right * u, bottom * u), radius=radius * u, fill=color)

    def _length(self, text: str, size: float) -> float:
        return font(round(size * self._unit)).getlength(text) / self._unit

    def _text(self, x: float, y: float, text: str, size: float, color: Color, anchor: str) -> None:
        place = (x * self._unit, y * self._unit)
        self._draw.text(place, text, font=font(round(size * self._unit)), fill=color, anchor=anchor)
