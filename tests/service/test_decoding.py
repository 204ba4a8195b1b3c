"""What is built to cost the decoder is refused, or ended by the caller's deadline, and holds nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from core.bombs import COSTLY, PLAIN, REFUSED, saved, scans
from service.support import TIMEOUT, details_of, face_like, fake_host, raw_image, running, settings, stub_of

from mien.errors import InputTooLargeError
from mien.media import budget
from mien.service.decoding import Decoder
from mien.v1 import sentiment_pb2 as pb
from mien.wire.status import RefusedError


def picture(data: bytes) -> pb.AnalyzeRequest:
    return pb.AnalyzeRequest(image=pb.Image(encoded=data))


@asynccontextmanager
async def decoder(**limits: float) -> AsyncIterator[Decoder]:
    opened = Decoder(settings(limits={"decode_processes": 1, **limits}).limits)
    yield opened
    opened.close()


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
async def test_a_bomb_is_refused(data: bytes) -> None:
    async with decoder() as opened:
        with pytest.raises(InputTooLargeError):
            await opened.request(picture(data))


@pytest.mark.parametrize(("width", "height"), [(65_536, 1), (1, 65_536)])
async def test_a_line_is_no_picture(width: int, height: int) -> None:
    async with decoder() as opened:
        with pytest.raises(InputTooLargeError, match="no side may be longer than 65,535"):
            await opened.request(pb.AnalyzeRequest(image=raw_image(width, height)))
        with pytest.raises(InputTooLargeError, match="no side may be longer than 65,535"):
            await opened.request(picture(saved("PNG", width, height)))


async def test_plain_pictures_are_decoded_without_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(budget, "_started", refuse)
    async with decoder() as opened:
        for name, data in PLAIN.items():
            if name != "no picture":
                assert (await opened.request(picture(data))).image_width in (48, 64, 640)


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> pb.AnalyzeRequest:
    """A picture that its budget does not end before a deadline does."""
    monkeypatch.setattr("mien.media.census.MAX_SCANS", 10**9)
    monkeypatch.setattr("mien.media.census.MAX_SEGMENTS", 10**9)
    return picture(scans(100_000, side=2_000))


async def test_decoding_is_ended_at_the_deadline(endless: pb.AnalyzeRequest) -> None:
    async with decoder(decode_seconds=60.0) as opened:
        with pytest.raises(RefusedError, match="time ran out") as caught:
            await opened.request(endless, asyncio.get_running_loop().time() + 0.2)
        assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert (await opened.request(picture(COSTLY["lossless WebP"]))).image_width == 64, "the process is free again"


async def test_costly_pictures_hold_up_no_plain_ones(endless: pb.AnalyzeRequest) -> None:
    async with decoder(decode_seconds=60.0) as opened:
        costly = [asyncio.create_task(opened.request(endless)) for _ in range(8)]
        assert (await opened.request(picture(saved("JPEG")))).image_width == 64
        assert not any(each.done() for each in costly)
        for each in costly:
            each.cancel()
        await asyncio.gather(*costly, return_exceptions=True)


async def test_a_call_is_told_that_its_picture_costs_too_much(endless: pb.AnalyzeRequest) -> None:
    chosen = settings(limits={"decode_seconds": 0.2, "max_wait_seconds": 60.0})
    async with running(chosen) as server, stub_of(server) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Analyze(endless, timeout=TIMEOUT)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert details_of(caught.value)["ErrorInfo"].reason == "INPUT_TOO_LARGE"
        assert "0.2 s of processor time" in (caught.value.details() or "")


async def test_a_session_goes_on_after_a_bomb() -> None:
    chosen = settings()
    async with running(chosen, fake_host(chosen, face=face_like())) as server, stub_of(server) as stub:
        call = stub.StreamSession(timeout=TIMEOUT)
        await call.write(pb.StreamSessionRequest(config=pb.SessionConfig(analyzers=["face"])))
        await call.read()
        await call.write(pb.StreamSessionRequest(frame=pb.Image(encoded=REFUSED["padding"])))
        assert "padding" in (await call.read()).notice.message
        await call.write(pb.StreamSessionRequest(frame=pb.Image(encoded=saved("JPEG"))))
        assert (await call.read()).update.state.snapshots == 1
        call.cancel()
