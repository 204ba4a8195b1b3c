"""What leaves mien: answers without the words they rest on, for callers and policies that ask for it.

Whoever gives results out, be it to sinks, to a screen or over a wire, passes them through ``given_out`` once, before
anybody sees them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mien.types import AnalysisResult, Prediction, Transcript


def given_out(result: AnalysisResult, *, redact: bool) -> AnalysisResult:
    """The result as it may be seen.

    Args:
        result: As it was made.
        redact: Take the words of transcripts out.
    """
    return redacted(result) if redact else result


def predictions_given_out(predictions: Iterable[Prediction], *, redact: bool) -> tuple[Prediction, ...]:
    """The same for what is not a result yet, such as an event of a session."""
    return tuple(without_words(prediction) if redact else prediction for prediction in predictions)


def redacted(result: AnalysisResult) -> AnalysisResult:
    """The same result without the words of its transcripts."""
    return replace(result, predictions=tuple(without_words(prediction) for prediction in result.predictions))


def without_words(prediction: Prediction) -> Prediction:
    """The same prediction without the words it rests on."""
    words = prediction.evidence
    if not isinstance(words, Transcript):
        return prediction
    taken = words.redacted or bool(words.text or words.words)
    return replace(prediction, evidence=replace(words, text="", words=(), redacted=taken))
