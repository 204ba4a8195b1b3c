"""The phases of a session: the time between markers, each with its own undecayed evidence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from mien.errors import InputError
from mien.interfaces import Accumulator
from mien.session.values import START, Phase
from mien.types import Prediction, TimeInterval

MAX_PHASES: Final = 32
"""A session keeps so many, so that its memory does not grow."""


class _OpenPhase:
    __slots__ = ("began_at", "evidence", "is_empty", "name")

    def __init__(self, name: str, began_at: float, evidence: Accumulator) -> None:
        self.name = name
        self.began_at = began_at
        self.evidence = evidence
        self.is_empty = True


class PhaseLog:
    """Puts evidence into the phase that it belongs to by its time, also where it comes after the next marker."""

    __slots__ = ("_new_evidence", "_phases")

    def __init__(self, new_evidence: Callable[[], Accumulator]) -> None:
        self._new_evidence = new_evidence
        self._phases = [_OpenPhase(START, -math.inf, new_evidence())]

    def last_began_at(self) -> float:
        """When the phase that now runs began; minus infinity where that is not known."""
        return self._phases[-1].began_at

    def begin(self, name: str, at: float) -> None:
        """End the running phase and begin another; a first phase without evidence is replaced.

        Raises:
            InputError: There are too many.
        """
        if len(self._phases) == 1 and self._phases[0].is_empty:
            self._phases.clear()
        elif len(self._phases) >= MAX_PHASES:
            raise InputError(f"a session keeps at most {MAX_PHASES} phases; the marker {name!r} is one too many")
        self._phases.append(_OpenPhase(name, at, self._new_evidence()))

    def add(self, prediction: Prediction) -> None:
        """Put a prediction into the phase that was running when it was made; the first takes what is older."""
        at = prediction.interval.end
        phase = next((each for each in reversed(self._phases) if each.began_at <= at), self._phases[0])
        phase.evidence.add(prediction)
        phase.is_empty = False

    def phases(self, since: float, until: float) -> tuple[Phase, ...]:
        """All phases in order of time, from ``since`` (where no marker began the first one) to ``until``."""
        begins = [max(phase.began_at, since) if phase is self._phases[0] else phase.began_at for phase in self._phases]
        return tuple(
            Phase(
                name=phase.name,
                interval=TimeInterval(begin, max(begin, end)),
                satisfaction=phase.evidence.satisfaction(),
            )
            for phase, begin, end in zip(self._phases, begins, [*begins[1:], until], strict=True)
        )
