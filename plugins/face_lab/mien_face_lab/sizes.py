"""Networks of several sizes beside each other: what each costs, and how well it reads the same faces and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Size:
    """A network's cost and worth.

    Attributes:
        name: Of its weights.
        sha256: Of its weights.
        operations: Multiplications and additions a face, counted apart.
        parameters: Numbers in it.
        fer2013: Accuracy by FER2013's labels.
        ferplus: Accuracy by FER+'s majority; None where nobody voted.
        counter: Name of a figure of ``mien_face_lab.counter`` -> value; empty where portraits were not looked at.
    """

    name: str
    sha256: str
    operations: int
    parameters: int
    fer2013: float
    ferplus: float | None
    counter: Mapping[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def rows(sizes: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The sizes as text for a table, the first row the head; smallest first.

    Args:
        sizes: As ``Size.to_json`` makes them.
    """
    head = ("weights", "MFLOPs", "million parameters", "FER+ majority", "FER2013 labels")
    shown: list[tuple[str, ...]] = [(*head, "neutral read as neutral", "AUC neutral, negative", "AUC smiling, neutral")]
    for each in sorted(sizes, key=lambda size: size["operations"]):
        shares = (each["ferplus"], each["fer2013"], each["counter"].get("neutral_as_neutral"))
        areas = (each["counter"].get(name) for name in ("auc_neutral_negative", "auc_smiling_neutral"))
        shown.append(
            (
                each["name"],
                f"{each['operations'] / 1e6:.0f}",
                f"{each['parameters'] / 1e6:.2f}",
                *("-" if value is None else f"{value:.1%}" for value in shares),
                *("-" if value is None else f"{value:.3f}" for value in areas),
            )
        )
    return shown
