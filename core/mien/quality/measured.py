"""Rules for an analyzer that need figures rather than answers: latency, memory, calibration."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np

from mien.interfaces import Analyzer, AnalyzerInfo
from mien.metrics import reliability
from mien.testing import AnalyzerConformance, Conformance, Grade, rule
from mien.testing.memory import resident_bytes
from mien.testing.rules import not_applicable, require
from mien.testing.samples import fresh
from mien.types import Sample

_LEAST_LABELLED: Final = 30
_MAX_CALIBRATION_ERROR: Final = 0.15
_MEASURING_SECONDS: Final = 3.0
_MEASURED_CALLS: Final = 200
_ENOUGH_CALLS: Final = 100
"""Of fewer, the slowest hundredth is one call, which something else may have held up."""


class MeasuredConformance(Conformance):
    """Rules that ``mien plugins check`` adds to those of an analyzer: they need figures rather than answers.

    Attributes:
        deadline_seconds: What the host waits for one analysis.
        measured: Figures, by name; for the report.
    """

    deadline_seconds: ClassVar[float] = 5.0
    measured: dict[str, float]

    @rule(Grade.GOLD)
    def test_calls_stay_within_the_deadline(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """All but the slowest hundredth of calls with one sample are answered in time; of few calls, half are."""
        for sample in fresh(samples):
            analyzer.analyze([sample])
        before, began = resident_bytes(), time.perf_counter()
        taken: list[float] = []
        while len(taken) < _MEASURED_CALLS and (len(taken) < 5 or time.perf_counter() - began < _MEASURING_SECONDS):
            (sample,) = fresh(samples[len(taken) % len(samples) :][:1])
            called = time.perf_counter()
            analyzer.analyze([sample])
            taken.append(time.perf_counter() - called)
        slowest = float(np.percentile(taken, 99))
        judged = slowest if len(taken) >= _ENOUGH_CALLS else float(np.median(taken))
        self.measured.update(
            {
                "calls": float(len(taken)),
                "p50_ms": round(float(np.median(taken)) * 1e3, 2),
                "p99_ms": round(slowest * 1e3, 2),
                "resident_mib": round(resident_bytes() / 2**20, 1),
                "grown_mib": round((resident_bytes() - before) / 2**20, 1),
            }
        )
        late = f"{judged:.2f} s a call, {slowest:.2f} s at p99, and the host waits {self.deadline_seconds:g} s"
        require(judged <= self.deadline_seconds, late)

    @rule(Grade.GOLD)
    def test_confidence_is_worth_what_it_says(
        self, analyzer: Analyzer, info: AnalyzerInfo, labelled: Sequence[tuple[Sample, str]]
    ) -> None:
        """Where labelled data is given, probabilities are calibrated: their expected error is at most 0.15."""
        if not labelled:
            raise not_applicable("no labelled data was given (--labels)")
        strange = sorted({label for _, label in labelled} - set(info.labels))
        require(not strange, f"labels that info.labels does not name: {', '.join(strange)}")
        said = [
            (max(prediction.emotions.values()), prediction.top_emotion == label)
            for sample, label in labelled
            for prediction in analyzer.analyze([sample])[0][:1]
        ]
        require(len(said) >= _LEAST_LABELLED, f"{len(said)} labelled samples got an answer, expected {_LEAST_LABELLED}")
        error = reliability(np.array([each for each, _ in said]), np.array([right for _, right in said])).error
        self.measured["calibration_error"] = round(error, 3)
        require(error <= _MAX_CALIBRATION_ERROR, f"expected calibration error {error:.3f} over {len(said)} samples")


class CheckedAnalyzer(AnalyzerConformance, MeasuredConformance):
    """All that is asked of an analyzer."""
