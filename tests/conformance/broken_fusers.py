"""Fusers and accumulators that break one rule each; ``BROKEN`` says which rule has to catch which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from mien import (
    UNKNOWN_SATISFACTION,
    Accumulator,
    Fuser,
    FusionContext,
    Prediction,
    Reason,
    Satisfaction,
    TimeInterval,
    Verdict,
    WindowAccumulator,
)
from mien.testing import FakeFuser

HALF: Final = 0.5


class Right(Fuser):
    """``FakeFuser`` with decay and a least confidence. Keeps every rule."""

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        newest = max((each.interval.end for each in predictions), default=0.0)
        now = newest if context.now is None else context.now
        faded = [
            replace(
                each,
                confidence=each.confidence * HALF ** max(0.0, (now - each.interval.end) / context.half_life_seconds),
            )
            for each in predictions
        ]
        found = FakeFuser().fuse(faded, context)
        return found if found.confidence >= context.min_confidence else replace(found, verdict=Verdict.UNDECIDED)


class Spoiled(Right):
    """Spoils the right answer."""

    def __init__(self, spoil: Callable[[Satisfaction], Any]) -> None:
        self.spoil = spoil

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        found = super().fuse(predictions, context)
        return self.spoil(found) if predictions else found  # type: ignore[no-any-return]


class Under(Right):
    """Fuses under another context than it was given."""

    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        return super().fuse(predictions, replace(context, **self.fields))


class Fixed(Right):
    """Its thresholds are its own."""

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        return super().fuse(predictions, replace(context, good_threshold=0.6, poor_threshold=0.4))


class Sorts(Right):
    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        predictions.sort(key=lambda each: each.satisfaction)  # type: ignore[attr-defined]
        return super().fuse(predictions, context)


class KnowsThree(Right):
    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        order = {"face": 0, "voice": 1, "text": 2}
        return super().fuse(sorted(predictions, key=lambda each: order[each.modality]), context)


class Rolls(Right):
    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        np.random.seed(len(predictions))
        return super().fuse(predictions, context)


class With(Right):
    """A fuser with an accumulator of its own."""

    def __init__(self, make: Callable[[Fuser, FusionContext], Accumulator]) -> None:
        self.make = make

    def accumulator(self, context: FusionContext) -> Accumulator:
        return self.make(Right(), context)


class NeverFades(WindowAccumulator):
    def __init__(self, fuser: Fuser, context: FusionContext) -> None:
        super().__init__(fuser, replace(context, half_life_seconds=1e9))


class LastOnly(WindowAccumulator):
    def __init__(self, fuser: Fuser, context: FusionContext) -> None:
        super().__init__(fuser, context, size=3)


class Endless(WindowAccumulator):
    def __init__(self, fuser: Fuser, context: FusionContext) -> None:
        super().__init__(fuser, context, size=10**9)


class Tires(WindowAccumulator):
    """Asking takes something away."""

    def satisfaction(self, *, now: float | None = None) -> Satisfaction:
        found = super().satisfaction(now=now)
        if len(self._window) > 1:
            self._window.popleft()
        return found


class InOrder(WindowAccumulator):
    def add(self, prediction: Prediction) -> None:
        if self._window and prediction.interval.end < self._window[-1].interval.end:
            raise ValueError("evidence must come in the order of time")
        super().add(prediction)


class Resets(WindowAccumulator):
    """Takes evidence that comes late for a clock that was set back, and begins anew."""

    late = False

    def add(self, prediction: Prediction) -> None:
        self.late = self.late or bool(self._window and prediction.interval.end < self._window[-1].interval.end)
        super().add(prediction)

    def satisfaction(self, *, now: float | None = None) -> Satisfaction:
        return UNKNOWN_SATISFACTION if self.late else super().satisfaction(now=now)


class Invents(WindowAccumulator):
    def reasons(self) -> tuple[Reason, ...]:
        return (Reason(modality="smell", interval=TimeInterval(0.0, 1.0), effect=0.5),)


class Tells(WindowAccumulator):
    def reasons(self) -> tuple[Reason, ...]:
        return ("the face",)  # type: ignore[return-value]


def always_good() -> Fuser:
    return Spoiled(lambda right: replace(right, verdict=Verdict.GOOD) if right.confidence else right)


BROKEN: dict[str, tuple[Callable[[], Fuser], str]] = {
    "always_good": (always_good, "test_better_evidence_gives_no_lower_score"),
    "always_the_same": (
        lambda: Spoiled(lambda right: replace(right, score=0.5, verdict=Verdict.UNDECIDED)),
        "test_better_evidence_gives_no_lower_score",
    ),
    "upside_down": (
        lambda: Spoiled(lambda right: replace(right, score=1.0 - right.score)),
        "test_better_evidence_gives_no_lower_score",
    ),
    "ignores_weights": (lambda: Under(weights={}), "test_weights_count"),
    "ignores_thresholds": (Fixed, "test_thresholds_count"),
    "ignores_the_half_life": (lambda: Under(half_life_seconds=10.0), "test_the_half_life_counts"),
    "ignores_the_least_confidence": (lambda: Under(min_confidence=0.0), "test_too_little_confidence_is_undecided"),
    "sorts_in_place": (Sorts, "test_predictions_are_left_as_they_were"),
    "numpy_score": (
        lambda: Spoiled(lambda right: replace(right, score=np.float64(right.score))),
        "test_numbers_are_plain",
    ),
    "knows_three": (KnowsThree, "test_modalities_of_others_are_taken"),
    "rolls": (Rolls, "test_the_process_is_left_as_it_was"),
    "never_fades": (lambda: With(NeverFades), "test_an_accumulator_lets_old_evidence_fade"),
    "last_only": (lambda: With(LastOnly), "test_an_accumulator_forgets_nothing_of_a_visit"),
    "endless": (lambda: With(Endless), "test_an_accumulator_does_not_grow"),
    "tires": (lambda: With(Tires), "test_asking_an_accumulator_changes_nothing"),
    "in_order_only": (lambda: With(InOrder), "test_evidence_that_comes_late_is_taken"),
    "begins_anew": (lambda: With(Resets), "test_evidence_that_comes_late_is_taken"),
    "invents_reasons": (lambda: With(Invents), "test_reasons_are_reasons"),
    "tells_strings": (lambda: With(Tells), "test_reasons_are_reasons"),
}
