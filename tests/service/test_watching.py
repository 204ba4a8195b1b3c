"""What the server's operator learns of calls: metrics, lines in the log, traces; and that it is no more than that."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from service.support import (
    TIMEOUT,
    details_of,
    face_like,
    fake_host,
    picture_request,
    raw_image,
    running,
    settings,
    stub_of,
    voice_plugin,
)

from mien import Prediction, Sample
from mien.config import ServerSettings
from mien.service.current import Call, current_call
from mien.service.logs import HumanLines, JsonLines, configure_logs
from mien.service.metrics import PrometheusMetrics
from mien.service.refusals import Refusals
from mien.service.server import Server
from mien.service.tracing import OpenTelemetryTraces
from mien.testing import FakeAnalyzer, FakePlugin
from mien.v1 import sentiment_pb2 as pb

WORDS = "my name is Ada Lovelace and I am furious"
METRICS = {"metrics_address": "127.0.0.1:0"}


class Quoting(FakeAnalyzer):
    """Fails with what it was told in its message."""

    def analyze(self, samples: Any) -> list[list[Prediction]]:
        raise RuntimeError(f"cannot read {samples[0]}")


def value_of(server: Server, name: str, **labels: str) -> float | None:
    metrics = server._metrics
    assert isinstance(metrics, PrometheusMetrics)
    value: float | None = metrics.registry.get_sample_value(name, labels)
    return value


async def test_calls_items_and_failures_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    chosen = settings(server=METRICS)
    async with running(chosen, fake_host(chosen, text=Quoting("text"))) as server, stub_of(server) as stub:
        assert (await stub.Analyze(picture_request(), timeout=TIMEOUT)).predictions
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Analyze(pb.AnalyzeRequest(text=pb.Text(content=WORDS)), timeout=TIMEOUT)
        items = [pb.AnalyzeStreamRequest(request_id=WORDS[:20], request=pb.AnalyzeRequest())]
        assert [answer.error.reason async for answer in stub.AnalyzeStream(iter(items))] == ["INVALID_INPUT"]
        one = {"grpc_type": "unary", "grpc_service": "mien.v1.SentimentService", "grpc_method": "Analyze"}
        assert value_of(server, "grpc_server_started_total", **one) == 2
        assert value_of(server, "grpc_server_handled_total", **one, grpc_code="OK") == 1
        assert value_of(server, "grpc_server_handled_total", **one, grpc_code="INTERNAL") == 1
        assert value_of(server, "grpc_server_handling_seconds_count", **one) == 2
        assert value_of(server, "mien_rejections_total", reason="NO_STREAM_LEFT") == 1
        assert value_of(server, "mien_rejections_total", reason="INVALID_INPUT") == 1
        failed = {"plugin": "words", "part": "analyzer 'words'", "call": "analyze", "state": "failed"}
        assert value_of(server, "mien_plugin_failures_total", **failed) == 1
        assert value_of(server, "mien_sessions") == 0
        assert value_of(server, "mien_batch_size_count", analyzer="face") == 1
        assert value_of(server, "mien_decode_seconds_count", what="image") == 1
    trailers = dict(caught.value.trailing_metadata())
    request_id = trailers["x-request-id"]
    assert details_of(caught.value)["ErrorInfo"].metadata["x-request-id"] == request_id
    assert "Ada" not in caplog.text


async def test_a_session_tells_what_it_dropped_and_how_late_words_were() -> None:
    chosen = settings(server=METRICS)
    host = fake_host(chosen, face=face_like(), voice=voice_plugin(FakeAnalyzer("voice", answer=spoken)))
    async with running(chosen, host) as server, stub_of(server) as stub:
        call = stub.StreamSession(timeout=TIMEOUT)
        await call.write(pb.StreamSessionRequest(config=pb.SessionConfig(analyzers=["voice"])))
        assert (await call.read()).HasField("started")
        assert value_of(server, "mien_sessions") == 1
        raw = pb.RawAudio(data=bytes(3200), sample_rate_hz=16_000, channels=1, format=pb.SAMPLE_FORMAT_PCM16)
        await call.write(pb.StreamSessionRequest(audio=pb.Audio(raw=raw, captured_at_seconds=1.0)))
        await call.done_writing()
        while await call.read() is not grpc.aio.EOF:
            pass
        assert value_of(server, "mien_speech_lag_seconds_count") == 1


def spoken(sample: Sample) -> list[Prediction]:
    """A prediction with words of the voice."""
    from mien import TimeInterval, Transcript
    from mien.testing import make_prediction

    made = make_prediction("voice", at=sample.captured_at)
    from dataclasses import replace

    return [
        replace(
            made,
            evidence=Transcript(text="yes", language="en", engine="fake", confidence=1.0),
            interval=TimeInterval(sample.captured_at, sample.captured_at + 0.1),
        )
    ]


@pytest.fixture
def call() -> Iterator[Call]:
    """A call that the code runs for."""
    watch: Any = None
    made = Call("mien.v1.SentimentService", "Analyze", "ipv4:192.0.2.7:40000", watch, request_id="00ff", caller="kiosk")
    token = current_call.set(made)
    yield made
    current_call.reset(token)


def logged(formatter: logging.Formatter, call: Call | None) -> str:
    record = logging.makeLogRecord(
        {"name": "mien.service", "levelname": "WARNING", "msg": "two\nlines", "created": 0.5}
    )
    record.mien_call = call
    return formatter.format(record)


def test_a_line_has_its_time_level_peer_and_request(call: Call) -> None:
    assert logged(HumanLines(), call) == (
        "1970-01-01T00:00:00.500Z warning mien.service [00ff ipv4:192.0.2.7:40000 kiosk] two\nlines"
    )
    assert json.loads(logged(JsonLines(), call)) == {
        "time": "1970-01-01T00:00:00.500Z",
        "level": "warning",
        "logger": "mien.service",
        "message": "two\nlines",
        "request_id": "00ff",
        "peer": "ipv4:192.0.2.7:40000",
        "key": "kiosk",
    }
    assert len(logged(JsonLines(), None).splitlines()) == 1


def test_the_level_is_that_of_the_settings(capsys: pytest.CaptureFixture[str], call: Call) -> None:
    root, mine = logging.getLogger(), logging.getLogger("mien")
    before = (list(root.handlers), root.level, mine.level)
    try:
        configure_logs(ServerSettings(log_level="warning", log_format="json"))
        logging.getLogger("mien.service").info("left out")
        configure_logs(ServerSettings(log_level="info", log_format="json"))
        logging.getLogger("mien.service").info("kept")
        logging.getLogger("a.library").info("left out")
    finally:
        root.handlers[:], root.level, mine.level = before
        mine.setLevel(before[2])
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "kept"
    assert json.loads(line)["request_id"] == "00ff"


async def test_ten_thousand_refusals_are_two_lines(caplog: pytest.LogCaptureFixture, call: Call) -> None:
    refusals = Refusals()
    for _ in range(10_000):
        refusals.note(call, grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL")
    refusals.close()
    assert [record.getMessage() for record in caplog.records] == [
        "Analyze was answered with QUEUE_FULL (RESOURCE_EXHAUSTED)",
        "Analyze was answered with QUEUE_FULL 9999 more times within 10 s",
    ]


async def test_every_call_has_a_span_under_its_callers_and_streams_work() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    sent = {"metadata": (("traceparent", f"00-{trace}-{parent}-01"),), "timeout": TIMEOUT}
    chosen = settings()
    host = fake_host(chosen)
    server = Server(chosen, host, traces=OpenTelemetryTraces(provider))
    await server.start()
    await server.warm_up()
    async with stub_of(server) as stub:
        assert (await stub.Analyze(picture_request(), **sent)).predictions
        session = stub.StreamSession(**sent)
        await session.write(pb.StreamSessionRequest(config=pb.SessionConfig()))
        await session.write(pb.StreamSessionRequest(frame=raw_image()))
        await session.write(pb.StreamSessionRequest(text=pb.Text(content=WORDS)))
        await session.done_writing()
        while await session.read() is not grpc.aio.EOF:
            pass
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.Analyze(pb.AnalyzeRequest(text=pb.Text(content=WORDS), analyzers=["nose"]), **sent)
    await server.drain()
    host.close()
    spans = {(span.name, span.attributes["rpc.grpc.status_code"]): span for span in kept.get_finished_spans()}
    assert set(spans) == {
        ("mien.v1.SentimentService/Analyze", 0),
        ("mien.v1.SentimentService/StreamSession", 0),
        ("mien.v1.SentimentService/Analyze", 5),
    }
    for span in spans.values():
        assert f"{span.context.trace_id:032x}" == trace
        assert f"{span.parent.span_id:016x}" == parent
    assert "Ada" not in "".join(span.to_json() for span in spans.values())


async def test_liveness_is_another_thing_than_readiness() -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    chosen = settings()
    host = fake_host(chosen, voice=FakePlugin())
    server = Server(chosen, host)
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name, state in (("mien.live", "SERVING"), ("", "NOT_SERVING")):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=TIMEOUT)
            assert health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status) == state
    await server.drain()
    host.close()
