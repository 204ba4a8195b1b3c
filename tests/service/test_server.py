"""The server's life: loading, serving, health, one port for one server, draining."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from live.support import Opening
from service.support import (
    TIMEOUT,
    BlockingAnalyzer,
    details_of,
    fake_host,
    picture_request,
    raw_image,
    running,
    settings,
    stub_of,
)

from mien import AnalyzerRuntime, ConfigError, FusionContext, PluginError, Prediction, Sample, Satisfaction, Stream
from mien.client import AsyncClient, ServiceError
from mien.service.listening import ServerStartError, check_address
from mien.service.server import Server
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info, make_prediction
from mien.v1 import sentiment_pb2 as pb
from mien.wire.channel import is_loopback

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
HERE = Path(__file__).parent


async def health_of(server: Server, service: str = "") -> Any:
    async with grpc.aio.insecure_channel(server.address) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        return (await health_pb2_grpc.HealthStub(channel).Check(request, timeout=TIMEOUT)).status


class SlowToLoad(FakeAnalyzer):
    """Warms up when it is told to."""

    def __init__(self) -> None:
        super().__init__("face")
        self.go_on = threading.Event()

    def warm_up(self) -> None:
        assert self.go_on.wait(TIMEOUT)
        super().warm_up()


async def test_health_follows_loading_serving_and_draining() -> None:
    chosen, face = settings(), SlowToLoad()
    host = fake_host(chosen, face=face)
    server = Server(chosen, host)
    await server.start()
    warming = asyncio.create_task(server.warm_up())
    for name in ("", "mien.v1.SentimentService", "mien.plugins.face", "mien.plugins.words"):
        assert await health_of(server, name) == NOT_SERVING
    async with stub_of(server) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Analyze(picture_request(), timeout=TIMEOUT)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert details_of(caught.value)["ErrorInfo"].reason == "LOADING"
        assert "RetryInfo" in details_of(caught.value)
        assert (await stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=TIMEOUT)).version
        face.go_on.set()
        await warming
        assert face.warmed_up == 1
        for name in ("", "mien.v1.SentimentService", "mien.plugins.face", "mien.plugins.words"):
            assert await health_of(server, name) == SERVING

        watch = health_pb2_grpc.HealthStub(stub_channel := grpc.aio.insecure_channel(server.address)).Watch(
            health_pb2.HealthCheckRequest()
        )
        assert (await watch.read()).status == SERVING
        draining = asyncio.create_task(server.drain())
        assert (await watch.read()).status == NOT_SERVING
        await draining
        await stub_channel.close()
    host.close()


async def test_an_unknown_health_name_is_not_found() -> None:
    async with running() as server:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health_of(server, "mien.plugins.nose")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def statuses(server: Server, service: str) -> AsyncGenerator[Any, None]:
    """The health of a service, and each change of it."""
    async with grpc.aio.insecure_channel(server.address) as channel, asyncio.timeout(TIMEOUT):
        request = health_pb2.HealthCheckRequest(service=service)
        async for response in health_pb2_grpc.HealthStub(channel).Watch(request):
            yield response.status


async def test_a_plugin_is_not_serving_while_a_call_into_it_is_stuck() -> None:
    chosen, face = settings(engine={"deadline_seconds": 0.2}), BlockingAnalyzer()
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as stub:
        async with aclosing(statuses(server, "mien.plugins.face")) as health:
            assert await anext(health) == SERVING
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.Analyze(picture_request(), timeout=TIMEOUT)
            assert await anext(health) == NOT_SERVING
            assert await health_of(server, "mien.plugins.words") == SERVING
            assert await health_of(server) == SERVING, "another analyzer can be used"
            face.release.set()
            assert await anext(health) == SERVING
        assert (await stub.Analyze(picture_request(), timeout=TIMEOUT)).predictions


async def test_a_plugin_is_not_serving_while_a_stream_of_its_hangs_in_a_session() -> None:
    release = threading.Event()

    class Hangs(Stream):
        def push(self, sample: Sample) -> list[Sample]:
            release.wait(TIMEOUT)
            return []

    chosen = settings(engine={"deadline_seconds": 0.2})
    async with (
        running(chosen, fake_host(chosen, face=Opening(Hangs, "face"))) as server,
        stub_of(server) as stub,
        aclosing(statuses(server, "mien.plugins.face")) as health,
    ):
        assert await anext(health) == SERVING
        call = stub.StreamSession(timeout=TIMEOUT)
        await call.write(pb.StreamSessionRequest(config=pb.SessionConfig()))
        await call.write(pb.StreamSessionRequest(frame=raw_image()))
        assert await anext(health) == NOT_SERVING
        assert await health_of(server) == SERVING, "single pictures can be analysed"
        release.set()
        assert await anext(health) == SERVING
        call.cancel()


async def test_a_plugin_that_fails_again_and_again_is_not_serving_until_it_works() -> None:
    broken = True

    def answer(sample: Sample) -> list[Prediction]:
        if broken:
            raise RuntimeError
        return [make_prediction()]

    chosen = settings()
    host = fake_host(chosen, face=FakeAnalyzer("face", answer=answer))
    async with (
        running(chosen, host) as server,
        stub_of(server) as stub,
        aclosing(statuses(server, "mien.plugins.face")) as health,
    ):
        assert await anext(health) == SERVING
        for _ in range(3):
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.Analyze(picture_request(), timeout=TIMEOUT)
        assert await anext(health) == NOT_SERVING
        assert await health_of(server) == SERVING, "it comes back only where it is asked"
        broken = False
        await stub.Analyze(picture_request(), timeout=TIMEOUT)
        assert await anext(health) == SERVING


async def test_a_watch_of_an_unknown_name_is_told_so() -> None:
    async with running() as server, aclosing(statuses(server, "nose")) as health:
        assert await anext(health) == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


async def test_a_server_none_of_whose_analyzers_can_be_used_is_not_serving() -> None:
    chosen, face = settings(engine={"deadline_seconds": 0.2, "analyzers": ["face"]}), BlockingAnalyzer()
    async with (
        running(chosen, fake_host(chosen, face=face)) as server,
        stub_of(server) as stub,
        aclosing(statuses(server, "")) as overall,
        aclosing(statuses(server, "mien.v1.SentimentService")) as service,
    ):
        assert (await anext(overall), await anext(service)) == (SERVING, SERVING)
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.Analyze(picture_request(), timeout=TIMEOUT)
        assert (await anext(overall), await anext(service)) == (NOT_SERVING, NOT_SERVING)
        face.release.set()
        assert (await anext(overall), await anext(service)) == (SERVING, SERVING)


class EndsTheProcess(FakeFuser):
    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        raise KeyboardInterrupt


class NotANumber(FakeFuser):
    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        made = super().fuse(predictions, context)
        object.__setattr__(made, "score", float("nan"))
        return made


@pytest.mark.parametrize(
    ("fuser", "reason"),
    [(EndsTheProcess, "it raised KeyboardInterrupt"), (NotANumber, "score must be finite, got nan")],
)
async def test_a_fuser_that_misbehaves_fails_the_call_by_name_and_not_the_server(
    fuser: type[FakeFuser], reason: str
) -> None:
    chosen = settings()
    host = fake_host(chosen, bad=FakePlugin(fusers={"bad": fuser}))
    async with running(chosen, host) as server, stub_of(server) as stub:
        for _ in range(2):
            with pytest.raises(grpc.aio.AioRpcError, match=f"fuser 'bad' .*{reason}") as caught:
                await stub.Analyze(picture_request(fuser="bad"), timeout=TIMEOUT)
            assert details_of(caught.value)["ErrorInfo"].reason == "NO_STREAM_LEFT"
        assert (await stub.Analyze(picture_request(), timeout=TIMEOUT)).predictions
        assert await health_of(server) == SERVING


async def test_an_analyzer_that_takes_its_batch_apart_costs_itself_only() -> None:
    class Empties(FakeAnalyzer):
        def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
            found = super().analyze([*samples])
            samples.clear()  # type: ignore[attr-defined]
            return found

    chosen = settings()
    async with running(chosen, fake_host(chosen, face=Empties())) as server, stub_of(server) as stub:
        request = pb.AnalyzeRequest(image=raw_image(), text=pb.Text(content="yes"))
        for _ in range(2):
            answer = await stub.Analyze(request, timeout=TIMEOUT)
            states = {status.analyzer: status.state for status in answer.streams}
            assert states == {"face": pb.STREAM_STATE_FAILED, "words": pb.STREAM_STATE_OK}


class CannotLoad(FakeAnalyzer):
    def warm_up(self) -> None:
        raise PluginError("its weights are missing")


async def test_a_plugin_that_cannot_load_is_not_serving_and_the_rest_is() -> None:
    chosen = settings()
    async with running(chosen, fake_host(chosen, face=CannotLoad("face"))) as server:
        assert await health_of(server, "mien.plugins.face") == NOT_SERVING
        assert await health_of(server, "mien.plugins.words") == SERVING
        assert await health_of(server) == SERVING


async def test_nothing_to_serve_is_an_error_that_gives_the_reasons() -> None:
    chosen = settings(engine={"analyzers": ["face"]})
    with pytest.raises(ServerStartError, match="face: its weights are missing"):
        async with running(chosen, fake_host(chosen, face=CannotLoad("face"))):
            pass


async def test_a_second_server_on_the_same_port_is_refused_by_name() -> None:
    async with running() as first:
        chosen = settings(server={"address": first.address})
        host = fake_host(chosen)
        second = Server(chosen, host)
        with pytest.raises(ServerStartError, match=f"cannot listen on {first.address}: another program"):
            await second.start()
        await second.drain()
        assert await health_of(first) == SERVING
        host.close()


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:50051", "kiosk.example:50051"])
def test_an_address_that_others_can_reach_needs_insecure_said_aloud(address: str) -> None:
    with pytest.raises(ConfigError, match=r"plain text.*--insecure"):
        check_address(address, insecure=False)
    check_address(address, insecure=True)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.8.9.1:1", "localhost:50051", "[::1]:50051"])
def test_loopback_needs_no_flag(address: str) -> None:
    assert is_loopback(address)
    check_address(address, insecure=False)


async def reflected(server: Server, *, version: str = "v1") -> list[str]:
    """The services that are listed, each of which can be described."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        call = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )(timeout=TIMEOUT)
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        names = [service.name for service in (await call.read()).list_services_response.service]
        for name in names:
            await call.write(reflection_pb2.ServerReflectionRequest(file_containing_symbol=name))
            assert (await call.read()).file_descriptor_response.file_descriptor_proto, name
        await call.done_writing()
        return names


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_lists_and_describes_the_services_where_it_is_on(version: str) -> None:
    async with running(settings(server={"reflection": True})) as server:
        assert set(await reflected(server, version=version)) == {
            "mien.v1.SentimentService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
        }


async def test_reflection_is_off_by_default() -> None:
    async with running() as server:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await reflected(server)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_draining_finishes_what_was_accepted_and_refuses_what_comes() -> None:
    chosen, face = settings(), BlockingAnalyzer()
    host = fake_host(chosen, face=face)
    server = Server(chosen, host)
    await server.start()
    await server.warm_up()
    async with stub_of(server) as stub:
        accepted = asyncio.ensure_future(stub.Analyze(picture_request(), timeout=TIMEOUT))
        assert await asyncio.to_thread(face.entered.acquire, timeout=TIMEOUT)
        draining = asyncio.create_task(server.drain())
        await server._gate.draining.wait()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Analyze(picture_request(), timeout=TIMEOUT)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert details_of(caught.value)["ErrorInfo"].reason == "DRAINING"
        face.release.set()
        assert (await accepted).predictions
        await draining
    host.close()


async def test_work_that_does_not_end_is_left_when_the_drain_is_over(caplog: pytest.LogCaptureFixture) -> None:
    chosen, face = settings(server={"drain_seconds": 0.05}), BlockingAnalyzer()
    host = fake_host(chosen, face=face)
    server = Server(chosen, host)
    await server.start()
    await server.warm_up()
    async with stub_of(server) as stub:
        accepted = asyncio.ensure_future(stub.Analyze(picture_request(), timeout=TIMEOUT))
        assert await asyncio.to_thread(face.entered.acquire, timeout=TIMEOUT)
        await server.drain()
        with pytest.raises(grpc.aio.AioRpcError):
            await accepted
    assert "not finished within 0.05 s" in caplog.text
    face.release.set()
    host.close()


async def until(path: Path, process: subprocess.Popen[str]) -> str:
    """What is in a file, once it is there."""
    async with asyncio.timeout(60):
        while not path.exists():  # another process makes it
            assert process.poll() is None, process.communicate()
            await asyncio.sleep(0.02)
    return path.read_text()


def fake_server(ready: Path, *, seconds: float = 0.0, loading: float = 0.0) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(
        [sys.executable, str(HERE / "fake_server.py"), str(ready), str(seconds), str(loading)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


async def test_a_signal_while_the_server_loads_ends_it(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    process = fake_server(ready, loading=300.0)
    try:
        await until(ready.with_suffix(".loading"), process)
        process.terminate()
        out, err = await asyncio.to_thread(process.communicate, timeout=25)
    finally:
        process.kill()
    assert (process.returncode, out.strip()) == (0, "drained"), err
    assert not ready.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_the_process(tmp_path: Path, number: signal.Signals) -> None:
    ready = tmp_path / "ready"
    process = fake_server(ready, seconds=0.5)
    try:
        address = await until(ready, process)
        async with AsyncClient(address) as client:
            accepted = asyncio.create_task(client.analyze(image=_picture()))
            await until(ready.with_suffix(".busy"), process)
            process.send_signal(number)
            assert (await accepted).predictions
        out, err = await asyncio.to_thread(process.communicate, timeout=25)
    finally:
        process.kill()
    assert (process.returncode, out.strip()) == (0, "drained"), err
    assert "Traceback" not in err
    host, _, port = address.rpartition(":")
    with socket.socket() as free:
        assert free.connect_ex((host, int(port))) != 0


def _picture() -> Any:
    import numpy as np

    return np.zeros((2, 2, 3), np.uint8)


async def test_server_info_tells_everything() -> None:
    chosen = settings(privacy={"require_consent": True}, limits={"max_image_bytes": 1234})
    broken = FakePlugin(analyzers={"face": (analyzer_info("face"), FakeAnalyzer)})  # a name that is taken
    quiet = FakePlugin(analyzers={"quiet": (analyzer_info("voice", opt_in=True), FakeAnalyzer)})
    host = fake_host(chosen, late=broken, quiet=quiet)
    async with running(chosen, host) as server, AsyncClient(server.address) as client:
        info = await client.server_info()
        assert await health_of(server, "mien.plugins.late") == NOT_SERVING
    assert {plugin.name: plugin.loaded for plugin in info.plugins} == {
        "face": True,
        "words": True,
        "late": False,
        "quiet": True,
    }
    assert next(plugin.reason for plugin in info.plugins if plugin.name == "late")
    assert {analyzer.name: analyzer.enabled for analyzer in info.analyzers} == {
        "face": True,
        "words": True,
        "quiet": False,
    }
    face = next(analyzer for analyzer in info.analyzers if analyzer.name == "face")
    assert (face.modality, face.accepts, face.labels, face.plugin) == (
        "face",
        ("image",),
        ("happy", "neutral", "sad"),
        "face",
    )
    assert info.fusers == ("fake",)
    assert info.default_fuser == "fake"
    assert info.limits.max_image_bytes == 1234
    assert info.consent_required


async def test_a_client_waits_in_vain_for_a_server_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with AsyncClient(f"127.0.0.1:{taken.getsockname()[1]}") as client:
            with pytest.raises(ServiceError, match=r"is `mien serve` running there\?"):
                await client.server_info()
            with pytest.raises(ServiceError, match=r"not ready within 0\.2 s"):
                await client.wait_until_ready(0.2)


async def test_the_server_tells_what_its_analyzers_run_on() -> None:
    class Telling(FakeAnalyzer):
        def runtime(self) -> AnalyzerRuntime:
            return AnalyzerRuntime(weights_sha256={"w": "ab" * 32}, backend="openvino", batch_sizes=(1, 8))

    class Silent(FakeAnalyzer):
        def runtime(self) -> AnalyzerRuntime:
            raise RuntimeError

    chosen = settings()
    host = fake_host(chosen, face=Telling("face"), text=Silent("text"))
    async with running(chosen, host) as server, AsyncClient(server.address) as client:
        face, words = (await client.server_info()).analyzers
    assert (dict(face.weights_sha256), face.backend, face.batch_sizes) == ({"w": "ab" * 32}, "openvino", (1, 8))
    assert (dict(words.weights_sha256), words.backend, words.batch_sizes) == ({}, "", ())
