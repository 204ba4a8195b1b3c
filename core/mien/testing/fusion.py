"""What every fuser must do, as tests to subclass. No pytest is imported here."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

from mien.interfaces import Fuser
from mien.testing.accumulators import TOLERANCE, AccumulatorConformance, close
from mien.testing.fakes import make_prediction
from mien.testing.predictions import require_plain_satisfaction
from mien.testing.rules import Grade, in_threads, not_applicable, require, rule
from mien.testing.surroundings import left_alone
from mien.types import Prediction, Satisfaction, Verdict

_EXTREMES = (0.0, 0.25, 0.5, 1.0)


class FuserConformance(AccumulatorConformance):
    """The contract of ``mien.Fuser``. Subclass it, name the subclass ``Test...`` and define one fixture.

    Fixtures:
        fuser: The fuser.

    Attributes:
        modalities: Those it is tested with; the first must suffice by itself for a score.
        ignores: As ``FuserInfo.ignores``: what of the context the rule leaves aside on purpose.
    """

    @rule(Grade.BRONZE)
    def test_no_predictions_are_undecided(self, fuser: Fuser) -> None:
        """Nothing seen or heard is an answer: UNDECIDED, without confidence or coverage."""
        found = fuser.fuse([], self.context())
        require(found.verdict is Verdict.UNDECIDED, f"verdict is {found.verdict}")
        require(found.confidence == 0.0, f"confidence is {found.confidence}, expected 0")
        require(found.coverage == 0.0, f"coverage is {found.coverage}, expected 0")
        require(not found.contributions, f"contributions are {dict(found.contributions)}, expected none")

    @rule(Grade.BRONZE)
    def test_no_confidence_is_undecided(self, fuser: Fuser) -> None:
        """Predictions that nobody should trust decide nothing."""
        found = fuser.fuse([replace(each, confidence=0.0) for each in self.predictions()], self.context())
        require(found.verdict is Verdict.UNDECIDED, f"verdict is {found.verdict}")

    @rule(Grade.BRONZE)
    def test_every_answer_is_in_bounds(self, fuser: Fuser) -> None:
        """Extreme evidence, confidence and weights keep the score inside its interval and shares that sum to one."""
        for satisfaction, confidence, weight in itertools.product(_EXTREMES, _EXTREMES, (0.0, 1e-6, 1.0, 1e6)):
            predictions = [replace(self.predictions()[0], satisfaction=satisfaction, confidence=confidence)]
            context = replace(self.context(), weights={self.modalities[0]: weight})
            for evidence in (predictions, predictions + self.predictions()[1:]):
                self._require_sound(fuser.fuse(evidence, context), evidence)

    @rule(Grade.BRONZE)
    def test_any_set_of_modalities_gives_the_same_schema(self, fuser: Fuser) -> None:
        """One modality or several: the same fields, with contributions of those present and no others."""
        for count in range(1, len(self.modalities) + 1):
            for evidence in itertools.combinations(self.predictions(), count):
                self._require_sound(fuser.fuse(evidence, self.context()), evidence)

    @rule(Grade.BRONZE)
    def test_a_missing_modality_lowers_the_coverage(self, fuser: Fuser) -> None:
        """Evidence that was expected and did not come shows."""
        everything = fuser.fuse(self.predictions(), self.context())
        first = fuser.fuse(self.predictions()[:1], self.context())
        if everything.coverage == first.coverage:  # a rule that listens to one modality covers all it can
            require(everything.contributions.keys() == first.contributions.keys(), "coverage hides a missing modality")
        require(first.coverage <= everything.coverage, "coverage rose when a modality went missing")

    @rule(Grade.BRONZE)
    def test_evidence_without_confidence_changes_nothing(self, fuser: Fuser) -> None:
        """A prediction of confidence 0 does not move the score, whichever its modality."""
        evidence = self.predictions()[:1]
        before = fuser.fuse(evidence, self.context())
        for modality in self.modalities:
            silent = make_prediction(modality, satisfaction=0.0, confidence=0.0)
            after = fuser.fuse([*evidence, silent], self.context())
            require(close(after, before), f"score {before.score} became {after.score} with {modality} unsure")
            require(after.verdict is before.verdict, f"verdict {before.verdict} became {after.verdict}")

    @rule(Grade.BRONZE)
    def test_the_order_of_predictions_does_not_matter(self, fuser: Fuser) -> None:
        """Every order gives the same score, confidence and verdict."""
        expected = fuser.fuse(self.predictions(), self.context())
        for evidence in itertools.permutations(self.predictions()):
            found = fuser.fuse(evidence, self.context())
            require(close(found, expected), f"score {found.score} in another order, expected {expected.score}")
            require(found.verdict is expected.verdict, f"verdict {found.verdict}, expected {expected.verdict}")

    @rule(Grade.BRONZE)
    def test_a_fuser_remembers_nothing(self, fuser: Fuser) -> None:
        """The same evidence gives the same answer, whatever was fused between."""
        first = fuser.fuse(self.predictions(), self.context())
        fuser.fuse([make_prediction(self.modalities[0], satisfaction=0.0)], self.context())
        require(fuser.fuse(self.predictions(), self.context()) == first, "the same evidence got another answer")

    @rule(Grade.SILVER)
    def test_threads_do_not_disturb_each_other(self, fuser: Fuser) -> None:
        """Several threads at once get the answer that one gets."""
        expected = fuser.fuse(self.predictions(), self.context())
        for found in in_threads(lambda _: fuser.fuse(self.predictions(), self.context()), seconds=self.seconds):
            require(found == expected, "a call that ran beside another got a different answer")

    @rule(Grade.BRONZE)
    def test_better_evidence_gives_no_lower_score(self, fuser: Fuser) -> None:
        """From nothing but bad to nothing but good the score rises, and what is bad is not called good."""
        steps = [0.0, 0.25, 0.5, 0.75, 1.0]
        found = [fuser.fuse(self._all_saying(step), self.context()) for step in steps]
        scores = [each.score for each in found]
        require(scores == sorted(scores), f"scores {scores} for evidence {steps}")
        require(scores[0] < scores[-1], f"the score is {scores[0]} whatever the evidence is")
        require(found[0].verdict is not Verdict.GOOD, "evidence of 0 in every modality is called good")
        require(found[-1].verdict is not Verdict.POOR, "evidence of 1 in every modality is called poor")

    @rule(Grade.BRONZE)
    def test_weights_count(self, fuser: Fuser) -> None:
        """A modality that weighs more pulls the score its way; one of weight 0 is not listened to."""
        self._needs("weights")
        if len(self.modalities) < 2:
            raise not_applicable("it is tested with one modality")
        one, other = self.modalities[:2]
        evidence = [make_prediction(one, satisfaction=0.9), make_prediction(other, satisfaction=0.1)]

        def score(weight: float) -> float:
            context = replace(self.context(), weights={one: weight, other: 1.0}, mismatch_pairs=())
            return fuser.fuse(evidence, context).score

        light, even, heavy = score(0.1), score(1.0), score(10.0)
        require(light < even < heavy, f"scores {light}, {even} and {heavy} for weights 0.1, 1 and 10 of {one!r}")

    @rule(Grade.BRONZE)
    def test_thresholds_count(self, fuser: Fuser) -> None:
        """The same evidence is good, undecided or poor, as the context's thresholds say."""
        self._needs("good_threshold", "poor_threshold")
        evidence = [make_prediction(self.modalities[0], satisfaction=0.7, at=float(at)) for at in range(20)]
        context = replace(self.context(), now=None, half_life_seconds=1e6)

        def verdict(poor: float, good: float) -> Verdict:
            return fuser.fuse(evidence, replace(context, poor_threshold=poor, good_threshold=good)).verdict

        score = fuser.fuse(evidence, context).score
        low, high = score * 0.02, 1.0 - (1.0 - score) * 0.02
        require(verdict(low / 2.0, low) is Verdict.GOOD, f"score {score} is not good at a threshold of {low:.3f}")
        require(verdict(low, high) is Verdict.UNDECIDED, f"score {score} is decided between thresholds on either side")
        require(verdict(high, high + (1.0 - high) / 2.0) is Verdict.POOR, f"score {score} is not poor at {high:.3f}")

    @rule(Grade.BRONZE)
    def test_the_half_life_counts(self, fuser: Fuser) -> None:
        """The shorter it is, the less what was shown before weighs beside what is shown now."""
        self._needs("half_life_seconds")
        first = self.modalities[0]
        evidence = [make_prediction(first, satisfaction=0.1, at=0.0), make_prediction(first, satisfaction=0.9, at=10.0)]
        scores = [
            fuser.fuse(evidence, replace(self.context(), now=10.0, half_life_seconds=half_life)).score
            for half_life in (1e6, 10.0, 1.0)
        ]
        require(scores[0] < scores[1] < scores[2], f"scores {scores} for half-lives of a million, 10 and 1 seconds")

    @rule(Grade.BRONZE)
    def test_too_little_confidence_is_undecided(self, fuser: Fuser) -> None:
        """Below ``min_confidence`` nothing is decided, however good the evidence."""
        self._needs("min_confidence")
        evidence = [replace(each, confidence=0.3) for each in self._all_saying(1.0)]
        found = fuser.fuse(evidence, replace(self.context(), min_confidence=0.99))
        require(found.verdict is Verdict.UNDECIDED, f"confidence {found.confidence}, least 0.99: {found.verdict}")

    @rule(Grade.BRONZE)
    def test_predictions_are_left_as_they_were(self, fuser: Fuser) -> None:
        """Nothing that a fuser is given is changed: neither predictions nor the context."""
        evidence, context = self.predictions(), replace(self.context(), weights={self.modalities[0]: 2.0})
        before = deepcopy((evidence, context))
        fuser.fuse(evidence, context)
        require((evidence, context) == before, "fuse changed what it was given")

    @rule(Grade.SILVER)
    def test_numbers_are_plain(self, fuser: Fuser) -> None:
        """Floats of Python's own, no numpy scalars."""
        require_plain_satisfaction(fuser.fuse(self.predictions(), self.context()))

    @rule(Grade.SILVER)
    def test_modalities_of_others_are_taken(self, fuser: Fuser) -> None:
        """Evidence of a modality that nobody has heard of, and much of it, raises nothing."""
        evidence = [*self.predictions(), make_prediction("gait", satisfaction=0.8)]
        self._require_sound(fuser.fuse(evidence, self.context()), evidence)
        many = [make_prediction(self.modalities[0], satisfaction=0.6, at=float(at)) for at in range(500)]
        self._require_sound(fuser.fuse(many, replace(self.context(), now=None)), many)

    @rule(Grade.SILVER)
    def test_the_process_is_left_as_it_was(self, fuser: Fuser) -> None:
        """No working directory, variable, signal handler, random state or library switch is changed by a call."""
        with left_alone("fuse"):
            fuser.fuse(self.predictions(), self.context())

    def _needs(self, *fields: str) -> None:
        ignored = sorted(set(fields) & self.ignores)
        if ignored:
            raise not_applicable(f"the rule leaves {' and '.join(ignored)} aside, and says so")

    def _all_saying(self, satisfaction: float) -> list[Prediction]:
        """All modalities agree, several times."""
        return [
            make_prediction(modality, satisfaction=satisfaction, at=-at / 10.0)
            for modality in self.modalities
            for at in range(10)
        ]

    def _require_sound(self, found: Satisfaction, evidence: Sequence[Prediction]) -> None:
        require(isinstance(found, Satisfaction), f"expected a Satisfaction, got {type(found).__name__}")
        inside = found.interval.low - TOLERANCE <= found.score <= found.interval.high + TOLERANCE
        require(inside, f"score {found.score} lies outside its interval {found.interval}")
        strangers = found.contributions.keys() - {prediction.modality for prediction in evidence}
        require(not strangers, f"contributions of modalities that were not there: {sorted(strangers)}")
        if found.contributions:
            total = sum(contribution.weight for contribution in found.contributions.values())
            require(abs(total - 1.0) <= 1e-6, f"shares sum to {total}")
