"""OpenTelemetry traces: a span for each call, under the caller's own where it sends a W3C ``traceparent``.

The interceptor is mien's own, and no words, names or pictures are ever an attribute. Where spans go is said by the
standard variables: ``OTEL_TRACES_EXPORTER`` names an exporter that is installed, ``OTEL_SERVICE_NAME`` the service.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import entry_points
from typing import Any, Final, Protocol

import grpc

from mien.errors import ConfigError, MissingDependencyError
from mien.service.current import REQUEST_ID, Call

EXPORTER_VARIABLE: Final = "OTEL_TRACES_EXPORTER"
NAME_VARIABLE: Final = "OTEL_SERVICE_NAME"
_EXPORTERS: Final = "opentelemetry_traces_exporter"
"""The group of entry points that exporters register under."""


class Span(Protocol):
    """One call's span."""

    def ended(self, code: grpc.StatusCode) -> None:
        """Note how the call ended."""


class Traces(Protocol):
    """Makes a span for each call."""

    def span(self, call: Call, metadata: Any) -> AbstractContextManager[Span]:
        """Around a call; ``metadata`` may name the caller's span."""

    def close(self) -> None:
        """Send what has not been sent."""


class _NoSpan:
    def ended(self, code: grpc.StatusCode) -> None:
        return


class NoTraces:
    """Where none are asked for."""

    @contextmanager
    def span(self, call: Call, metadata: Any) -> Iterator[Span]:
        """See ``Traces``."""
        yield _NoSpan()

    def close(self) -> None:
        """See ``Traces``."""


class OpenTelemetryTraces:
    """Through a tracer provider of OpenTelemetry's."""

    def __init__(self, provider: Any = None) -> None:
        """Take a provider, or make one from the environment.

        Args:
            provider: A ``TracerProvider`` of the SDK's.

        Raises:
            MissingDependencyError: OpenTelemetry's SDK is not installed.
            ConfigError: The environment names an exporter that is not installed.
        """
        self._provider = provider or _from_environment()
        self._tracer = self._provider.get_tracer("mien.service")

    @contextmanager
    def span(self, call: Call, metadata: Any) -> Iterator[Span]:
        """See ``Traces``."""
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        sent = {key: value for key, value in metadata or () if isinstance(value, str)}
        attributes = {
            "rpc.system": "grpc",
            "rpc.service": call.service,
            "rpc.method": call.method,
            REQUEST_ID: call.request_id,
        }
        with self._tracer.start_as_current_span(
            f"{call.service}/{call.method}",
            context=extract(sent),
            kind=SpanKind.SERVER,
            attributes=attributes,
            record_exception=False,  # its message may quote a caller
            set_status_on_exception=False,
        ) as span:
            yield _OpenSpan(span)

    def close(self) -> None:
        """See ``Traces``."""
        self._provider.shutdown()


class _OpenSpan:
    def __init__(self, span: Any) -> None:
        self._span = span

    def ended(self, code: grpc.StatusCode) -> None:
        from opentelemetry.trace import Status, StatusCode

        self._span.set_attribute("rpc.grpc.status_code", code.value[0])
        if code not in (grpc.StatusCode.OK, grpc.StatusCode.CANCELLED):
            self._span.set_status(Status(StatusCode.ERROR))


def _from_environment() -> Any:
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingDependencyError(
            "[server] tracing needs OpenTelemetry's SDK, which is not installed; install it with:"
            " pip install 'mien[tracing]'"
        ) from error
    name = os.environ.get(NAME_VARIABLE, "mien")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    for exporter in os.environ.get(EXPORTER_VARIABLE, "console").split(","):
        if exporter.strip() not in ("", "none"):
            provider.add_span_processor(BatchSpanProcessor(_exporter(exporter.strip())))
    return provider


def _exporter(name: str) -> Any:
    found = entry_points(group=_EXPORTERS, name=name)
    if not found:
        known = ", ".join(sorted({entry.name for entry in entry_points(group=_EXPORTERS)})) or "none"
        raise ConfigError(
            f"{EXPORTER_VARIABLE} names {name!r}, and no such exporter of traces is installed (there are: {known});"
            " 'otlp' comes with opentelemetry-exporter-otlp"
        )
    return next(iter(found)).load()()
