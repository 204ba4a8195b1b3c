"""Rated sessions: what the streams said, and what the customer said. Read from JSON lines; fitting is in ``fitting``.

A line is an object, such as a record of mien's, with ``contributions`` (modality -> ``score`` and ``confidence``),
found in it or in its ``overall`` (of a session's summary) or ``satisfaction`` (of an analysis), and either ``label``
(``"good"`` or ``"poor"``) or ``rating`` (1 to 5: 4 and 5 are good, 1 and 2 poor, 3 says neither).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, ValidationError

from mien import InputError

GOOD_FROM: Final = 4
"""The least tap rating that counts as good."""

POOR_TO: Final = 2
"""The greatest tap rating that counts as poor."""

_NESTED: Final = ("summary", "analysis", "overall", "satisfaction")

Floats = npt.NDArray[np.float64]


class _Stream(BaseModel):
    score: Annotated[float, Field(ge=0.0, le=1.0)]
    confidence: Annotated[float, Field(ge=0.0, le=1.0)]


class _Line(BaseModel):
    contributions: dict[str, _Stream] = Field(default_factory=dict)
    label: Literal["good", "poor"] | None = None
    rating: Annotated[int, Field(ge=0, le=5)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedSessions:
    """Rated sessions as arrays, one row a session.

    Attributes:
        modalities: Names of the columns.
        scores: Each stream's evidence, ``[sessions, modalities]``; 0.5 where it was missing.
        confidences: Each stream's confidence, ``[sessions, modalities]``; 0 where it was missing.
        good: Whether the customer was satisfied, ``[sessions]``.
        unrated: Lines left out because they carry no rating, or one that says neither.
        silent: Lines left out because no stream said anything.
    """

    modalities: tuple[str, ...]
    scores: Floats
    confidences: Floats
    good: npt.NDArray[np.bool_]
    unrated: int = 0
    silent: int = 0

    def __len__(self) -> int:
        return len(self.good)

    def fused(self, weights: Mapping[str, float]) -> Floats:
        """The uncalibrated weighted sum of each session, ``[sessions]``; 0.5 where nothing has weight."""
        strength = self.confidences * np.array([weights.get(name, 1.0) for name in self.modalities])
        total = strength.sum(axis=1)
        summed = (strength * self.scores).sum(axis=1)
        return np.where(total > 0.0, summed / np.where(total > 0.0, total, 1.0), 0.5)


def read_rated_sessions(path: Path) -> RatedSessions:
    """Read a file of JSON lines.

    Raises:
        InputError: It cannot be read, or a line is not what is described above; the line is named.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the sessions {path}: {error}") from error
    parsed = [_parse(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    return _to_arrays(parsed)


def _parse(line: str, where: str) -> _Line:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{where} is not JSON: {error.msg}; expected one object a line") from error
    if not isinstance(record, dict):
        raise InputError(f"{where} is a {type(record).__name__}; expected an object")
    try:
        return _Line.model_validate(_flatten(record))
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise InputError(f"{where}: {key}: {problem['msg']} (got {problem['input']!r})") from error


def _flatten(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with what is nested in its summary or satisfaction brought up; what stands further out wins."""
    flat = dict(record)
    for name in _NESTED:
        inner = flat.get(name)
        if isinstance(inner, dict):
            flat = {**inner, **flat}
    return flat


def _is_good(line: _Line) -> bool | None:
    if line.label is not None:
        return line.label == "good"
    if line.rating >= GOOD_FROM:
        return True
    return False if 0 < line.rating <= POOR_TO else None


def _to_arrays(lines: Sequence[_Line]) -> RatedSessions:
    rated = [(line, good) for line in lines if (good := _is_good(line)) is not None]
    kept = [(line, good) for line, good in rated if any(each.confidence > 0.0 for each in line.contributions.values())]
    modalities = tuple(sorted({name for line, _ in kept for name in line.contributions}))
    scores = np.full((len(kept), len(modalities)), 0.5)
    confidences = np.zeros((len(kept), len(modalities)))
    for row, (line, _) in enumerate(kept):
        for column, name in enumerate(modalities):
            if name in line.contributions:
                scores[row, column] = line.contributions[name].score
                confidences[row, column] = line.contributions[name].confidence
    return RatedSessions(
        modalities=modalities,
        scores=scores,
        confidences=confidences,
        good=np.array([good for _, good in kept], dtype=np.bool_),
        unrated=len(lines) - len(rated),
        silent=len(rated) - len(kept),
    )
