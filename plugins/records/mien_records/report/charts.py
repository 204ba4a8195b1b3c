"""Charts as inline SVG, drawn from numbers. Colours come from the page's style, by class, and follow its theme.

Every chart has a title and a description for those who do not see it, and every mark says its value on hover. Scores go
up the page or to the right; above 50 is one colour, below it another, and position alone tells them apart as well. An
axis shows the part of 0 to 100 that the values lie in, 50 always among it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mien_records.report.figures import Estimate
from mien_records.report.markup import Markup, tag
from mien_records.report.svg import Scale, drawing, line, rect, scale, text
from mien_records.report.wording import interval, points

WIDE: Final = 1040.0
HALF: Final = 500.0
_LEFT: Final = 40.0
FEW: Final = 5
"""A mean of fewer visits is drawn pale."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mean somewhere along an axis: where (in [0, 1]), what it is called there, and what it is called in full."""

    at: float
    label: str
    name: str
    score: Estimate


def gauge(estimate: Estimate) -> Markup:
    """The headline on a line from 0 to 100."""
    width, left, right, y = HALF, 14.0, HALF - 14.0, 40.0

    def x(value: float) -> float:
        return left + value * (right - left)

    shapes = [
        rect(left, y - 7, right - left, 14, "track", rx=7.0),
        rect(x(estimate.low), y - 7, max(x(estimate.high) - x(estimate.low), 3.0), 14, f"range {_side(estimate.mean)}"),
        line(x(0.5), y - 14, x(0.5), y + 14, "neutral"),
        tag("circle", cx=x(estimate.mean), cy=y, r=11.0, class_=f"needle {_side(estimate.mean)}"),
        text(left, y + 32, "0 dissatisfied", "start"),
        text(x(0.5), y + 32, "50 neutral"),
        text(right, y + 32, "100 satisfied", "end"),
    ]
    said = f"{points(estimate.mean)} out of 100, between {points(estimate.low)} and {points(estimate.high)}"
    return drawing("Satisfaction", said, width, 78, shapes)


def shares(title: str, parts: Sequence[tuple[str, str, float]]) -> Markup:
    """One bar cut into shares.

    Args:
        title: For those who do not see it.
        parts: Class, name and size of each, from the left.
    """
    total = sum(size for _, _, size in parts) or 1.0
    shapes, at, said = [], 0.0, []
    for style, name, size in parts:
        width = HALF * size / total
        said.append(f"{name} {100 * size / total:.0f} %")
        if size > 0:
            shapes.append(rect(at, 0, max(width - 2.0, 1.0), 30, style, said[-1]))
            if width > 44:
                shapes.append(text(at + width / 2 - 1, 20, f"{100 * size / total:.0f} %", class_=f"on {style}"))
        at += width
    return drawing(title, ", ".join(said), HALF, 30, shapes)


def timeline(title: str, marks: Sequence[Mark], *, ticks: Sequence[tuple[float, str]], gap: float) -> Markup:
    """Means along time with their intervals as a band, and below how many visits each rests on.

    Args:
        title: For those who do not see it.
        marks: In order of time.
        ticks: Where along the axis, and what stands there.
        gap: Neighbours further apart are not joined.
    """
    top, bottom = 14.0, 230.0
    most = max(mark.score.count for mark in marks)
    strip = bottom + (46.0 if most > 1 else 8.0)
    x = scale(_LEFT + 10, WIDE - 14)
    axis = _axis(marks)
    y = axis.scale(bottom, top)
    shapes: list[Markup] = [*_score_grid(axis, y, _LEFT, WIDE)]
    for run in _runs(marks, gap):
        if len(run) == 1:
            shapes.append(_whisker(x(run[0].at), y, run[0].score))
            continue
        upper = [f"{x(mark.at):.1f},{y(mark.score.high):.1f}" for mark in run]
        lower = [f"{x(mark.at):.1f},{y(mark.score.low):.1f}" for mark in reversed(run)]
        middle = [f"{x(mark.at):.1f},{y(mark.score.mean):.1f}" for mark in run]
        shapes.append(tag("polygon", points=" ".join(upper + lower), class_="band"))
        shapes.append(tag("polyline", points=" ".join(middle), class_="line"))
    radius = 4.5 if len(marks) <= 80 else 2.5
    shapes += [
        tag(
            "circle", tag("title", _said(mark)), cx=x(mark.at), cy=y(mark.score.mean), r=radius, class_=_dot(mark.score)
        )
        for mark in marks
    ]
    if most > 1:
        step = min((WIDE - _LEFT) / max(len(marks), 1) * 0.6, 16.0)
        for mark in marks:
            height = 30.0 * mark.score.count / most
            shapes.append(rect(x(mark.at) - step / 2, strip - height, step, height, "volume", _said(mark)))
        shapes.append(text(_LEFT - 6, strip - 4, "visits", "end"))
    shapes += [text(x(at), strip + 18, label, _anchor(at)) for at, label in ticks]
    return drawing(title, _in_words(marks), WIDE, strip + 28, shapes)


def columns(title: str, marks: Sequence[Mark], *, wide: bool) -> Markup:
    """Means as columns that rise above 50 or hang below it, each with its interval and the number of visits."""
    width = WIDE if wide else HALF
    top, bottom = 14.0, 210.0
    step = (width - _LEFT - 10) / len(marks)
    bar = min(step * 0.62, 46.0)
    axis = _axis(marks)
    y = axis.scale(bottom, top)
    shapes: list[Markup] = [*_score_grid(axis, y, _LEFT, width)]
    for index, mark in enumerate(marks):
        middle = _LEFT + 10 + step * (index + 0.5)
        ends = sorted((y(0.5), y(mark.score.mean)))
        style = _side(mark.score.mean) + (" few" if mark.score.count < FEW else "")
        shapes.append(rect(middle - bar / 2, ends[0], bar, max(ends[1] - ends[0], 1.5), style, _said(mark)))
        shapes.append(_whisker(middle, y, mark.score))
        shapes.append(text(middle, bottom + 18, mark.label))
        if step >= 26:
            shapes.append(text(middle, bottom + 34, f"{mark.score.count:,}", class_="small"))
    return drawing(title, _in_words(marks), width, bottom + 42, shapes)


def rows(title: str, marks: Sequence[Mark], *, wide: bool) -> Markup:
    """Means as points on lines from 0 to 100, one below the other, with names on the left."""
    width, label = (WIDE, 220.0) if wide else (HALF, 138.0)
    axis = _axis(marks)
    x = axis.scale(label + 12, width - 84)
    bottom = 20.0 + 30.0 * len(marks)
    shapes: list[Markup] = []
    for value in axis.ticks:
        shapes.append(line(x(value), 12, x(value), bottom, "neutral" if value == 0.5 else "grid"))
        shapes.append(text(x(value), bottom + 16, points(value)))
    for index, mark in enumerate(marks):
        y = 30.0 + 30.0 * index
        score = mark.score
        name = tag("text", tag("title", mark.name), mark.label, x=label, y=y + 4, text_anchor="end", class_="name")
        shapes += [
            name,
            line(x(score.low), y, x(score.high), y, "whisker"),
            tag("circle", tag("title", _said(mark)), cx=x(score.mean), cy=y, r=6.0, class_=_dot(score)),
            text(width - 74, y + 4, points(score.mean), "start", class_="value"),
            text(width - 2, y + 4, f"{score.count:,}", "end", class_="small"),
        ]
    return drawing(title, _in_words(marks), width, bottom + 24, shapes)


def bars(title: str, values: Sequence[tuple[str, float, str]], *, width: float = HALF) -> Markup:
    """Shares as bars, one below the other.

    Args:
        title: For those who do not see it.
        values: Name, share in [0, 1] and what is written behind the bar.
        width: Of the picture.
    """
    label = 16.0 + 8.0 * max((len(name) for name, _, _ in values), default=0)
    longest = max((share for _, share, _ in values), default=0.0) or 1.0
    shapes: list[Markup] = []
    for index, (name, share, said) in enumerate(values):
        y = 6.0 + 30.0 * index
        length = (width - label - 80) * share / longest
        shapes += [
            text(label - 10, y + 16, name, "end", class_="name"),
            rect(label, y + 2, max(length, 1.0), 20, "amount", f"{name}: {said}"),
            text(label + max(length, 1.0) + 8, y + 17, said, "start", class_="value"),
        ]
    return drawing(
        title, ", ".join(f"{name} {said}" for name, _, said in values), width, 12 + 30.0 * len(values), shapes
    )


def histogram(title: str, bins: Sequence[int], mean: float) -> Markup:
    """How many visits lie in each equal part of the scale from 0 to 100, and where their mean is."""
    bottom, top = 176.0, 20.0
    x = scale(14, HALF - 14)
    most, total = max(bins), sum(bins)
    shapes: list[Markup] = []
    for index, number in enumerate(bins):
        low, high = index / len(bins), (index + 1) / len(bins)
        height = (bottom - top) * number / most
        said = f"{points(low)} to {points(high)}: {number:,} of {total:,}"
        shapes.append(rect(x(low) + 2, bottom - height, x(high) - x(low) - 4, height, _side((low + high) / 2), said))
        if number:
            shapes.append(text((x(low) + x(high)) / 2, bottom - height - 6, f"{number:,}", class_="small"))
    shapes.append(line(x(0), bottom, x(1), bottom, "axis"))
    shapes += [text(x(value), bottom + 27, points(value)) for value in (0.0, 0.25, 0.5, 0.75, 1.0)]
    tip = f"{x(mean):.1f},{bottom + 2:.1f} {x(mean) - 6:.1f},{bottom + 12:.1f} {x(mean) + 6:.1f},{bottom + 12:.1f}"
    shapes.append(tag("polygon", points=tip, class_="pointer"))
    shapes.append(text(min(max(x(mean), 44.0), HALF - 44.0), bottom + 46, f"average {points(mean)}", class_="value"))
    said = f"average {points(mean)}; from 0 to 100 in tenths: {', '.join(map(str, bins))}"
    return drawing(title, said, HALF, bottom + 52, shapes)


@dataclass(frozen=True, slots=True)
class _Axis:
    """The part of the scale that is shown, in tenths: from ``first`` to ``last``."""

    first: int
    last: int

    @property
    def ticks(self) -> list[float]:
        step = 1 if self.last - self.first <= 6 else 2
        start = self.first + (5 - self.first) % step  # so that 50 is one of them
        return [tenth / 10 for tenth in range(start, self.last + 1, step)]

    def scale(self, start: float, end: float) -> Scale:
        whole = scale(start, end)
        return lambda value: whole((10 * value - self.first) / (self.last - self.first))


def _axis(marks: Sequence[Mark]) -> _Axis:
    lowest = min(mark.score.low for mark in marks)
    highest = max(mark.score.high for mark in marks)
    return _Axis(min(4, math.floor(10 * lowest)), max(6, math.ceil(10 * highest)))


def _score_grid(axis: _Axis, y: Scale, left: float, right: float) -> list[Markup]:
    shapes = []
    for value in axis.ticks:
        shapes.append(line(left, y(value), right, y(value), "neutral" if value == 0.5 else "grid"))
        shapes.append(text(left - 6, y(value) + 4, points(value), "end"))
    return shapes


def _whisker(x: float, y: Scale, score: Estimate) -> Markup:
    return line(x, y(score.low), x, y(score.high), "whisker")


def _runs(marks: Sequence[Mark], gap: float) -> list[list[Mark]]:
    """Marks that follow each other without a gap."""
    found: list[list[Mark]] = []
    for mark in marks:
        if found and mark.at - found[-1][-1].at <= gap:
            found[-1].append(mark)
        else:
            found.append([mark])
    return found


def _said(mark: Mark) -> str:
    number = f"{mark.score.count:,} visit{'s' if mark.score.count > 1 else ''}"
    return f"{mark.name}: {points(mark.score.mean)} ({interval(mark.score)}), {number}"


def _in_words(marks: Sequence[Mark]) -> str:
    if len(marks) <= 12:
        return "; ".join(_said(mark) for mark in marks)
    lowest, highest = (pick(marks, key=lambda mark: mark.score.mean) for pick in (min, max))
    return f"{len(marks)} values, from {_said(lowest)}, to {_said(highest)}"


def _anchor(at: float) -> str:
    """Keeps a label at either end inside of the picture."""
    return "start" if at < 0.05 else "end" if at > 0.95 else "middle"


def _side(score: float) -> str:
    return "high" if score >= 0.5 else "low"


def _dot(score: Estimate) -> str:
    return f"dot {_side(score.mean)}"
