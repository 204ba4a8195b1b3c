"""What the running evidence of a session must do, as tests to subclass. ``FuserConformance`` has them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from mien.interfaces import Fuser, FusionContext
from mien.testing.fakes import make_prediction
from mien.testing.memory import require_no_growth
from mien.testing.rules import Conformance, Grade, not_applicable, require, rule
from mien.types import Prediction, Reason, Satisfaction

TOLERANCE = 1e-6
_HALF_LIFE = 5.0  # seconds


class AccumulatorConformance(Conformance):
    """The contract of ``mien.Accumulator``. Subclass it, name the subclass ``Test...`` and define one fixture.

    Fixtures:
        fuser: The fuser whose accumulators are tested.

    Attributes:
        modalities: Those it is tested with; the first must suffice by itself for a score.
        ignores: As ``FuserInfo.ignores``: what of the context the rule leaves aside on purpose.
    """

    modalities: ClassVar[tuple[str, ...]] = ("face", "voice", "text")
    ignores: ClassVar[frozenset[str]] = frozenset()

    def context(self) -> FusionContext:
        """What the tests fuse under: every modality is expected, and the moment is that of the predictions."""
        return FusionContext(expected=frozenset(self.modalities), now=0.0)

    def predictions(self) -> list[Prediction]:
        """Confident predictions, one a modality, that do not say quite the same."""
        return [
            make_prediction(modality, satisfaction=0.9 - 0.1 * index, confidence=0.8 - 0.1 * index)
            for index, modality in enumerate(self.modalities)
        ]

    @rule(Grade.BRONZE)
    def test_an_accumulator_says_what_fusing_at_once_says(self, fuser: Fuser) -> None:
        """Evidence added bit by bit counts as much as all at once, and two accumulators share nothing."""
        first, second = fuser.accumulator(self.context()), fuser.accumulator(self.context())
        for count, prediction in enumerate(self.predictions(), start=1):
            first.add(prediction)
            expected = fuser.fuse(self.predictions()[:count], self.context())
            found = first.satisfaction(now=0.0)
            require(close(found, expected), f"score {found.score} bit by bit, {expected.score} at once")
            require(found.verdict is expected.verdict, f"verdict {found.verdict}, expected {expected.verdict}")
        untouched = second.satisfaction(now=0.0)
        require(not untouched.contributions, "an accumulator knows what was added to another")

    @rule(Grade.BRONZE)
    def test_an_accumulator_forgets_nothing_of_a_visit(self, fuser: Fuser) -> None:
        """Moments of one modality, good and bad, count as much one after the other as all at once."""
        visit = _visit(self.modalities[0], (0.95, 0.1, 0.9, 0.15, 0.9, 0.2, 0.55, 0.5))
        context = replace(self.context(), now=visit[-1].interval.end)
        running = fuser.accumulator(context)
        for prediction in visit:
            running.add(prediction)
        found, expected = running.satisfaction(now=context.now), fuser.fuse(visit, context)
        require(close(found, expected), f"score {found.score} after a visit, and {expected.score} of it at once")

    @rule(Grade.SILVER)
    def test_asking_an_accumulator_changes_nothing(self, fuser: Fuser) -> None:
        """It is asked after every picture: the score does not depend on how often."""
        quiet, asked = fuser.accumulator(self.context()), fuser.accumulator(self.context())
        for prediction in _visit(self.modalities[0], (0.9, 0.3, 0.8, 0.2)):
            quiet.add(prediction)
            asked.add(prediction)
            for _ in range(3):
                asked.satisfaction()
                asked.reasons()
        found, expected = asked.satisfaction(), quiet.satisfaction()
        require(found == expected, f"score {found.score} where it was asked often, and {expected.score} where not")

    @rule(Grade.BRONZE)
    def test_an_accumulator_lets_old_evidence_fade(self, fuser: Fuser) -> None:
        """What was shown many half-lives ago counts next to nothing beside what is shown now."""
        if "half_life_seconds" in self.ignores:
            raise not_applicable("the rule does not let evidence fade, and says so")
        context = replace(self.context(), half_life_seconds=_HALF_LIFE, now=None)
        recent = make_prediction(self.modalities[0], satisfaction=0.9, at=40.0 * _HALF_LIFE)
        alone, after = fuser.accumulator(context), fuser.accumulator(context)
        for prediction in _visit(self.modalities[0], (0.05,) * 6):
            after.add(prediction)
        before = after.satisfaction().score
        alone.add(recent)
        after.add(recent)
        found, expected = after.satisfaction().score, alone.satisfaction().score
        nearer = abs(found - expected) <= 0.25 * abs(before - expected)
        require(nearer, f"the score is {found:.3f} forty half-lives after bad moments, and {expected:.3f} without them")

    @rule(Grade.SILVER)
    def test_evidence_that_comes_late_is_taken(self, fuser: Fuser) -> None:
        """Words are told after the pictures of their time: the order of coming raises nothing."""
        running = fuser.accumulator(replace(self.context(), now=None))
        for at in (10.0, 4.0, 12.0, 3.0):
            running.add(make_prediction(self.modalities[0], satisfaction=0.8, at=at))
        found = running.satisfaction()
        require(isinstance(found, Satisfaction), f"expected a Satisfaction, got {type(found).__name__}")
        require(bool(found.contributions), "evidence that came late was lost with all the rest")

    @rule(Grade.SILVER)
    def test_reasons_are_reasons(self, fuser: Fuser) -> None:
        """Where a rule tells why, it tells moments that were there."""
        running = fuser.accumulator(replace(self.context(), half_life_seconds=float("inf"), now=None))
        visit = _visit(self.modalities[0], (0.9, 0.9, 0.1, 0.9))
        for prediction in visit:
            running.add(prediction)
        reasons = running.reasons()
        require(all(isinstance(each, Reason) for each in reasons), f"not all are Reasons: {reasons}")
        strangers = [each.modality for each in reasons if each.modality != self.modalities[0]]
        require(not strangers, f"reasons of modalities that were not there: {strangers}")

    @rule(Grade.GOLD)
    def test_an_accumulator_does_not_grow(self, fuser: Fuser) -> None:
        """Constant in memory, however long a session lasts."""
        running = fuser.accumulator(replace(self.context(), now=None))

        def add(number: int) -> None:
            satisfaction = 0.2 + 0.6 * (number % 7) / 6.0
            running.add(make_prediction(self.modalities[0], satisfaction=satisfaction, at=float(number)))
            if number % 50 == 0:
                running.satisfaction()

        require_no_growth(add, calls=2000, warm_up=1000, budget_seconds=self.memory_seconds, what="Accumulator.add")


def close(found: Satisfaction, expected: Satisfaction) -> bool:
    """Whether two say the same, but for rounding."""
    return all(
        abs(one - other) <= TOLERANCE
        for one, other in ((found.score, expected.score), (found.confidence, expected.confidence))
    )


def _visit(modality: str, evidence: Sequence[float]) -> list[Prediction]:
    """A moment every half second."""
    return [
        make_prediction(modality, satisfaction=satisfaction, confidence=0.9, at=index / 2.0)
        for index, satisfaction in enumerate(evidence)
    ]
