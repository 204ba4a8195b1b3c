"""The one kind of chart that a report has: rows of shares from 0 to 100 %, each a line of a table.

A row's drawing is an SVG as wide as its cell, with places in percent of it, so that a row fits a phone as it fits a
screen. Colours come from the page's style, by class, and follow its theme; every drawing says its value in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mien_records.report.intervals import Estimate
from mien_records.report.markup import Markup, tag
from mien_records.report.wording import NOTHING, interval, percentage

_HEIGHT = 22


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a name, a share with or without an interval (None: not to be shown), and what is written behind it.

    Attributes:
        name: On the left.
        share: What is drawn.
        note: On the right, such as how many it rests on.
        style: ``high`` or ``low`` where the row differs from the others beyond chance.
    """

    name: str
    share: Estimate | None
    note: str = ""
    style: str = ""


def rows(title: str, entries: Sequence[Row], *, note: str = "decided") -> Markup:
    """Rows of shares with their intervals, and an axis.

    Args:
        title: For those who do not see it.
        entries: From the top.
        note: What the right column holds.
    """
    header = tag(
        "tr",
        tag("th", ""),
        tag("th", _axis(title), class_="plot"),
        tag("th", "", class_="n"),
        tag("th", note, class_="n"),
    )
    body = [
        tag(
            "tr",
            tag("td", entry.name, class_="name"),
            tag("td", _drawn(entry), class_="plot"),
            tag("td", percentage(entry.share.mean) if entry.share else NOTHING, class_="n value"),
            tag("td", entry.note, class_="n"),
        )
        for entry in entries
    ]
    return tag("table", tag("thead", header), tag("tbody", body), class_="rows")


def stacked(title: str, parts: Sequence[tuple[str, str, float]]) -> Markup:
    """One row cut into shares.

    Args:
        title: For those who do not see it.
        parts: Class, name and size of each, from the left.
    """
    total = sum(size for _, _, size in parts) or 1.0
    shapes, at, said = [], 0.0, []
    for style, name, size in parts:
        share = 100.0 * size / total
        said.append(f"{name} {share:.0f} %")
        if size > 0:
            shapes.append(
                tag("rect", tag("title", said[-1]), x=f"{at:.2f}%", y=0, width=f"{share:.2f}%", height=30, class_=style)
            )
        at += share
    return _svg(f"{title}: {', '.join(said)}", 30, *shapes)


def _drawn(entry: Row) -> Markup:
    share = entry.share
    if share is None:
        return tag("span", "too few decided visits to be shown", class_="soft")
    said = f"{entry.name}: {percentage(share.mean)} ({interval(share)}), {share.count:,} decided"
    middle = _HEIGHT // 2
    width = max(share.high - share.low, 0.004)
    return _svg(
        said,
        _HEIGHT,
        *(_line(place, 0, _HEIGHT, "neutral" if place == 50 else "grid") for place in (0, 50, 100)),
        tag(
            "rect",
            x=_place(share.low),
            y=middle - 5,
            width=_place(width),
            height=10,
            rx=3,
            class_=f"range {entry.style}".strip(),
        ),
        tag("circle", tag("title", said), cx=_place(share.mean), cy=middle, r=5, class_=f"dot {entry.style}".strip()),
    )


def _axis(title: str) -> Markup:
    texts = [
        tag("text", str(place), x=f"{place}%", y=13, text_anchor=anchor)
        for place, anchor in ((0, "start"), (50, "middle"), (100, "end"))
    ]
    return _svg(f"{title}: the axis goes from 0 to 100 %", 18, *texts)


def _svg(said: str, height: int, *shapes: Markup) -> Markup:
    return tag("svg", tag("title", said), *shapes, width="100%", height=height, role="img", aria_label=said)


def _line(place: int, top: float, bottom: float, style: str) -> Markup:
    return tag("line", x1=f"{place}%", y1=top, x2=f"{place}%", y2=bottom, class_=style)


def _place(share: float) -> str:
    return f"{100.0 * share:.2f}%"
