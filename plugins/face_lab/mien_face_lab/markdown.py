"""Tables in Markdown, for the cards."""

from __future__ import annotations

from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a table, the first of them the head; numbers to the right.

    Args:
        rows: Of equal lengths, at least the head.
    """
    head, *rest = rows
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rest))
