"""Fusers: predictions about one subject in, one satisfaction out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, TypeAlias

from mien.types import Modality, Prediction, Reason, Satisfaction


@dataclass(frozen=True, slots=True, kw_only=True)
class FuserInfo:
    """What is known of a fuser before it is built.

    Attributes:
        version: Of the rule and its numbers together.
        description: One line.
        ignores: Names of ``FusionContext``'s fields that the rule leaves aside on purpose, such as
            ``half_life_seconds``; one that is not named here has to count.
    """

    version: str
    description: str = ""
    ignores: frozenset[str] = frozenset()


MismatchPair: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""Two groups of modalities that are held against each other; those of one group speak as one."""

MISMATCH_PAIRS: Final[tuple[MismatchPair, ...]] = (
    ((Modality.FACE.value,), (Modality.VOICE.value, Modality.TEXT.value)),
)
"""Which are compared unless somebody says otherwise: the face, and words however they came."""


def check_mismatch_pairs(pairs: Sequence[MismatchPair]) -> None:
    """See that each pair has two sides.

    Raises:
        ValueError: A side is empty, or a modality stands on both.
    """
    for one, other in pairs:
        if not one or not other or not set(one).isdisjoint(other):
            raise ValueError(
                "each of mismatch_pairs needs two groups of at least one modality each that share none, "
                f"got {list(one)} and {list(other)}"
            )


class MismatchPolicy(StrEnum):
    """What a fuser does where two groups of modalities point opposite ways.

    ``TRUST_WORDS`` leaves out what contradicts voice or text, ``TRUST_FACE`` what contradicts the face; a contradiction
    between others is blended.
    """

    BLEND = "blend"
    TRUST_WORDS = "trust_words"
    TRUST_FACE = "trust_face"
    ABSTAIN = "abstain"


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionContext:
    """What a fuser knows beside the predictions.

    Attributes:
        expected: The modalities that were asked for; those without a prediction lower the coverage.
        weights: Modality -> prior weight, not negative; 1 for a modality that is not named.
        now: The moment the score is for, seconds on the caller's clock; None takes the newest prediction's end.
        half_life_seconds: Seconds after which evidence counts half.
        good_threshold: A score at or above it may be GOOD, for rules with thresholds on the score.
        poor_threshold: A score at or below it may be POOR, likewise.
        good_share: Share of the site's visits that are good, for rules that tell how likely a visit is.
        poor_share: Share of them that are poor; the rest is neutral.
        max_wrong_share: Of the verdicts such a rule gives, no more than this share should be wrong.
        min_confidence: Below it the verdict is UNDECIDED.
        mismatch_policy: What to do where two groups of modalities disagree.
        mismatch_pairs: Which groups of modalities are held against each other.
    """

    expected: frozenset[str] = frozenset()
    weights: Mapping[str, float] = field(default_factory=dict)
    now: float | None = None
    half_life_seconds: float = 10.0
    good_threshold: float = 0.6
    poor_threshold: float = 0.4
    good_share: float = 0.3
    poor_share: float = 0.2
    max_wrong_share: float = 0.08
    min_confidence: float = 0.2
    mismatch_policy: MismatchPolicy = MismatchPolicy.BLEND
    mismatch_pairs: tuple[MismatchPair, ...] = MISMATCH_PAIRS

    @property
    def prior(self) -> tuple[float, float, float]:
        """The site's shares of poor, neutral and good visits; they sum to 1."""
        return self.poor_share, max(0.0, 1.0 - self.poor_share - self.good_share), self.good_share


class Accumulator(ABC):
    """The running evidence about one subject in a session: constant in memory, however much is added."""

    @abstractmethod
    def add(self, prediction: Prediction) -> None:
        """Take one prediction in, mostly in the order of time."""

    @abstractmethod
    def satisfaction(self, *, now: float | None = None) -> Satisfaction:
        """Fuse what was added so far.

        Args:
            now: The moment the score is for, seconds on the caller's clock; None takes the newest prediction's end.
        """

    def reasons(self) -> tuple[Reason, ...]:
        """What moved the score, the strongest first; nothing from a rule that cannot tell."""
        return ()


class Fuser(ABC):
    """Turns the predictions about one subject into one satisfaction. Stateless and deterministic."""

    @abstractmethod
    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        """Fuse; with no predictions, answer UNDECIDED with confidence and coverage 0."""

    def accumulator(self, context: FusionContext) -> Accumulator:
        """State for one subject of a session.

        The default keeps the newest predictions and fuses those; a fuser that can keep running sums overrides it.
        """
        return WindowAccumulator(self, context)


class WindowAccumulator(Accumulator):
    """Makes an accumulator of any fuser: keeps the newest ``size`` predictions and fuses them when asked."""

    def __init__(self, fuser: Fuser, context: FusionContext, *, size: int = 128) -> None:
        if size < 1:
            raise ValueError(f"size must be at least 1, got {size}")
        self._fuser = fuser
        self._context = context
        self._window: deque[Prediction] = deque(maxlen=size)

    def add(self, prediction: Prediction) -> None:
        """Take one prediction in; the oldest of a full window goes."""
        self._window.append(prediction)

    def satisfaction(self, *, now: float | None = None) -> Satisfaction:
        """Fuse the window."""
        return self._fuser.fuse(tuple(self._window), replace(self._context, now=now))
