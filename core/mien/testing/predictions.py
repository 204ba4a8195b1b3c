"""Comparing predictions and looking at the numbers in them, for all suites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mien.plugins.checking import SPAN_TOLERANCE_SECONDS, span_of
from mien.testing.rules import plain_number, require
from mien.types import FaceRegion, Prediction, Sample, Satisfaction, TimeInterval


def assert_predictions_close(
    found: Sequence[Sequence[Prediction]], expected: Sequence[Sequence[Prediction]], *, tolerance: float
) -> None:
    """Fail unless both say the same of each sample, with numbers no further apart than ``tolerance``."""
    require(len(found) == len(expected), f"{len(found)} lists, expected {len(expected)}")
    for index, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        where = f"sample {index}"
        require(len(ours) == len(theirs), f"{where}: {len(ours)} predictions, expected {len(theirs)}")
        for one, other in zip(ours, theirs, strict=True):
            for name in ("modality", "subject_id", "interval"):
                mine, wanted = getattr(one, name), getattr(other, name)
                require(mine == wanted, f"{where}: {name} is {mine!r}, expected {wanted!r}")
            require_said(where, one, other, tolerance)


def require_said(where: str, found: Prediction, expected: Prediction, tolerance: float) -> None:
    """Fail unless both say the same, whenever that was."""
    pairs: list[tuple[str, Mapping[str, float], Mapping[str, float]]] = [
        ("emotions", found.emotions, expected.emotions),
        ("sentiment", found.sentiment, expected.sentiment),
        ("prediction", _numbers(found), _numbers(expected)),
    ]
    for name, one, other in pairs:
        require(one.keys() == other.keys(), f"{where}: {name} has {sorted(one)}, expected {sorted(other)}")
        for key in one:
            close = abs(one[key] - other[key]) <= tolerance
            require(close, f"{where}: {name}.{key} is {one[key]}, expected {other[key]} within {tolerance}")


def flatten(results: Sequence[Sequence[Prediction]]) -> list[Prediction]:
    """All predictions of a batch, in order."""
    return [prediction for result in results for prediction in result]


def require_within(interval: TimeInterval, sample: Sample) -> None:
    """Fail where an interval lies outside of the time that its sample covers, which is on the caller's clock."""
    span = span_of(sample)
    early, late = span.start - SPAN_TOLERANCE_SECONDS, span.end + SPAN_TOLERANCE_SECONDS
    inside = early <= interval.start and interval.end <= late
    require(
        inside,
        f"its interval is [{interval.start:g}, {interval.end:g}], and the sample's [{span.start:g}, {span.end:g}]",
    )


def require_plain(prediction: Prediction) -> None:
    """Fail where a number in a prediction is not Python's own."""
    for name, value in _all_numbers(prediction):
        require(plain_number(value), f"{name} is a {type(value).__module__}.{type(value).__name__}, expected a float")


def require_plain_satisfaction(found: Satisfaction) -> None:
    """The same for a satisfaction."""
    numbers = {name: getattr(found, name) for name in ("score", "confidence", "agreement", "coverage")}
    numbers |= {"interval.low": found.interval.low, "interval.high": found.interval.high}
    for modality, part in found.contributions.items():
        numbers |= {
            f"contributions[{modality}].{name}": getattr(part, name) for name in ("weight", "score", "confidence")
        }
    for name, value in numbers.items():
        require(plain_number(value), f"{name} is a {type(value).__module__}.{type(value).__name__}, expected a float")


def _numbers(prediction: Prediction) -> Mapping[str, float]:
    return {name: getattr(prediction, name) for name in ("valence", "satisfaction", "confidence")}


def _all_numbers(prediction: Prediction) -> Iterator[tuple[str, Any]]:
    yield from _numbers(prediction).items()
    yield from (("interval.start", prediction.interval.start), ("interval.end", prediction.interval.end))
    yield from ((f"emotions[{label}]", value) for label, value in prediction.emotions.items())
    yield from ((f"sentiment[{label}]", value) for label, value in prediction.sentiment.items())
    if isinstance(prediction.evidence, FaceRegion):
        box = prediction.evidence.box
        yield from ((f"box.{name}", getattr(box, name)) for name in ("x", "y", "width", "height"))
        yield from (("quality", prediction.evidence.quality), ("detection_score", prediction.evidence.detection_score))
