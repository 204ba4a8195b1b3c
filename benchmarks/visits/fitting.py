"""Fits the model of a visit to visits: coefficients, cut points, spread and the quantiles that thresholds follow from.

Ordered logistic regression by maximum a posteriori; kinds of one truth count alike, and so do the three truths. The
spread is fitted to visits of persons whom the coefficients did not see: what ``z`` differs by among visits of one kind,
of which the same is true, is error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from mien import FusionContext, Prediction
from mien_fusion.fitted import FittedAccumulator
from mien_fusion.interval import Z_90
from mien_fusion.settings import FusionPluginSettings
from mien_fusion.visitmodel import VisitModel, parse_model
from visits.kinds import KINDS, Said, Truth
from visits.sampling import Visit

Floats = npt.NDArray[np.float64]

FEW_ANSWERS: Final = 0.25
"""``n_0``: chosen, not fitted, for composed visits hardly differ from picture to picture. One fair picture then counts
three quarters of many."""

FEW_SPREAD: Final = 2.0
"""Variance of ``z`` where there are next to no pictures, at least: likewise."""

RIDGE: Final = 0.002
"""Precision of the prior on each coefficient, for each visit."""

OTHER_SHARE: Final = 0.15 / 0.85
"""What a stream that nobody has fitted, such as the tone of voice, weighs against the face: see
``benchmarks/fusion_on_people.py``."""

QUANTILES: Final = 61
NAMES: Final = ("level", "up", "down", "rise", "fall", "kind", "complaint")
TRUTHS: Final = (Truth.POOR, Truth.NEUTRAL, Truth.GOOD)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Visits as arrays, one row each.

    Attributes:
        face: Level, up, down, rise, fall, ``[visits, 5]``.
        answers: Effective pictures, ``[visits]``.
        words: Good, poor, ``[visits, 2]``.
        truth: Position in ``TRUTHS``, ``[visits]``.
        kind: Position in ``KINDS``, and past them those without words, ``[visits]``.
        weight: Of each row, summing to the number of rows.
    """

    face: Floats
    answers: Floats
    words: Floats
    truth: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    weight: Floats


def tabulate(visits: Sequence[Visit]) -> Table:
    """Each visit with what was seen and heard, and with what was seen alone where the face tells the truth."""
    rows: list[tuple[list[float], float, list[float], int, int]] = []
    for visit in visits:
        number = KINDS.index(visit.kind)
        truth = TRUTHS.index(visit.kind.truth)
        ways = [(visit.seen + visit.heard, number)]
        if visit.kind.faces_tell and visit.heard:
            ways.append((visit.seen, number + len(KINDS)))
        rows += [(*_features(said), truth, kind) for said, kind in ways]
    face, answers, words, truths, kinds = zip(*rows, strict=True)
    truth, kind = np.array(truths), np.array(kinds)
    weight = np.ones(len(truth))
    for value in range(len(TRUTHS)):
        of_truth = sorted(set(kind[truth == value]))
        for each in of_truth:
            share = KINDS[each % len(KINDS)].weight
            weight[kind == each] = share / np.count_nonzero(kind == each)
        weight[truth == value] /= weight[truth == value].sum()
    return Table(np.array(face), np.array(answers), np.array(words), truth, kind, weight * len(truth) / weight.sum())


def fit(folds: Sequence[Sequence[Visit]], *, made_by: dict[str, Any]) -> VisitModel:
    """Fit a model.

    Args:
        folds: Visits; no person or sentence of one fold is in another. Coefficients are fitted to all, spread and
            thresholds to what those of the other folds say of each.
        made_by: Where it all comes from.
    """
    tables = [tabulate(visits) for visits in folds]
    table = joined(tables)
    found = _coefficients(table)
    parts = [log_odds(each, _coefficients(joined([other for other in tables if other is not each]))) for each in tables]
    z, seen, heard, few = (np.concatenate(column) for column in zip(*parts, strict=True))
    spread = _spread(table, z, seen, heard, few)
    data = {
        "streams": _streams(found),
        "low": float(found[8]),
        "high": float(found[8] + found[9]),
        "politeness": float(found[7]),
        "few_answers": FEW_ANSWERS,
        "spread": dict(zip(("always", "seen", "heard", "few"), (float(value) for value in spread), strict=True)),
        "made_by": made_by,
    }
    for name, chosen in (("silent", ~_spoken(table)), ("spoken", _spoken(table))):
        data[name] = {
            truth.value: [
                round(float(q), 4)
                for q in _quantiles(z[chosen & (table.truth == value)], table.weight[chosen & (table.truth == value)])
            ]
            for value, truth in enumerate(TRUTHS)
        }
    return parse_model(_rounded(data), source="the fit")


def joined(tables: Sequence[Table]) -> Table:
    """All rows of several tables."""
    return Table(*(np.concatenate([getattr(each, name) for each in tables]) for name in Table.__slots__))


def _spoken(table: Table) -> npt.NDArray[np.bool_]:
    """Rows in which something was said and listened to, ``[visits]``."""
    says = np.array([kind.said is not Said.NOTHING for kind in KINDS] + [False] * len(KINDS))
    return np.asarray(says[table.kind])


def log_odds(table: Table, found: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """``z``, and its parts: what is seen, the size of what is heard, and ``1 - g``; each ``[visits]``."""
    level, up, down, rise, fall, kind, complaint, politeness = found[:8]
    g = table.answers / (table.answers + FEW_ANSWERS)
    weigh = np.array([level + 2.0 * (rise + fall), up, -down, rise, -fall])
    seen = g * (table.face @ weigh)
    good, poor = kind * table.words[:, 0], complaint * table.words[:, 1]
    doubt = politeness * poor / (1.0 + poor)
    z = np.where(seen > 0.0, seen * (1.0 - doubt), seen) + good - poor
    return z, seen, good + poor, 1.0 - g


def _features(said: Sequence[Prediction]) -> tuple[list[float], float, list[float]]:
    running = FittedAccumulator(_ANY, FusionPluginSettings(), FusionContext(half_life_seconds=float("inf")))
    for prediction in said:
        running.add(prediction)
    streams = running.features()
    face, voice = streams.get("face"), streams.get("voice")
    shape = face.shape if face else None
    return (
        [shape.level, shape.up, shape.down, shape.rise, shape.fall] if shape else [0.0] * 5,
        face.answers if face else 0.0,
        [voice.said_good, voice.said_poor] if voice else [0.0, 0.0],
    )


def _coefficients(table: Table) -> Floats:
    """Level beyond what rise and fall ask for, up, down, rise, fall, kind, complaint, politeness, low, high - low."""
    start = np.array([1.0, 1.0, 1.0, 0.2, 0.2, 2.0, 2.0, 0.3, -1.0, 2.0])
    bounds = [(0.0, 50.0)] * 7 + [(0.0, 0.95), (-20.0, 20.0), (0.05, 40.0)]

    def loss(found: Floats) -> float:
        z = log_odds(table, found)[0]
        low, high = found[8], found[8] + found[9]
        above_low, above_high = _sigmoid(z - low), _sigmoid(z - high)
        likely = np.stack([1.0 - above_low, above_low - above_high, above_high])[table.truth, np.arange(len(z))]
        return float(-(table.weight * np.log(likely + 1e-9)).mean() + RIDGE * (found[:7] ** 2).sum())

    return np.asarray(minimize(loss, start, method="L-BFGS-B", bounds=bounds).x)


def _spread(table: Table, z: Floats, seen: Floats, heard: Floats, few: Floats) -> Floats:
    """Variances by maximum likelihood of normal errors, then scaled until nine tenths of the errors lie within."""
    away = z - kind_means(z, table.kind)
    columns = np.stack([np.ones(len(z)), np.abs(seen), heard, few], axis=1)

    def loss(found: Floats) -> float:
        variance = columns @ found + 1e-4
        return float((table.weight * (np.log(variance) + away**2 / variance)).mean())

    found = minimize(
        loss, np.array([0.2, 0.2, 0.2, 0.1]), method="L-BFGS-B", bounds=[(0.05, 50.0)] + [(0.0, 50.0)] * 3
    ).x
    scaled = np.abs(away) / np.sqrt(columns @ found)
    found = found * (_quantiles(scaled, table.weight, at=np.array([0.9]))[0] / Z_90) ** 2
    found[3] = max(found[3], FEW_SPREAD)
    return np.asarray(found)


def kind_means(z: Floats, kind: npt.NDArray[np.int64]) -> Floats:
    """For each visit the mean of ``z`` over those of its kind, ``[visits]``: what would be said of anybody in it."""
    means = np.zeros(len(z))
    for each in set(kind.tolist()):
        means[kind == each] = np.median(z[kind == each])
    return means


def _streams(found: Floats) -> dict[str, dict[str, float]]:
    level, up, down, rise, fall, kind, complaint = (float(value) for value in found[:7])
    face = {"level": level + 2.0 * (rise + fall), "up": up, "down": down, "rise": rise, "fall": fall}
    words = {"kind": kind, "complaint": complaint}
    # What a lasting expression says in all, carried over to the mean of a stream that nobody has fitted.
    other = {"level": OTHER_SHARE * (face["level"] + (up + down) / 2.0)}
    return {"face": face, "voice": words, "text": words, "other": other}


def _quantiles(values: Floats, weights: Floats, *, at: Floats | None = None) -> Floats:
    order = np.argsort(values)
    below = (np.cumsum(weights[order]) - weights[order] / 2.0) / weights.sum()
    return np.interp(np.linspace(0.0, 1.0, QUANTILES) if at is None else at, below, values[order])


def _sigmoid(values: Floats) -> Floats:
    return 0.5 * (1.0 + np.tanh(values / 2.0))


def _rounded(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _rounded(value) for key, value in data.items()}
    return round(data, 5) if isinstance(data, float) else data


_ANY: Final = VisitModel.model_validate(
    {
        "streams": {"other": {}},
        "low": -1.0,
        "high": 1.0,
        "politeness": 0.0,
        "few_answers": FEW_ANSWERS,
        "spread": {"always": 1.0, "seen": 0.0, "heard": 0.0, "few": 0.0},
        "silent": {"poor": [-1.0, 0.0], "neutral": [-0.5, 0.5], "good": [0.0, 1.0]},
        "spoken": {"poor": [-1.0, 0.0], "neutral": [-0.5, 0.5], "good": [0.0, 1.0]},
    }
)
