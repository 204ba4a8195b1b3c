"""What a caller is told when something goes wrong: one gRPC status, with ``google.rpc`` details, for each error.

Every error that is raised on purpose maps to a status here and nowhere else. A traceback never leaves the server; see
``mien.service.interceptors`` for what becomes of an error nobody expected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from mien.access import AccessError, AccessReason
from mien.errors import (
    AnalysisError,
    AnalyzerBusyError,
    AnalyzerNotFoundError,
    ConfigError,
    InputError,
    InputTooLargeError,
    MienError,
    MissingDependencyError,
    PluginError,
    SessionError,
    WeightsError,
)

ERROR_DOMAIN: Final = "mien.v1.SentimentService"
"""The ``domain`` of every ``ErrorInfo``."""

MAX_MESSAGE_BYTES: Final = 500
"""UTF-8 bytes of a status' text. It travels in HTTP/2 headers, of which clients accept 8 KiB: once as it is, with each
byte that is not ASCII written as three, and twice in the details. What a caller sent may be quoted in it."""

MAX_PATH_BYTES: Final = 200
"""UTF-8 bytes of a field's path in a detail."""


BUSY_RETRY_SECONDS: Final = 2.0
"""After which asking an analyzer again makes sense that was busy."""


MAX_PUSHBACK_SECONDS: Final = 2.0
"""gRPC's own retries wait no longer than this for a server that says when to come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldViolation:
    """What is wrong with one field of a request: its path in the message, and a sentence."""

    field: str
    description: str


class InvalidFieldError(InputError):
    """A field of a request is wrong; the status carries its path as a ``BadRequest`` detail."""

    def __init__(self, field: str, description: str) -> None:
        """Name the field by its path in the request message, such as ``image.raw.width``."""
        super().__init__(f"{field}: {description}")
        self.violation = FieldViolation(field=field, description=description)


class RefusedError(MienError):
    """A call was refused, or given up, for a reason that lies in the server's state and not in the call."""

    def __init__(self, message: str, *, code: grpc.StatusCode, reason: str, retry_seconds: float | None = None) -> None:
        """Say which status, an UPPER_SNAKE_CASE reason, and after how many seconds trying again makes sense."""
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.retry_seconds = retry_seconds


class ConsentRequiredError(MienError):
    """The server's policy asks for a consent, and the request says nothing of one."""

    def __init__(self) -> None:
        super().__init__(
            "this server needs to know that the person was told or agreed: set consent to CONSENT_NOTICE_SHOWN or"
            " CONSENT_GIVEN"
        )


def queue_full(message: str, *, retry_seconds: float = 1.0) -> RefusedError:
    """No room: try again in a second, or when there will be some."""
    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    return RefusedError(message, code=code, reason="QUEUE_FULL", retry_seconds=retry_seconds)


def waited_too_long(message: str) -> RefusedError:
    """The call's time ran out before its turn came."""
    return RefusedError(message, code=grpc.StatusCode.DEADLINE_EXCEEDED, reason="EXPIRED_IN_QUEUE")


def not_serving(message: str, *, reason: str) -> RefusedError:
    """Loading or draining: try again in a second, perhaps elsewhere."""
    return RefusedError(message, code=grpc.StatusCode.UNAVAILABLE, reason=reason, retry_seconds=1.0)


@dataclass(frozen=True, slots=True)
class _Mapped:
    code: grpc.StatusCode
    reason: str


# The first class that fits is taken, so children stand before their parents.
_STATUS_OF: Final[Sequence[tuple[type[MienError], _Mapped]]] = (
    (ConsentRequiredError, _Mapped(grpc.StatusCode.FAILED_PRECONDITION, "CONSENT_REQUIRED")),
    (InputTooLargeError, _Mapped(grpc.StatusCode.INVALID_ARGUMENT, "INPUT_TOO_LARGE")),
    (InvalidFieldError, _Mapped(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")),
    (InputError, _Mapped(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_INPUT")),
    (ConfigError, _Mapped(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_SETTING")),
    (AnalyzerNotFoundError, _Mapped(grpc.StatusCode.NOT_FOUND, "NOT_FOUND")),
    (SessionError, _Mapped(grpc.StatusCode.FAILED_PRECONDITION, "SESSION_ORDER")),
    (MissingDependencyError, _Mapped(grpc.StatusCode.FAILED_PRECONDITION, "MISSING_DEPENDENCY")),
    (AnalyzerBusyError, _Mapped(grpc.StatusCode.UNAVAILABLE, "ANALYZER_BUSY")),
    (AnalysisError, _Mapped(grpc.StatusCode.INTERNAL, "NO_STREAM_LEFT")),
    (PluginError, _Mapped(grpc.StatusCode.INTERNAL, "PLUGIN_FAILED")),
    (WeightsError, _Mapped(grpc.StatusCode.INTERNAL, "WEIGHTS_UNUSABLE")),
)
_UNMAPPED: Final = _Mapped(grpc.StatusCode.INTERNAL, "INTERNAL")

_ACCESS_CODES: Final[Mapping[AccessReason, grpc.StatusCode]] = {
    AccessReason.KEY_MISSING: grpc.StatusCode.UNAUTHENTICATED,
    AccessReason.KEY_INVALID: grpc.StatusCode.UNAUTHENTICATED,
    AccessReason.KEY_REVOKED: grpc.StatusCode.UNAUTHENTICATED,
    AccessReason.KEY_EXPIRED: grpc.StatusCode.UNAUTHENTICATED,
    AccessReason.CALL_NOT_ALLOWED: grpc.StatusCode.PERMISSION_DENIED,
    AccessReason.ANALYZER_NOT_ALLOWED: grpc.StatusCode.PERMISSION_DENIED,
    AccessReason.CALL_QUOTA: grpc.StatusCode.RESOURCE_EXHAUSTED,
    AccessReason.SESSION_QUOTA: grpc.StatusCode.RESOURCE_EXHAUSTED,
    AccessReason.BYTE_QUOTA: grpc.StatusCode.RESOURCE_EXHAUSTED,
    AccessReason.ACCESS_BUSY: grpc.StatusCode.UNAVAILABLE,
}


def code_of(error: MienError) -> grpc.StatusCode:
    """The status code that stands for an error."""
    if isinstance(error, AccessError):
        return _ACCESS_CODES[error.reason]
    return error.code if isinstance(error, RefusedError) else _mapped(error).code


def reason_of(error: MienError) -> str:
    """The ``ErrorInfo.reason`` that stands for an error: one word that a program can act on."""
    return str(error.reason) if isinstance(error, RefusedError | AccessError) else _mapped(error).reason


def retry_seconds_of(error: MienError) -> float | None:
    """After how long trying again makes sense; None where nothing is known of it."""
    if isinstance(error, AnalyzerBusyError):
        return BUSY_RETRY_SECONDS
    return error.retry_seconds if isinstance(error, RefusedError | AccessError) else None


def message_of(error: BaseException) -> str:
    """The error's text, cut to what fits into a status."""
    return cut(str(error) or type(error).__name__, MAX_MESSAGE_BYTES)


def cut(text: str, most: int) -> str:
    """A text of at most so many UTF-8 bytes; a character is taken whole or not at all, and what is cut ends in "…"."""
    data = text.encode("utf-8", errors="replace")
    if len(data) <= most:
        return data.decode("utf-8")
    mark = "…"
    return data[: most - len(mark.encode())].decode("utf-8", errors="ignore") + mark


def to_status(error: MienError, *, metadata: Mapping[str, str] | None = None) -> status_pb2.Status:
    """The complete ``google.rpc.Status`` of an error; ``metadata`` goes into its ``ErrorInfo``."""
    details: list[Message] = []
    if isinstance(error, InvalidFieldError):
        details.append(_bad_request(error.violation))
    retry_seconds = retry_seconds_of(error)
    if retry_seconds is not None:
        details.append(error_details_pb2.RetryInfo(retry_delay=_duration(retry_seconds)))
    return build_status(code_of(error), message_of(error), reason=reason_of(error), details=details, metadata=metadata)


def pushback_ms(error: MienError) -> int | None:
    """What ``grpc-retry-pushback-ms`` says: gRPC's own retries wait for so long; -1 has them give up at once.

    A wait longer than ``MAX_PUSHBACK_SECONDS`` is the caller's to decide about.
    """
    seconds = retry_seconds_of(error)
    if seconds is None:
        return None
    return math.ceil(seconds * 1000) if seconds <= MAX_PUSHBACK_SECONDS else -1


def build_status(
    code: grpc.StatusCode,
    message: str,
    *,
    reason: str,
    details: Sequence[Message] = (),
    metadata: Mapping[str, str] | None = None,
) -> status_pb2.Status:
    """A status whose first detail is its ``ErrorInfo``."""
    info = error_details_pb2.ErrorInfo(reason=reason, domain=ERROR_DOMAIN, metadata=dict(metadata or {}))
    return status_pb2.Status(
        code=number_of(code), message=message, details=[_packed(detail) for detail in (info, *details)]
    )


def number_of(code: grpc.StatusCode) -> int:
    """The ``google.rpc.Code`` of a status code."""
    number: int = code.value[0]
    return number


def _mapped(error: MienError) -> _Mapped:
    return next((mapped for kind, mapped in _STATUS_OF if isinstance(error, kind)), _UNMAPPED)


def _bad_request(violation: FieldViolation) -> error_details_pb2.BadRequest:
    described = error_details_pb2.BadRequest.FieldViolation(
        field=cut(violation.field, MAX_PATH_BYTES), description=cut(violation.description, MAX_MESSAGE_BYTES)
    )
    return error_details_pb2.BadRequest(field_violations=[described])


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _duration(seconds: float) -> duration_pb2.Duration:
    duration = duration_pb2.Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration
