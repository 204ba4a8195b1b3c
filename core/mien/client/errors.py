"""What a client raises: every gRPC failure as one error that keeps the server's own words."""

from __future__ import annotations

from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from mien.errors import MienError

_DETAILS_KEY = "grpc-status-details-bin"
_REQUEST_ID_KEY = "x-request-id"
_TLS_FAILED = ("handshake failed", "CERTIFICATE", "Handshake", "SSL_ERROR")


class ServiceError(MienError):
    """A call failed.

    Attributes:
        code: The gRPC status code.
        reason: The server's word for it that a program can act on, such as ``QUEUE_FULL``; empty if it gave none.
        retry_seconds: After which trying again makes sense; None if the server did not say.
        request_id: Under which the server's log has the call; empty where none was reached.
    """

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode,
        reason: str = "",
        retry_seconds: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.retry_seconds = retry_seconds
        self.request_id = request_id


def service_error(error: Any, *, address: str) -> ServiceError:
    """The error of a failed call (sync or async ``grpc.RpcError``)."""
    code: grpc.StatusCode = error.code()
    details = error.details() or ""
    trailers = error.trailing_metadata() or ()
    reason, retry_seconds = _read_details(trailers)
    if code is grpc.StatusCode.UNAVAILABLE and not reason and any(word in details for word in _TLS_FAILED):
        message = (
            f"there is no secure connection to {address} ({details}); check that it serves over TLS, that its"
            " certificate is valid for this name and under the roots given as ca, and what certificate it asks for"
        )
    elif code is grpc.StatusCode.UNAVAILABLE and not reason:
        message = f"cannot reach a mien server at {address} ({details}); is `mien serve` running there?"
    elif code is grpc.StatusCode.DEADLINE_EXCEEDED and not reason:
        message = f"the server at {address} did not answer in time; give a longer timeout if it is only slow"
    else:
        message = details or code.name
    request_id = next((str(value) for key, value in trailers if key == _REQUEST_ID_KEY), "")
    return ServiceError(message, code=code, reason=reason, retry_seconds=retry_seconds, request_id=request_id)


def not_ready(address: str, timeout: float) -> ServiceError:
    """The error of a wait that was in vain."""
    return ServiceError(
        f"the mien server at {address} was not ready within {timeout:g} s", code=grpc.StatusCode.DEADLINE_EXCEEDED
    )


def _read_details(metadata: Any) -> tuple[str, float | None]:
    """The ``ErrorInfo`` reason and the ``RetryInfo`` delay, where a status carries them."""
    reason, retry_seconds = "", None
    for key, value in metadata:
        if key != _DETAILS_KEY:
            continue
        for detail in status_pb2.Status.FromString(value).details:
            info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
            if detail.Unpack(info):
                reason = info.reason
            elif detail.Unpack(retry):
                retry_seconds = retry.retry_delay.ToNanoseconds() / 1e9
    return reason, retry_seconds
