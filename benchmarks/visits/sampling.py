"""Visits drawn by chance from what the analyzers said of single pictures and sentences; nothing is rendered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mien import Modality, Prediction, TimeInterval
from visits.kinds import KINDS, Kind, Said, Shown
from visits.people import is_judge

SECONDS: Final = (10.0, 28.0)
"""Shortest and longest visit."""

PASSING_SECONDS: Final = (2.0, 5.0)
"""How long a passing expression lasts."""

LOST: Final = 0.06
"""Share of pictures in which the face is not found."""

SPOKEN: Final = 0.7
"""Share of sentences that were spoken and heard; the others were read."""

HEARD: Final = (0.3, 0.9)
"""Confidence of the transcript that a sentence which was only read is given, lowest and highest."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit, as what the analyzers say of it.

    Attributes:
        kind: What it is.
        person: Who is seen.
        seen: Predictions of the face.
        heard: Predictions of the voice.
    """

    kind: Kind
    person: str
    seen: tuple[Prediction, ...]
    heard: tuple[Prediction, ...]


class Sampler:
    """Draws visits of one side of the split."""

    def __init__(
        self,
        faces: Sequence[dict[str, Any]],
        texts: Sequence[dict[str, Any]],
        heard: Sequence[dict[str, Any]],
        *,
        judge: bool,
        seed: int,
    ) -> None:
        """Begin.

        Args:
            faces: As ``asking.read_faces`` gives them.
            texts: Sentences that were read, as ``asking.read_texts`` gives them, with ``said``; may be empty.
            heard: Sentences that were spoken: ``text``, ``said``, ``utterances``.
            judge: Whether to draw from the persons and sentences that judge, or from the others.
            seed: Of all draws.
        """
        self._random = np.random.default_rng(seed)
        self._faces: dict[Shown, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        for face in faces:
            if is_judge(face["person"]) is judge and face["pictures"]:
                self._faces[Shown(face["shown"])][face["person"]].append(face)
        self._texts = _by_said(texts, judge=judge)
        self._heard = _by_said(heard, judge=judge)

    def draw(self, each: int) -> list[Visit]:
        """So many visits of each kind."""
        return [self.visit(kind) for kind in KINDS for _ in range(each)]

    def visit(self, kind: Kind) -> Visit:
        """One visit."""
        random = self._random
        length = random.uniform(*SECONDS)
        persons = set(self._faces[kind.resting])
        if kind.passing is not None:
            persons &= set(self._faces[kind.passing])
        person = str(random.choice(sorted(persons)))
        resting = self._portrait(kind.resting, person)
        began, lasts = random.uniform(2.0, length - 4.0), random.uniform(*PASSING_SECONDS)
        passing = self._portrait(kind.passing, person) if kind.passing else resting
        seen = []
        for at in np.arange(random.uniform(0.5, 1.5), length - random.uniform(0.5, 1.5), 1.0):
            if random.uniform() >= LOST:
                shows = passing if began <= at < began + lasts else resting
                seen.append(
                    _prediction(Modality.FACE, shows["pictures"][random.integers(len(shows["pictures"]))], float(at))
                )
        heard: list[Prediction] = []
        if kind.said is not Said.NOTHING:
            for at in random.uniform(2.0, length - 2.0, random.integers(1, 3)):
                heard += self._utterances(kind.said, float(at))
        return Visit(kind, person, tuple(seen), tuple(sorted(heard, key=lambda each: each.interval.end)))

    def _portrait(self, shown: Shown, person: str) -> dict[str, Any]:
        portraits = self._faces[shown][person]
        return portraits[self._random.integers(len(portraits))]

    def _utterances(self, said: Said, at: float) -> list[Prediction]:
        """A sentence: one that was spoken, with what became of it, or one that was read, as if it had been heard."""
        random = self._random
        if random.uniform() < SPOKEN or not self._texts[said]:
            spoken = self._heard[said][random.integers(len(self._heard[said]))]
            return [_prediction(Modality.VOICE, each, at) for each in spoken["utterances"]]
        text = self._texts[said][random.integers(len(self._texts[said]))]
        return [_prediction(Modality.VOICE, text, at, trust=random.uniform(*HEARD))]


def _by_said(sentences: Sequence[dict[str, Any]], *, judge: bool) -> dict[Said, list[dict[str, Any]]]:
    found: dict[Said, list[dict[str, Any]]] = defaultdict(list)
    for each in sentences:
        if is_judge(each["text"]) is judge:
            found[Said(each["said"])].append(each)
    return found


def _prediction(modality: Modality, said: dict[str, Any], at: float, *, trust: float = 1.0) -> Prediction:
    return Prediction(
        modality=modality,
        emotions={said.get("top", "any"): 1.0},
        valence=0.0,
        satisfaction=said["satisfaction"],
        confidence=said["confidence"] * trust,
        interval=TimeInterval(at, at),
    )
