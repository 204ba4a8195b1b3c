"""Figures about people at a counter: whether faces at rest are taken for discontent, and smiles and discontent found.

Arrays in, numbers out: the analyzer is run in ``mien_face_lab.asking``. Portraits of one person are not independent, so
that intervals are by bootstrap over the persons. Shapes: n portraits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import metrics
from mien_face_lab.evaluation import Ends

Strings = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float64]


class Kind(StrEnum):
    """What people on portraits do, as far as it matters at a counter."""

    NEUTRAL = "neutral"
    SMILING = "smiling"
    NEGATIVE = "negative"


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "neutral": Kind.NEUTRAL,
        "happiness": Kind.SMILING,
        "anger": Kind.NEGATIVE,
        "sadness": Kind.NEGATIVE,
        "disgust": Kind.NEGATIVE,
    }
)
"""A portrait's label -> its kind. Those of other labels are not judged: surprise, fear and contempt are rare among
portraits, and say little of a service."""

NEGATIVE_ANSWERS: Final = ("angry", "sad", "disgust", "fear")
"""Emotions that speak against satisfaction."""


class Measure(StrEnum):
    """What a figure is, and so how it is written."""

    SHARE = "share"
    EVIDENCE = "evidence"
    AUC = "auc"


@dataclass(frozen=True, slots=True)
class Definition:
    """One of the figures.

    Attributes:
        name: In JSON.
        description: For people.
        measure: What it is.
        kinds: Of the portraits that it is about.
    """

    name: str
    description: str
    measure: Measure
    kinds: tuple[Kind, ...]


DEFINITIONS: Final = (
    Definition("neutral_as_neutral", "neutral, read as neutral", Measure.SHARE, (Kind.NEUTRAL,)),
    Definition("neutral_as_negative", "neutral, read as angry, sad, disgust or fear", Measure.SHARE, (Kind.NEUTRAL,)),
    Definition("evidence_neutral", "mean evidence of neutral", Measure.EVIDENCE, (Kind.NEUTRAL,)),
    Definition("evidence_smiling", "mean evidence of smiling", Measure.EVIDENCE, (Kind.SMILING,)),
    Definition("evidence_negative", "mean evidence of negative", Measure.EVIDENCE, (Kind.NEGATIVE,)),
    Definition(
        "auc_neutral_negative", "AUC of evidence, neutral against negative", Measure.AUC, (Kind.NEUTRAL, Kind.NEGATIVE)
    ),
    Definition(
        "auc_smiling_neutral", "AUC of evidence, smiling against neutral", Measure.AUC, (Kind.SMILING, Kind.NEUTRAL)
    ),
)
"""All figures, in the order in which they are shown. An AUC is the chance that a portrait of the first kind has more
evidence than one of the second."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What was made of portraits with a face.

    Attributes:
        kinds: What each shows, ``[n]``, of ``Kind``.
        emotions: The most probable emotion of each, ``[n]``.
        evidence: Of satisfaction, [0, 1], ``[n]``.
        persons: Whom each shows, ``[n]``.
    """

    kinds: Strings
    emotions: Strings
    evidence: Floats
    persons: Strings

    def __post_init__(self) -> None:
        if len({array.shape for array in (self.kinds, self.emotions, self.evidence, self.persons)}) != 1:
            raise ValueError("kinds, emotions, evidence and persons must have one entry for each portrait")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure.

    Attributes:
        value: None without a portrait to judge by.
        interval: 95 %, by bootstrap over the persons; None likewise.
        n: Kind -> portraits that it is of.
    """

    value: float | None
    interval: Ends | None
    n: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CounterFigures:
    """How people at a counter are read.

    Attributes:
        name: Of the file of portraits.
        digest: Of pictures, persons and labels.
        portraits: That were looked at.
        persons: On them.
        without_face: Portraits in which no face was found; they are in no figure.
        left_out: Portraits of other labels, or of none, which were not looked at.
        learnt_from: Portraits of persons whom the network learnt from, which were not looked at either.
        figures: By the names of ``DEFINITIONS``.
    """

    name: str
    digest: str
    portraits: int
    persons: int
    without_face: int
    left_out: int
    learnt_from: int
    figures: Mapping[str, Figure]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def judge(readings: Readings, *, seed: int = 0, resamples: int = metrics.RESAMPLES) -> dict[str, Figure]:
    """All figures, by name.

    Args:
        readings: May lack kinds: what is said of them has no value then.
        seed: Of the samples that the bootstrap draws.
        resamples: How many.
    """
    counts = {kind: int(np.count_nonzero(readings.kinds == kind)) for kind in Kind}
    exist = np.array([all(counts[kind] for kind in each.kinds) for each in DEFINITIONS], np.bool_)
    values = _values(readings, np.ones(len(readings.kinds)))
    ends = np.full((len(DEFINITIONS), 2), np.nan)
    if exist.any():
        names, person_of = np.unique(readings.persons, return_inverse=True)

        def of_sample(chosen: npt.NDArray[np.int64]) -> Floats:
            return _values(readings, np.bincount(chosen, minlength=len(names))[person_of].astype(np.float64))[exist]

        ends[exist] = metrics.bootstrap(len(names), of_sample, seed=seed, resamples=resamples)
    return {
        each.name: Figure(
            float(value) if exists else None,
            (float(low), float(high)) if exists else None,
            {str(kind): counts[kind] for kind in each.kinds},
        )
        for each, value, (low, high), exists in zip(DEFINITIONS, values, ends, exist, strict=True)
    }


def auc(evidence: Floats, above: Floats, below: Floats) -> float:
    """Area under the ROC curve: the chance that one case has more evidence than another, where ties count half.

    Args:
        evidence: Of all cases, ``[n]``.
        above: How often each case is the one, ``[n]``, 0 or more.
        below: How often it is the other, ``[n]``.

    Returns:
        In [0, 1]; NaN where there is nothing on a side.
    """
    levels, level_of = np.unique(evidence, return_inverse=True)
    ups, downs = (np.bincount(level_of, weights=each, minlength=len(levels)) for each in (above, below))
    pairs = ups.sum() * downs.sum()
    lower = np.cumsum(downs) - downs / 2
    return float(ups @ lower / pairs) if pairs else float("nan")


def rows(counter: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """The figures as text for tables, the first row the head.

    Args:
        counter: As ``CounterFigures.to_json`` makes it.
    """
    shown = [("portraits", "figure", "95 % interval", "n")]
    for each in DEFINITIONS:
        found = counter["figures"][each.name]
        n = " + ".join(f"{count:,}" for count in found["n"].values())
        if found["value"] is None:
            shown.append((each.description, "-", "-", n))
            continue
        write = _WRITTEN[each.measure].format
        low, high = found["interval"]
        shown.append((each.description, write(found["value"]), f"{write(low)} to {write(high)}", n))
    return shown


def lead(counter: Mapping[str, Any]) -> str:
    """What the figures are of, in a sentence; for the same argument as ``rows``."""
    learnt = counter["learnt_from"]
    known = f"; {learnt:,} more, of persons whom the network learnt from, were not looked at" if learnt else ""
    return (
        f"{counter['portraits']:,} portraits of {counter['persons']:,} persons; no face was found in "
        f"{counter['without_face']:,}, which are in no figure; {counter['left_out']:,} more have another label or none"
        f"{known}"
    )


_WRITTEN: Final = MappingProxyType({Measure.SHARE: "{:.1%}", Measure.EVIDENCE: "{:.2f}", Measure.AUC: "{:.3f}"})


def _values(readings: Readings, weights: Floats) -> Floats:
    """The figures in the order of ``DEFINITIONS``, each portrait counted ``weights`` times; NaN without a case."""
    of_kind = {kind: weights * (readings.kinds == kind) for kind in Kind}
    neutral = of_kind[Kind.NEUTRAL]
    return np.array(
        [
            _mean(readings.emotions == "neutral", neutral),
            _mean(np.isin(readings.emotions, NEGATIVE_ANSWERS), neutral),
            *(_mean(readings.evidence, of_kind[kind]) for kind in (Kind.NEUTRAL, Kind.SMILING, Kind.NEGATIVE)),
            auc(readings.evidence, neutral, of_kind[Kind.NEGATIVE]),
            auc(readings.evidence, of_kind[Kind.SMILING], neutral),
        ]
    )


def _mean(values: npt.NDArray[np.bool_] | Floats, weights: Floats) -> float:
    total = weights.sum()
    return float(values @ weights / total) if total else float("nan")
