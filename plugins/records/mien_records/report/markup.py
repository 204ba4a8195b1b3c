"""HTML and SVG as values: what is not ``Markup`` is escaped, so that nothing from outside becomes a part."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final, TypeAlias

_VOID: Final = frozenset({"meta", "br", "hr"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Content: TypeAlias = "str | int | Iterable[str] | None"


def tag(name: str, *contents: Content, **attributes: str | float | None) -> Markup:
    """An element.

    Args:
        name: Such as ``p``.
        contents: What is in it; all but ``Markup`` is escaped, None is left out.
        attributes: ``class_`` stands for ``class``, ``stroke_width`` for ``stroke-width``; None is left out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{join(*contents)}</{name}>")


def join(*contents: Content) -> Markup:
    """Contents one after another."""
    parts: list[str] = []
    for content in contents:
        if content is None:
            continue
        if isinstance(content, Markup):
            parts.append(content)
        elif isinstance(content, str | int):
            parts.append(escape(str(content)))
        else:
            parts.append(join(*content))
    return Markup("".join(parts))


def escape(text: str) -> Markup:
    """Text as markup that shows it; characters that could hide or turn around others are made visible."""
    shown = "".join(character if character.isprintable() or character == "\n" else "�" for character in text)
    return Markup(html.escape(shown, quote=True))


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
