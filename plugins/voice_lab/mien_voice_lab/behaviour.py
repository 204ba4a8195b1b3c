"""Behavioural checks of the tone network: sentences with an expected direction, and the share that holds.

The sentences are a table of the tests; this module reads such a table and judges a network by it. It trains nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from mien import InputError
from mien_voice.tonenetwork import ToneNetwork

SATISFIED_FROM: Final = 0.6
DISSATISFIED_TO: Final = 0.4
NEUTRAL_BETWEEN: Final = (0.3, 0.7)
SAME_WITHIN: Final = 0.2
MOVES_BY: Final = 0.05


class Check(StrEnum):
    """What is expected of a text's satisfaction, or of a second text's against the first's."""

    SATISFIED = "satisfied"
    DISSATISFIED = "dissatisfied"
    NEUTRAL = "neutral"
    SAME = "same"
    LOWER = "lower"
    HIGHER = "higher"

    @property
    def needs_pair(self) -> bool:
        """Whether it compares two texts."""
        return self in {Check.SAME, Check.LOWER, Check.HIGHER}


@dataclass(frozen=True, slots=True)
class Case:
    """One expectation."""

    topic: str
    check: Check
    texts: tuple[str, ...]

    def holds(self, scores: Sequence[float]) -> bool:
        """Whether the satisfaction of its texts is as expected."""
        first, last = scores[0], scores[-1]
        match self.check:
            case Check.SATISFIED:
                return first > SATISFIED_FROM
            case Check.DISSATISFIED:
                return first < DISSATISFIED_TO
            case Check.NEUTRAL:
                return NEUTRAL_BETWEEN[0] <= first <= NEUTRAL_BETWEEN[1]
            case Check.SAME:
                return abs(first - last) <= SAME_WITHIN
            case Check.LOWER:
                return last <= first - MOVES_BY
            case Check.HIGHER:
                return last >= first + MOVES_BY


@dataclass(frozen=True, slots=True)
class Judged:
    """One expectation, the satisfaction found, and whether it held."""

    case: Case
    scores: tuple[float, ...]
    passed: bool


def read_cases(path: Path) -> list[Case]:
    """Read a table: topic, check, text, and a second text where the check compares two; ``#`` begins a comment.

    Raises:
        InputError: There is no such file, or a line is not of this form.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    cases = []
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        topic, _, rest = line.partition("\t")
        name, _, texts = rest.partition("\t")
        parts = tuple(texts.split("\t"))
        if name not in list(Check) or len(parts) != 1 + Check(name).needs_pair or not all(parts):
            raise InputError(f"{path}, line {number}: expected topic, check and one or two texts, found {line[:60]!r}")
        cases.append(Case(topic, Check(name), parts))
    return cases


def run(network: ToneNetwork, cases: Sequence[Case]) -> list[Judged]:
    """Judge a network, text by text as a caller would get them."""
    judged = []
    for case in cases:
        scores = tuple(network.predict([text])[0].satisfaction for text in case.texts)
        judged.append(Judged(case, scores, case.holds(scores)))
    return judged


def summary(judged: Sequence[Judged]) -> dict[str, Any]:
    """``cases``, ``pass_rate`` and ``topics`` (topic -> share that held)."""
    total = Counter(each.case.topic for each in judged)
    held = Counter(each.case.topic for each in judged if each.passed)
    return {
        "cases": len(judged),
        "pass_rate": sum(held.values()) / max(len(judged), 1),
        "topics": {topic: held[topic] / count for topic, count in total.items()},
    }


def figures(network: ToneNetwork, path: Path) -> dict[str, Any]:
    """Judge a network by a table: its summary, and ``failed``, the texts of the cases that do not hold.

    Raises:
        InputError: There is no such file, or a line is not of this form.
    """
    judged = run(network, read_cases(path))
    return summary(judged) | {"failed": [list(one.case.texts) for one in judged if not one.passed]}
