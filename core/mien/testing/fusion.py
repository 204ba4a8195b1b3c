"""What every fuser must do, as tests to subclass. No pytest is imported here."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from mien.interfaces import Fuser, FusionContext
from mien.testing.conformance import in_threads, require
from mien.testing.fakes import make_prediction
from mien.types import Prediction, Satisfaction, Verdict

_TOLERANCE = 1e-6
_EXTREMES = (0.0, 0.25, 0.5, 1.0)


class FuserConformance:
    """The contract of ``mien.Fuser``. Subclass it, name the subclass ``Test...`` and define one fixture.

    Fixtures:
        fuser: The fuser.

    Attributes:
        modalities: Those it is tested with; the first must suffice by itself for a score.
    """

    modalities: ClassVar[tuple[str, ...]] = ("face", "voice", "text")

    def context(self) -> FusionContext:
        """What the tests fuse under: every modality is expected, and the moment is that of the predictions."""
        return FusionContext(expected=frozenset(self.modalities), now=0.0)

    def predictions(self) -> list[Prediction]:
        """Confident predictions, one a modality, that do not say quite the same."""
        return [
            make_prediction(modality, satisfaction=0.9 - 0.1 * index, confidence=0.8 - 0.1 * index)
            for index, modality in enumerate(self.modalities)
        ]

    def test_no_predictions_are_undecided(self, fuser: Fuser) -> None:
        """Nothing seen or heard is an answer: UNDECIDED, without confidence or coverage."""
        found = fuser.fuse([], self.context())
        require(found.verdict is Verdict.UNDECIDED, f"verdict is {found.verdict}")
        require(found.confidence == 0.0, f"confidence is {found.confidence}, expected 0")
        require(found.coverage == 0.0, f"coverage is {found.coverage}, expected 0")
        require(not found.contributions, f"contributions are {dict(found.contributions)}, expected none")

    def test_no_confidence_is_undecided(self, fuser: Fuser) -> None:
        """Predictions that nobody should trust decide nothing."""
        found = fuser.fuse([replace(each, confidence=0.0) for each in self.predictions()], self.context())
        require(found.verdict is Verdict.UNDECIDED, f"verdict is {found.verdict}")

    def test_every_answer_is_in_bounds(self, fuser: Fuser) -> None:
        """Extreme evidence, confidence and weights keep the score inside its interval and shares that sum to one."""
        for satisfaction, confidence, weight in itertools.product(_EXTREMES, _EXTREMES, (0.0, 1e-6, 1.0, 1e6)):
            predictions = [replace(self.predictions()[0], satisfaction=satisfaction, confidence=confidence)]
            context = replace(self.context(), weights={self.modalities[0]: weight})
            for evidence in (predictions, predictions + self.predictions()[1:]):
                self._require_sound(fuser.fuse(evidence, context), evidence)

    def test_any_set_of_modalities_gives_the_same_schema(self, fuser: Fuser) -> None:
        """One modality or several: the same fields, with contributions of those present and no others."""
        for count in range(1, len(self.modalities) + 1):
            for evidence in itertools.combinations(self.predictions(), count):
                self._require_sound(fuser.fuse(evidence, self.context()), evidence)

    def test_a_missing_modality_lowers_the_coverage(self, fuser: Fuser) -> None:
        """Evidence that was expected and did not come shows."""
        everything = fuser.fuse(self.predictions(), self.context())
        first = fuser.fuse(self.predictions()[:1], self.context())
        if everything.coverage == first.coverage:  # a rule that listens to one modality covers all it can
            require(everything.contributions.keys() == first.contributions.keys(), "coverage hides a missing modality")
        require(first.coverage <= everything.coverage, "coverage rose when a modality went missing")

    def test_evidence_without_confidence_changes_nothing(self, fuser: Fuser) -> None:
        """A prediction of confidence 0 does not move the score, whichever its modality."""
        evidence = self.predictions()[:1]
        before = fuser.fuse(evidence, self.context())
        for modality in self.modalities:
            silent = make_prediction(modality, satisfaction=0.0, confidence=0.0)
            after = fuser.fuse([*evidence, silent], self.context())
            require(_close(after, before), f"score {before.score} became {after.score} with {modality} unsure")
            require(after.verdict is before.verdict, f"verdict {before.verdict} became {after.verdict}")

    def test_the_order_of_predictions_does_not_matter(self, fuser: Fuser) -> None:
        """Every order gives the same score, confidence and verdict."""
        expected = fuser.fuse(self.predictions(), self.context())
        for evidence in itertools.permutations(self.predictions()):
            found = fuser.fuse(evidence, self.context())
            require(_close(found, expected), f"score {found.score} in another order, expected {expected.score}")
            require(found.verdict is expected.verdict, f"verdict {found.verdict}, expected {expected.verdict}")

    def test_a_fuser_remembers_nothing(self, fuser: Fuser) -> None:
        """The same evidence gives the same answer, whatever was fused between."""
        first = fuser.fuse(self.predictions(), self.context())
        fuser.fuse([make_prediction(self.modalities[0], satisfaction=0.0)], self.context())
        require(fuser.fuse(self.predictions(), self.context()) == first, "the same evidence got another answer")

    def test_an_accumulator_says_what_fusing_at_once_says(self, fuser: Fuser) -> None:
        """Evidence added bit by bit counts as much as all at once, and two accumulators share nothing."""
        first, second = fuser.accumulator(self.context()), fuser.accumulator(self.context())
        for count, prediction in enumerate(self.predictions(), start=1):
            first.add(prediction)
            expected = fuser.fuse(self.predictions()[:count], self.context())
            found = first.satisfaction(now=0.0)
            require(_close(found, expected), f"score {found.score} bit by bit, {expected.score} at once")
            require(found.verdict is expected.verdict, f"verdict {found.verdict}, expected {expected.verdict}")
        untouched = second.satisfaction(now=0.0)
        require(not untouched.contributions, "an accumulator knows what was added to another")

    def test_threads_do_not_disturb_each_other(self, fuser: Fuser) -> None:
        """Several threads at once get the answer that one gets."""
        expected = fuser.fuse(self.predictions(), self.context())
        for found in in_threads(lambda: fuser.fuse(self.predictions(), self.context())):
            require(found == expected, "a call that ran beside another got a different answer")

    def _require_sound(self, found: Satisfaction, evidence: Sequence[Prediction]) -> None:
        require(isinstance(found, Satisfaction), f"expected a Satisfaction, got {type(found).__name__}")
        inside = found.interval.low - _TOLERANCE <= found.score <= found.interval.high + _TOLERANCE
        require(inside, f"score {found.score} lies outside its interval {found.interval}")
        strangers = found.contributions.keys() - {prediction.modality for prediction in evidence}
        require(not strangers, f"contributions of modalities that were not there: {sorted(strangers)}")
        if found.contributions:
            total = sum(contribution.weight for contribution in found.contributions.values())
            require(abs(total - 1.0) <= 1e-6, f"shares sum to {total}")


def _close(found: Satisfaction, expected: Satisfaction) -> bool:
    return all(
        abs(one - other) <= _TOLERANCE
        for one, other in ((found.score, expected.score), (found.confidence, expected.confidence))
    )
