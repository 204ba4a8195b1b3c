"""A real server on a free loopback port with fake plugins, for the tests of the service and the client."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from mien import Analyzer, Prediction, Sample, SampleKind
from mien.config import Settings, parse_settings
from mien.live import Event
from mien.plugins.host import PluginHost
from mien.service.server import Server
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info, make_prediction
from mien.v1 import sentiment_pb2 as pb
from mien.v1 import sentiment_pb2_grpc

TIMEOUT = 20.0
"""Seconds; a call that takes so long fails its test."""


class BlockingAnalyzer(FakeAnalyzer):
    """Holds each batch until it is released."""

    def __init__(self, modality: str = "face") -> None:
        super().__init__(modality)
        self.entered = threading.Semaphore(0)
        self.release = threading.Event()

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        self.entered.release()
        assert self.release.wait(TIMEOUT)
        return super().analyze(samples)


def settings(**tables: dict[str, Any]) -> Settings:
    """Settings with a free port and the fake fuser, and these tables over them."""
    server = {"address": "127.0.0.1:0", **tables.pop("server", {})}
    fusion = {"fuser": "fake", **tables.pop("fusion", {})}
    return parse_settings({"server": server, "fusion": fusion, **tables})


def fake_host(
    chosen: Settings, *, face: Analyzer | None = None, text: Analyzer | None = None, **others: FakePlugin
) -> PluginHost:
    """Plugins ``face`` (takes pictures) and ``words`` (takes text), a fake fuser, and any others."""
    face, text = face or FakeAnalyzer("face"), text or FakeAnalyzer("text")
    plugins = {
        "face": FakePlugin(analyzers={"face": (analyzer_info("face"), lambda: face)}, fusers={"fake": FakeFuser}),
        "words": FakePlugin(analyzers={"words": (analyzer_info("text", SampleKind.TEXT), lambda: text)}),
        **others,
    }
    return PluginHost.from_plugins(plugins, chosen)


@asynccontextmanager
async def running(chosen: Settings | None = None, host: PluginHost | None = None) -> AsyncIterator[Server]:
    """A server that is serving."""
    chosen = chosen or settings()
    host = host or fake_host(chosen)
    server = Server(chosen, host)
    await server.start()
    try:
        await server.warm_up()
        yield server
    finally:
        await server.drain()
        host.close()


@asynccontextmanager
async def stub_of(server: Server) -> AsyncIterator[Any]:
    """A bare stub, for messages that the client would not send."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield sentiment_pb2_grpc.SentimentServiceStub(channel)


def face_like(satisfaction: float = 0.9) -> FakeAnalyzer:
    """Sees one person in every picture, who is as satisfied as is said."""
    return FakeAnalyzer(
        "face",
        answer=lambda s: [make_prediction("face", satisfaction=satisfaction, at=s.captured_at, subject_id="track-1")],
    )


def voice_plugin(analyzer: Analyzer) -> FakePlugin:
    """A plugin ``voice`` that takes sound."""
    return FakePlugin(analyzers={"voice": (analyzer_info("voice", SampleKind.AUDIO), lambda: analyzer)})


async def events_of(session: Any) -> list[Event]:
    """All events of a session until it ends."""
    return [event async for event in session.events()]


def of_kind(events: Sequence[Event], kind: type) -> list[Any]:
    """Those of one type."""
    return [event for event in events if isinstance(event, kind)]


def raw_image(width: int = 4, height: int = 3) -> pb.Image:
    """A black picture as raw pixels."""
    raw = pb.RawImage(data=bytes(width * height * 3), width=width, height=height, format=pb.PIXEL_FORMAT_RGB)
    return pb.Image(raw=raw)


def picture_request(**fields: Any) -> pb.AnalyzeRequest:
    """A request with a black picture."""
    return pb.AnalyzeRequest(image=raw_image(), **fields)


def details_of(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    """The ``google.rpc`` details of a status, by the name of their type."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            assert status.message == error.details()
            return dict(_unpacked(detail) for detail in status.details)
    return {}


def _unpacked(detail: Any) -> tuple[str, Any]:
    kinds: tuple[Callable[[], Any], ...] = (
        error_details_pb2.ErrorInfo,
        error_details_pb2.BadRequest,
        error_details_pb2.RetryInfo,
    )
    for kind in kinds:
        message = kind()
        if detail.Unpack(message):
            return kind.__name__, message  # type: ignore[attr-defined]
    raise AssertionError(f"unexpected detail {detail.type_url}")
