"""The privacy policy at the door: no consent, no analysis. Taking words out of answers is ``mien.redaction``."""

from __future__ import annotations

from mien.config import PrivacySettings
from mien.v1 import sentiment_pb2 as pb
from mien.wire.status import ConsentRequiredError


def check_consent(consent: int, privacy: PrivacySettings) -> None:
    """Refuse where the policy asks for a consent, and none (or one this server does not know) was sent.

    Raises:
        ConsentRequiredError: See above.
    """
    if privacy.require_consent and consent not in (pb.CONSENT_NOTICE_SHOWN, pb.CONSENT_GIVEN):
        raise ConsentRequiredError
