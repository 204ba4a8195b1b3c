"""Answers without the words they rest on, for callers and policies that ask for it."""

from __future__ import annotations

from dataclasses import replace

from mien.types import AnalysisResult, Prediction, Transcript


def redacted(result: AnalysisResult) -> AnalysisResult:
    """The same result without the words of its transcripts."""
    return replace(result, predictions=tuple(without_words(prediction) for prediction in result.predictions))


def without_words(prediction: Prediction) -> Prediction:
    """The same prediction without the words it rests on."""
    if not isinstance(prediction.evidence, Transcript):
        return prediction
    return replace(prediction, evidence=replace(prediction.evidence, text="", words=(), redacted=True))
