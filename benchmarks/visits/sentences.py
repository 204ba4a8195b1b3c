"""What customers say, each sentence on one side of the split: our own, GoEmotions' and those of rated dialogues."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from visits.kinds import Said
from visits.people import is_judge

OWN: Final = Path(__file__).with_name("sentences.txt")

_KIND_LABELS: Final = frozenset({"admiration", "gratitude", "joy", "love", "excitement", "approval", "relief"})
_COMPLAINT_LABELS: Final = frozenset({"anger", "annoyance", "disappointment", "disapproval", "disgust"})
_WORDS: Final = range(4, 16)
"""Of a sentence that is taken from elsewhere, as long as what is said at a counter."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words, and what they say."""

    text: str
    said: Said

    @property
    def judges(self) -> bool:
        """Whether it is kept for judging."""
        return is_judge(self.text)


def own_sentences() -> list[Sentence]:
    """Ours, to be spoken."""
    lines = [line.split("\t") for line in OWN.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [Sentence(text, Said(said)) for said, text in lines]


def other_sentences(data: Path, *, each: int, seed: int) -> list[Sentence]:
    """Of other people: GoEmotions' comments of one tone, and turns of dialogues that all raters rated alike.

    Args:
        data: The folder with ``goemotions`` and ``uss``.
        each: Sentences of each kind and source at most.
        seed: Of the choice.
    """
    random = np.random.default_rng(seed)
    chosen: list[Sentence] = []
    for source in (_comments(data / "goemotions"), _turns(data / "uss" / "SGD.txt")):
        for said in (Said.KIND, Said.COMPLAINT, Said.NEUTRAL):
            of_kind = sorted({each.text for each in source if each.said is said})
            picked = random.permutation(len(of_kind))[:each]
            chosen += [Sentence(of_kind[index], said) for index in picked]
    return chosen


def _comments(folder: Path) -> list[Sentence]:
    labels = (folder / "labels.txt").read_text(encoding="utf-8").split()
    found = []
    for line in (folder / "dev.tsv").read_text(encoding="utf-8").splitlines():
        text, numbers, _ = line.split("\t")
        names = {labels[int(number)] for number in numbers.split(",")}
        if len(text.split()) not in _WORDS or "[" in text:
            continue
        if names <= _KIND_LABELS:
            found.append(Sentence(text, Said.KIND))
        elif names <= _COMPLAINT_LABELS:
            found.append(Sentence(text, Said.COMPLAINT))
        elif names == {"neutral"}:
            found.append(Sentence(text, Said.NEUTRAL))
    return found


def _turns(file: Path) -> list[Sentence]:
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        parts = line.split("\t")
        if len(parts) < 4 or parts[0] != "USER" or parts[1] == "OVERALL" or len(parts[1].split()) not in _WORDS:
            continue
        ratings = [int(rating) for rating in parts[3].split(",") if rating.strip().isdigit()]
        if len(ratings) >= 3 and all(rating == 3 for rating in ratings):
            found.append(Sentence(parts[1], Said.NEUTRAL))
    return found
