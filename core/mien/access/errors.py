"""Why somebody is not let in, or not let go on."""

from __future__ import annotations

from enum import StrEnum

from mien.errors import MienError


class AccessReason(StrEnum):
    """What a program can act on; the same words as in ``ErrorInfo.reason``."""

    KEY_MISSING = "KEY_MISSING"
    KEY_INVALID = "KEY_INVALID"
    KEY_REVOKED = "KEY_REVOKED"
    KEY_EXPIRED = "KEY_EXPIRED"
    CALL_NOT_ALLOWED = "CALL_NOT_ALLOWED"
    ANALYZER_NOT_ALLOWED = "ANALYZER_NOT_ALLOWED"
    CALL_QUOTA = "CALL_QUOTA"
    SESSION_QUOTA = "SESSION_QUOTA"
    BYTE_QUOTA = "BYTE_QUOTA"
    ACCESS_BUSY = "ACCESS_BUSY"


class AccessError(MienError):
    """A caller has no key that counts, not the right, or used up its share. The message never quotes a key.

    Attributes:
        reason: Which of these.
        retry_seconds: After which trying again makes sense; None where it never does.
    """

    def __init__(self, message: str, *, reason: AccessReason, retry_seconds: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_seconds = retry_seconds
