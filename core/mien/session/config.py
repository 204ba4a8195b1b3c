"""How one interaction is followed: the options of a session, as values. Names are those of the wire contract."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from mien.config import Settings
from mien.interfaces import FusionContext, MismatchPolicy
from mien.types import is_weight

MAX_NAME_LENGTH: Final = 128
"""Characters of a session's or a site's name."""


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
        exclude_regions: Parts of the picture to leave out, as fractions (x, y, width, height) of its size; a face is
            left out where its middle lies in one.
        redact_transcript: Take words out of answers; for whoever gives them.
        mismatch_policy: What to do where face and words disagree.
        expected_modalities: Those whose absence lowers the coverage; empty expects what comes.
        site: The caller's name for the place, up to 128 characters.
        good_threshold: A score at or above it may be GOOD.
        poor_threshold: A score at or below it may be POOR.
        min_confidence: Below it the verdict is UNDECIDED.
        verdict_hysteresis: How far the score must move from where a verdict last held before the verdict is given up.
        late_tolerance_seconds: How far, in seconds, a prediction may lie behind the newest of its kind and still count.

    Raises:
        ValueError: A value is outside its range.
    """

    session_id: str = ""
    analyzers: tuple[str, ...] = ()
    fuser: str = "weighted_sum"
    weights: Mapping[str, float] = field(default_factory=dict)
    consent: Consent = Consent.UNSPECIFIED
    require_consent: bool = False
    snapshot_interval_seconds: float = 1.0
    max_snapshots: int = 100
    half_life_seconds: float = 10.0
    idle_timeout_seconds: float = 30.0
    customer_policy: str = CustomerPolicy.PRIMARY
    exclude_regions: tuple[tuple[float, float, float, float], ...] = ()
    redact_transcript: bool = False
    mismatch_policy: MismatchPolicy = MismatchPolicy.BLEND
    expected_modalities: frozenset[str] = frozenset()
    site: str = ""
    good_threshold: float = 0.6
    poor_threshold: float = 0.4
    min_confidence: float = 0.2
    verdict_hysteresis: float = 0.05
    late_tolerance_seconds: float = 5.0

    def __post_init__(self) -> None:
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
        if self.poor_threshold >= self.good_threshold:
            raise ValueError(
                f"poor_threshold must be below good_threshold, got {self.poor_threshold} and {self.good_threshold}"
            )

    @classmethod
    def from_settings(cls, settings: Settings, **overrides: Any) -> SessionConfig:
        """The options that the configuration asks for.

        Args:
            settings: The whole configuration.
            **overrides: What this session sets itself, by the names of this class; None leaves the setting.
                ``weights`` replace the configured ones modality by modality.

        Raises:
            ValueError: A value is outside its range.
        """
        fusion, session = settings.fusion, settings.session
        values: dict[str, Any] = {
            "analyzers": settings.engine.analyzers,
            "fuser": fusion.fuser,
            "require_consent": settings.privacy.require_consent,
            "snapshot_interval_seconds": session.snapshot_interval_seconds,
            "max_snapshots": session.max_snapshots,
            "half_life_seconds": fusion.half_life_seconds,
            "idle_timeout_seconds": session.idle_timeout_seconds,
            "customer_policy": _policy_of(session.customer_policy),
            "exclude_regions": session.exclude_regions,
            "redact_transcript": settings.privacy.redact_transcript,
            "mismatch_policy": fusion.mismatch_policy,
            "good_threshold": fusion.good_threshold,
            "poor_threshold": fusion.poor_threshold,
            "min_confidence": fusion.min_confidence,
            "verdict_hysteresis": session.verdict_hysteresis,
            "late_tolerance_seconds": session.late_tolerance_seconds,
        }
        values.update((name, value) for name, value in overrides.items() if value is not None)
        values["weights"] = {**fusion.weights, **(overrides.get("weights") or {})}
        return cls(**values)

    def fusion_context(self, *, half_life_seconds: float | None = None) -> FusionContext:
        """What the fuser is told; ``half_life_seconds`` replaces the session's own (infinite: nothing decays)."""
        return FusionContext(
            expected=self.expected_modalities,
            weights=dict(self.weights),
            half_life_seconds=self.half_life_seconds if half_life_seconds is None else half_life_seconds,
            good_threshold=self.good_threshold,
            poor_threshold=self.poor_threshold,
            min_confidence=self.min_confidence,
            mismatch_policy=self.mismatch_policy,
        )


def _policy_of(name: str) -> str:
    return CustomerPolicy(name) if name in list(CustomerPolicy) else name


def _require(name: str, value: object, expected: str, holds: bool) -> None:
    if not holds:
        raise ValueError(f"{name} must be {expected}, got {value!r}")
