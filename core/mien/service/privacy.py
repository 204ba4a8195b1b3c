"""The privacy policy at the door: no consent, no analysis; and answers without the words they rest on."""

from __future__ import annotations

from dataclasses import replace

from mien.config import PrivacySettings
from mien.service.errors import ConsentRequiredError
from mien.types import AnalysisResult, Prediction, Transcript
from mien.v1 import sentiment_pb2 as pb


def check_consent(consent: int, privacy: PrivacySettings) -> None:
    """Refuse where the policy asks for a consent, and none (or one this server does not know) was sent.

    Raises:
        ConsentRequiredError: See above.
    """
    if privacy.require_consent and consent not in (pb.CONSENT_NOTICE_SHOWN, pb.CONSENT_GIVEN):
        raise ConsentRequiredError


def redacted(result: AnalysisResult) -> AnalysisResult:
    """The same result without the words of its transcripts."""
    return replace(result, predictions=tuple(without_words(prediction) for prediction in result.predictions))


def without_words(prediction: Prediction) -> Prediction:
    """The same prediction without the words it rests on."""
    if not isinstance(prediction.evidence, Transcript):
        return prediction
    return replace(prediction, evidence=replace(prediction.evidence, text="", words=(), redacted=True))
