"""What the server counts and times, for Prometheus; see ``docs/operations.md``. Labels never come from callers.

``Metrics`` counts nothing, so that a server without a metrics address needs no library; ``PrometheusMetrics`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from mien.errors import MissingDependencyError

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer

    from prometheus_client import Counter, Histogram
    from prometheus_client.metrics_core import Metric
    from prometheus_client.registry import Collector

SECONDS_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZE_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Told of everything, keeps nothing."""

    def call_started(self, kind: str, service: str, method: str) -> None:
        """A call began; ``kind`` is ``unary``, ``server_stream`` or ``bidi_stream``."""

    def call_handled(self, kind: str, service: str, method: str, *, code: str, seconds: float) -> None:
        """A call ended with a status code, such as ``OK``."""

    def refused(self, reason: str) -> None:
        """A call, or an item of a stream, was answered with an error of this reason."""

    def decoded(self, what: str, seconds: float) -> None:
        """An ``image`` or ``audio`` was decoded, waiting for a thread included."""

    def waited(self, analyzer: str, seconds: float) -> None:
        """A sample was taken into a batch of an analyzer's after so long in its lane."""

    def computed(self, analyzer: str, seconds: float, *, batch: int) -> None:
        """A batch was analysed."""

    def frames_dropped(self, count: int) -> None:
        """A session left pictures out."""

    def speech_lagged(self, seconds: float) -> None:
        """What was said in a session was recognised so long after it had ended."""

    def close(self) -> None:
        """Give back what is held."""


class PrometheusMetrics(Metrics):
    """Keeps them in a registry of its own, and answers Prometheus from a thread."""

    def __init__(self) -> None:
        """Prepare; ``listen`` begins to answer.

        Raises:
            MissingDependencyError: prometheus-client is not installed.
        """
        try:
            from prometheus_client import CollectorRegistry, Counter, Histogram
        except ImportError as error:
            raise MissingDependencyError(
                "[server] metrics_address needs prometheus-client, which is not installed; install it with:"
                " pip install 'mien[server]'"
            ) from error
        self.registry: Final = CollectorRegistry()
        self._http: WSGIServer | None = None

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=self.registry)

        def histogram(name: str, text: str, *labels: str, buckets: tuple[float, ...] = SECONDS_BUCKETS) -> Histogram:
            return Histogram(name, text, labels, buckets=buckets, registry=self.registry)

        call = ("grpc_type", "grpc_service", "grpc_method")
        self._started = counter("grpc_server_started", "Calls begun.", *call)
        self._handled = counter("grpc_server_handled", "Calls ended.", *call, "grpc_code")
        self._handling = histogram("grpc_server_handling_seconds", "Seconds from a call's begin to its end.", *call)
        self._refused = counter("mien_rejections", "Calls and items answered with an error.", "reason")
        self._decode = histogram("mien_decode_seconds", "Seconds to decode, with the wait for a thread.", "what")
        self._queue = histogram("mien_queue_seconds", "Seconds that a sample waited for its batch.", "analyzer")
        self._compute = histogram("mien_compute_seconds", "Seconds that a batch was analysed for.", "analyzer")
        self._batch = histogram("mien_batch_size", "Items in a batch.", "analyzer", buckets=SIZE_BUCKETS)
        self._dropped = counter("mien_frames_dropped", "Pictures of sessions left out for newer ones.")
        self._lag = histogram("mien_speech_lag_seconds", "Seconds from the end of an utterance to its words.")

    def call_started(self, kind: str, service: str, method: str) -> None:
        """See ``Metrics``."""
        self._started.labels(kind, service, method).inc()

    def call_handled(self, kind: str, service: str, method: str, *, code: str, seconds: float) -> None:
        """See ``Metrics``."""
        self._handled.labels(kind, service, method, code).inc()
        self._handling.labels(kind, service, method).observe(seconds)

    def refused(self, reason: str) -> None:
        """See ``Metrics``."""
        self._refused.labels(reason).inc()

    def decoded(self, what: str, seconds: float) -> None:
        """See ``Metrics``."""
        self._decode.labels(what).observe(seconds)

    def waited(self, analyzer: str, seconds: float) -> None:
        """See ``Metrics``."""
        self._queue.labels(analyzer).observe(seconds)

    def computed(self, analyzer: str, seconds: float, *, batch: int) -> None:
        """See ``Metrics``."""
        self._compute.labels(analyzer).observe(seconds)
        self._batch.labels(analyzer).observe(batch)

    def frames_dropped(self, count: int) -> None:
        """See ``Metrics``."""
        self._dropped.inc(count)

    def speech_lagged(self, seconds: float) -> None:
        """See ``Metrics``."""
        self._lag.observe(seconds)

    def collect_from(self, families: Callable[[], Iterator[Metric]]) -> None:
        """Have families of metrics made whenever Prometheus asks: for what is counted elsewhere anyway."""
        self.registry.register(_collector(families))

    def listen(self, address: str) -> str:
        """Begin to answer on an address; tells it with the port that was chosen where 0 was asked for.

        Raises:
            OSError: It cannot be listened on.
        """
        from prometheus_client import start_http_server

        host, _, port = address.rpartition(":")
        self._http, _ = start_http_server(int(port), host.strip("[]"), self.registry)
        return f"{host}:{self._http.server_port}"

    def close(self) -> None:
        """Answer no more."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None


def counted(name: str, text: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]) -> Any:
    """A family of counters, for ``collect_from``."""
    from prometheus_client.metrics_core import CounterMetricFamily

    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def gauged(name: str, text: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]) -> Any:
    """A family of gauges, for ``collect_from``."""
    from prometheus_client.metrics_core import GaugeMetricFamily

    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _collector(families: Callable[[], Iterator[Metric]]) -> Collector:
    from prometheus_client.registry import Collector

    class Elsewhere(Collector):
        def collect(self) -> Iterator[Metric]:
            return families()

        def describe(self) -> list[Metric]:
            return []  # so that nothing is collected when it is registered

    return Elsewhere()
