"""Refusals in the gateway's words: one ``google.rpc.Status`` as JSON, its HTTP status, and its WebSocket close code."""

from __future__ import annotations

import logging
import traceback
import uuid
from typing import Any, Final

import grpc
from google.protobuf import json_format
from google.rpc import code_pb2, error_details_pb2, status_pb2

from mien.errors import MienError
from mien.wire.status import RefusedError, build_status, to_status

_DETAILS_KEY: Final = "grpc-status-details-bin"
_TOO_LARGE: Final = "larger than max"

HTTP_OF_CODE: Final = {
    "OK": 200,
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""``google.rpc.Code`` -> HTTP status, as Google's APIs map them; 500 for the rest."""

HTTP_OF_REASON: Final = {
    "INPUT_TOO_LARGE": 413,
    "MEDIA_TYPE": 415,
    "BODY_TOO_SLOW": 408,
    "METHOD": 405,
    "HOST_NOT_SERVED": 421,
}
"""Where a reason says more than its code."""

CLOSE_NORMAL: Final = 1000
"""The session is over, and its summary was sent."""

_log = logging.getLogger("mien.web")


def refusal(message: str, *, code: str, reason: str, retry_seconds: float | None = None) -> RefusedError:
    """A refusal of the gateway's own; ``code`` is the name of a ``google.rpc.Code``."""
    return RefusedError(message, code=grpc.StatusCode[code], reason=reason, retry_seconds=retry_seconds)


def status_of(error: Exception, *, where: str, target: str = "") -> status_pb2.Status:
    """The status of anything that was raised; what nobody expected is logged under a reference.

    Args:
        error: A refusal of the server's or the gateway's, or any other exception.
        where: What was done, for the log; nothing that a caller sent.
        target: The server's address, for the message where it cannot be reached.
    """
    if isinstance(error, grpc.RpcError):
        return _status_of_call(error, target)
    if isinstance(error, MienError):
        return to_status(error)
    reference = uuid.uuid4().hex[:12]
    trace = "".join(traceback.format_tb(error.__traceback__))  # without its message, which may hold a caller's words
    _log.error("unexpected %s in %s, reference %s\n%s", type(error).__name__, where, reference, trace)
    return build_status(
        grpc.StatusCode.INTERNAL,
        f"the gateway met an unexpected error; its log has the details under reference {reference}",
        reason="INTERNAL",
        metadata={"reference": reference},
    )


def error_json(status: status_pb2.Status) -> dict[str, Any]:
    """``{"error": {"code", "status", "message", "reason", "details"}}``, as Google's APIs tell errors."""
    return {
        "error": {
            "code": status.code,
            "status": _name_of(status),
            "message": status.message,
            "reason": reason_of(status),
            "details": [_detail_json(detail) for detail in status.details],
        }
    }


def http_status_of(status: status_pb2.Status) -> int:
    """The HTTP status of a refusal."""
    return HTTP_OF_REASON.get(reason_of(status)) or HTTP_OF_CODE.get(_name_of(status), 500)


def close_code_of(status: status_pb2.Status) -> int:
    """The WebSocket close code of a refusal: 4000 and the HTTP status."""
    return 4000 + http_status_of(status)


def reason_of(status: status_pb2.Status) -> str:
    """The one word that a program can act on; empty where the server gave none."""
    info = error_details_pb2.ErrorInfo()
    return next((info.reason for detail in status.details if detail.Unpack(info)), "")


def retry_seconds_of(status: status_pb2.Status) -> float | None:
    """After which trying again makes sense; None where it was not said."""
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        if detail.Unpack(retry):
            return float(retry.retry_delay.ToNanoseconds() / 1e9)
    return None


def _status_of_call(error: Any, target: str) -> status_pb2.Status:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            return status_pb2.Status.FromString(value)
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.UNAVAILABLE:
        at = f" at {target}" if target else ""
        gone = refusal(
            f"the mien server{at} cannot be reached", code="UNAVAILABLE", reason="SERVER_GONE", retry_seconds=1
        )
        return to_status(gone)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in details:
        return build_status(grpc.StatusCode.INVALID_ARGUMENT, details, reason="INPUT_TOO_LARGE")
    return build_status(code, details or code.name, reason="")


def _name_of(status: status_pb2.Status) -> str:
    try:
        return str(code_pb2.Code.Name(status.code))
    except ValueError:
        return "UNKNOWN"


def _detail_json(detail: Any) -> dict[str, Any]:
    try:
        return dict(json_format.MessageToDict(detail))
    except (TypeError, KeyError):  # a kind of detail that is not known here
        return {"@type": detail.type_url}
