"""How one interaction is followed: the options of a session, as values. Names are those of the wire contract."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final

from mien.config import Settings
from mien.interfaces import (
    MISMATCH_PAIRS,
    FusionContext,
    MismatchPair,
    MismatchPolicy,
    NewCustomer,
    check_mismatch_pairs,
)
from mien.types import is_weight

MAX_NAME_LENGTH: Final = 128
"""Characters of a session's or a site's name."""

SETTINGS: Final = ("engine", "fusion", "session", "privacy")
"""The tables of the configuration that hold options of sessions. No two of them have a key in common."""


class Consent(StrEnum):
    """What the person in front of the camera was told."""

    UNSPECIFIED = "unspecified"
    NOTICE_SHOWN = "notice_shown"
    GIVEN = "given"


class CustomerPolicy(StrEnum):
    """Whose satisfaction it is where several faces are seen; plugins may register further policies.

    ``PRIMARY`` is the largest, most central face, held on to. ``ALL`` is everybody: each one's own, and the group's.
    """

    PRIMARY = "primary"
    ALL = "all"


ENUM_OPTIONS: Final[Mapping[str, type[StrEnum]]] = {
    "consent": Consent,
    "customer_policy": CustomerPolicy,
    "mismatch_policy": MismatchPolicy,
    "new_customer": NewCustomer,
}
"""The options that are one of a few words; plugins may add to those of ``customer_policy``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """The options of one session.

    Attributes:
        session_id: The caller's name for it, up to 128 characters.
        analyzers: Names of the analyzers that take part; for whoever runs them.
        fuser: Name of the fuser; for whoever loads it.
        weights: Modality -> weight, not negative; 1 for a modality that is not named.
        consent: What the person was told.
        require_consent: Refuse to open without a consent.
        snapshot_interval_seconds: Seconds between two analysed pictures; for whoever picks the frames.
        max_snapshots: The session ends after so many analysed pictures.
        half_life_seconds: Seconds after which evidence counts half in the running score.
        idle_timeout_seconds: The session ends after so many seconds without anything pushed.
        customer_policy: Whose satisfaction it is: the name of a registered policy.
        new_customer: What is done when the customer has left and another stands there.
        keep_ledger: Keep what the analyzers said, so that the session can be replayed; for whoever runs it.
        exclude_regions: Parts of the picture to leave out, as fractions (x, y, width, height) of its size; a face is
            left out where its middle lies in one.
        redact_transcript: Take words out of answers; for whoever gives them.
        partials: Tell what is being said before it has ended; for whoever runs the analyzers.
        mismatch_policy: What to do where two groups of modalities disagree.
        mismatch_pairs: Which groups of modalities are held against each other.
        expected_modalities: Those whose absence lowers the coverage; empty expects what comes.
        site: The caller's name for the place, up to 128 characters.
        good_threshold: A score at or above it may be GOOD, for fusers with thresholds on the score.
        poor_threshold: A score at or below it may be POOR, likewise.
        good_share: Share of the site's visits that are good, for fusers that tell how likely a visit is.
        poor_share: Share of them that are poor; the rest is neutral.
        max_wrong_share: Of the verdicts such a fuser gives, no more than this share should be wrong.
        min_confidence: Below it the verdict is UNDECIDED.
        verdict_hysteresis: How far the score must move from where a verdict last held before the verdict is given up.
        late_tolerance_seconds: How far, in seconds, a prediction may lie behind the newest of its kind and still count.

    Raises:
        ValueError: A value is outside its range.
    """

    session_id: str = ""
    analyzers: tuple[str, ...] = ()
    fuser: str = "fitted"
    weights: Mapping[str, float] = field(default_factory=dict)
    consent: Consent = Consent.UNSPECIFIED
    require_consent: bool = False
    snapshot_interval_seconds: float = 1.0
    max_snapshots: int = 100
    half_life_seconds: float = 10.0
    idle_timeout_seconds: float = 30.0
    customer_policy: str = CustomerPolicy.PRIMARY
    new_customer: NewCustomer = NewCustomer.END
    keep_ledger: bool = False
    exclude_regions: tuple[tuple[float, float, float, float], ...] = ()
    redact_transcript: bool = False
    partials: bool = False
    mismatch_policy: MismatchPolicy = MismatchPolicy.BLEND
    mismatch_pairs: tuple[MismatchPair, ...] = MISMATCH_PAIRS
    expected_modalities: frozenset[str] = frozenset()
    site: str = ""
    good_threshold: float = 0.6
    poor_threshold: float = 0.4
    good_share: float = 0.3
    poor_share: float = 0.2
    max_wrong_share: float = 0.08
    min_confidence: float = 0.2
    verdict_hysteresis: float = 0.05
    late_tolerance_seconds: float = 5.0

    def __post_init__(self) -> None:
        # An enum's member may come as its word, as from a configuration; a customer policy may be a plugin's.
        for name, kind in ENUM_OPTIONS.items():
            if name != "customer_policy" or self.customer_policy in list(kind):
                object.__setattr__(self, name, enum_member(name, getattr(self, name)))
        for name in ("session_id", "site"):
            if len(getattr(self, name)) > MAX_NAME_LENGTH:
                raise ValueError(f"{name} must have at most {MAX_NAME_LENGTH} characters")
        for name in ("half_life_seconds", "idle_timeout_seconds"):
            _require(name, getattr(self, name), "positive and finite", 0.0 < getattr(self, name) < math.inf)
        for name in ("snapshot_interval_seconds", "late_tolerance_seconds"):
            _require(name, getattr(self, name), "finite and not negative", 0.0 <= getattr(self, name) < math.inf)
        for name in ("good_threshold", "poor_threshold", "min_confidence", "verdict_hysteresis"):
            _require(name, getattr(self, name), "in [0, 1]", 0.0 <= getattr(self, name) <= 1.0)
        _require("max_snapshots", self.max_snapshots, "at least 1", self.max_snapshots >= 1)
        for modality, weight in self.weights.items():
            _require(f"weights[{modality!r}]", weight, "finite and not negative", is_weight(weight))
        for region in self.exclude_regions:
            inside = len(region) == 4 and all(0.0 <= part <= 1.0 for part in region)
            _require("exclude_regions", region, "four fractions (x, y, width, height) in [0, 1]", inside)
        for name in ("good_share", "poor_share", "max_wrong_share"):
            _require(name, getattr(self, name), "in (0, 1)", 0.0 < getattr(self, name) < 1.0)
        check_mismatch_pairs(self.mismatch_pairs)
        if self.good_share + self.poor_share > 1.0:
            raise ValueError(
                f"good_share and poor_share must be at most 1 together, got {self.good_share} and {self.poor_share}"
            )
        if self.poor_threshold >= self.good_threshold:
            raise ValueError(
                f"poor_threshold must be below good_threshold, got {self.poor_threshold} and {self.good_threshold}"
            )

    @classmethod
    def from_settings(cls, settings: Settings, **overrides: Any) -> SessionConfig:
        """The options that the configuration asks for: what the tables ``SETTINGS`` name has the names of this class.

        Args:
            settings: The whole configuration.
            **overrides: What this session sets itself, by the names of this class; None leaves the setting.
                ``weights`` replace the configured ones modality by modality.

        Raises:
            ValueError: A value is outside its range.
        """
        values = {
            name: getattr(getattr(settings, table), name)
            for table in SETTINGS
            for name in type(getattr(settings, table)).model_fields
            if name in _names_of(cls)
        }
        values.update((name, value) for name, value in overrides.items() if value is not None)
        values["weights"] = {**settings.fusion.weights, **(overrides.get("weights") or {})}
        return cls(**values)

    def fusion_context(self, *, half_life_seconds: float | None = None) -> FusionContext:
        """What the fuser is told; ``half_life_seconds`` replaces the session's own (infinite: nothing decays)."""
        values = {name: getattr(self, name) for name in _names_of(FusionContext) & _names_of(type(self))}
        values["expected"] = self.expected_modalities
        values["weights"] = dict(self.weights)
        if half_life_seconds is not None:
            values["half_life_seconds"] = half_life_seconds
        return FusionContext(**values)


def enum_member(option: str, value: str) -> StrEnum:
    """The member of an option's enum, given as such or as its word.

    Raises:
        ValueError: There is no such word.
    """
    kind = ENUM_OPTIONS[option]
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"{option} must be one of {', '.join(kind)}, got {value!r}") from None


def _names_of(kind: type[Any]) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind))


def _require(name: str, value: object, expected: str, holds: bool) -> None:
    if not holds:
        raise ValueError(f"{name} must be {expected}, got {value!r}")
