"""Whole visits as pictures and sound: somebody arrives, sways, speaks and leaves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from visits.kinds import Kind, Said, Shown
from visits.people import Pixels, Portrait, is_judge
from visits.pictures import HEIGHT, WIDTH, Painter, Pose
from visits.sampling import PASSING_SECONDS, SECONDS
from visits.sentences import Sentence
from visits.voices import RATE, Samples, Spoken, Voices, room

ARRIVING: Final = 1.5
"""Seconds that somebody takes to come, and to go."""

REAL: Final = 0.5
"""Share of neutral sentences that people say, not synthetic voices."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """When what is said."""

    at: float
    text: str
    samples: Samples

    @property
    def end(self) -> float:
        """Seconds."""
        return self.at + len(self.samples) / RATE


@dataclass(frozen=True, slots=True)
class Script:
    """A visit before it is rendered.

    Attributes:
        kind: What it is.
        seconds: How long it takes.
        resting: What the face shows.
        passing: What it shows meanwhile.
        passing_from: Seconds; and until when.
        passing_until: Seconds.
        utterances: In order.
        pose: In the middle of the visit.
        sway: Of the head: pixels across, pixels down, seconds a period, phase.
        seed: Of noise and the room.
    """

    kind: Kind
    seconds: float
    resting: Portrait
    passing: Portrait
    passing_from: float
    passing_until: float
    utterances: tuple[Utterance, ...]
    pose: Pose
    sway: tuple[float, float, float, float]
    seed: int


class Composer:
    """Writes scripts of visits by the persons and sentences that judge."""

    def __init__(
        self, portraits: Sequence[Portrait], sentences: Sequence[Sentence], real: Sequence[Spoken], *, seed: int
    ) -> None:
        self._random = np.random.default_rng(seed)
        self._portraits: dict[Shown, dict[str, list[Portrait]]] = defaultdict(lambda: defaultdict(list))
        for portrait in portraits:
            if is_judge(portrait.person):
                self._portraits[portrait.shown][portrait.person].append(portrait)
        self._sentences: dict[Said, list[str]] = defaultdict(list)
        for sentence in sentences:
            if sentence.judges:
                self._sentences[sentence.said].append(sentence.text)
        self._real = list(real)
        self._voices = Voices()

    def script(self, kind: Kind) -> Script:
        """One visit of a kind."""
        random = self._random
        seconds = random.uniform(*SECONDS)
        persons = set(self._portraits[kind.resting])
        if kind.passing is not None:
            persons &= set(self._portraits[kind.passing])
        person = str(random.choice(sorted(persons)))
        began = random.uniform(3.0, seconds - 5.0)
        return Script(
            kind=kind,
            seconds=seconds,
            resting=self._portrait(kind.resting, person),
            passing=self._portrait(kind.passing or kind.resting, person),
            passing_from=began,
            passing_until=began + (random.uniform(*PASSING_SECONDS) if kind.passing else 0.0),
            utterances=tuple(self._utterances(kind.said, seconds)),
            pose=Pose(
                across=random.uniform(250, 390),
                down=random.uniform(210, 270),
                side=random.uniform(140, 240),
                tilt=random.normal(0.0, 3.0),
                light=random.uniform(0.75, 1.2),
                blur=random.uniform(0.3, 0.9),
            ),
            sway=(random.uniform(4, 18), random.uniform(2, 8), random.uniform(3, 7), random.uniform(0, 6)),
            seed=int(random.integers(1 << 31)),
        )

    def _portrait(self, shown: Shown, person: str) -> Portrait:
        portraits = self._portraits[shown][person]
        return portraits[self._random.integers(len(portraits))]

    def _utterances(self, said: Said, seconds: float) -> Iterator[Utterance]:
        random = self._random
        if said is Said.NOTHING:
            return
        at = random.uniform(2.0, 3.5)
        for _ in range(random.integers(1, 3)):
            if said is Said.NEUTRAL and self._real and random.uniform() < REAL:
                spoken = self._real[random.integers(len(self._real))]
            else:
                texts = self._sentences[said]
                text = texts[random.integers(len(texts))]
                spoken = Spoken(text, self._voices.speak(text, random))
            utterance = Utterance(at, spoken.text, spoken.samples)
            if utterance.end > seconds - 0.5:
                break
            yield utterance
            at = utterance.end + random.uniform(1.5, 4.0)


def pictures(script: Script, painter: Painter, *, every: float) -> Iterator[tuple[float, Pixels]]:
    """The visit's pictures with their times, one ``every`` so many seconds."""
    random = np.random.default_rng(script.seed)
    decoded = {id(each): each.decode() for each in (script.resting, script.passing)}
    behind = painter.backdrop()
    for at in np.arange(0.3, script.seconds, every):
        shows = script.passing if script.passing_from <= at < script.passing_until else script.resting
        yield float(at), painter.paint(behind, shows, decoded[id(shows)], _pose(script, float(at), random))


def sound(script: Script) -> Samples:
    """The visit's sound."""
    random = np.random.default_rng(script.seed + 1)
    return room([(each.at, each.samples) for each in script.utterances], script.seconds, random)


def _pose(script: Script, at: float, random: np.random.Generator) -> Pose:
    pose, (across, down, period, phase) = script.pose, script.sway
    away = max(0.0, 1.0 - at / ARRIVING, 1.0 - (script.seconds - at) / ARRIVING)
    turn = 2.0 * np.pi * at / period + phase
    speaks = any(each.at <= at < each.end for each in script.utterances)
    return Pose(
        across=float(np.clip(pose.across + across * np.sin(turn) + 160.0 * away, 0, WIDTH)),
        down=float(np.clip(pose.down + down * np.cos(turn), 0, HEIGHT)),
        side=pose.side * (1.0 - 0.3 * away) * random.uniform(0.98, 1.02),
        tilt=pose.tilt + 2.0 * np.sin(turn / 1.3),
        light=pose.light,
        blur=pose.blur + away,
        mouth=random.uniform(0.0, 1.0) if speaks else 0.0,
    )
