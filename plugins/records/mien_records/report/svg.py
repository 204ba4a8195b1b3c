"""The few SVG shapes that the charts are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from mien_records.report.markup import Content, Markup, tag

Scale: TypeAlias = Callable[[float], float]
"""From [0, 1] to a place in the picture."""


def drawing(title: str, description: str, width: float, height: float, *shapes: Content) -> Markup:
    """An SVG picture that scales with the page."""
    return tag(
        "svg",
        tag("title", title),
        tag("desc", description),
        *shapes,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=f"{title}. {description}",
        preserveAspectRatio="xMidYMid meet",
    )


def scale(start: float, end: float) -> Scale:
    """0 at ``start``, 1 at ``end``."""
    return lambda value: start + value * (end - start)


def rect(x: float, y: float, width: float, height: float, style: str, title: str = "", *, rx: float = 2.0) -> Markup:
    """A rectangle of that class, with what it says on hover."""
    inner = tag("title", title) if title else None
    return tag("rect", inner, x=x, y=y, width=width, height=height, rx=rx, class_=style)


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> Markup:
    """A straight line of that class."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=style)


def text(x: float, y: float, content: str, anchor: str = "middle", *, class_: str | None = None) -> Markup:
    """A line of text; ``y`` is its base line."""
    return tag("text", content, x=x, y=y, text_anchor=anchor, class_=class_)
