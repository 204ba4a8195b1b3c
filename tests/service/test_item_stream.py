"""``AnalyzeStream``: many requests over one call, each answered by itself."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from service.support import (
    TIMEOUT,
    BlockingAnalyzer,
    details_of,
    fake_host,
    picture_request,
    running,
    settings,
    stub_of,
)

from mien.v1 import sentiment_pb2 as pb


def item(request_id: str, request: pb.AnalyzeRequest | None = None) -> pb.AnalyzeStreamRequest:
    return pb.AnalyzeStreamRequest(request_id=request_id, request=request or picture_request())


async def answers_to(stub: Any, *items: pb.AnalyzeStreamRequest) -> dict[str, pb.AnalyzeStreamResponse]:
    call = stub.AnalyzeStream(iter(items), timeout=TIMEOUT)
    return {answer.request_id: answer async for answer in call}


async def test_each_item_is_answered_under_its_id() -> None:
    async with running() as server, stub_of(server) as stub:
        found = await answers_to(stub, *(item(f"item-{number}") for number in range(150)))
    assert set(found) == {f"item-{number}" for number in range(150)}
    assert all(answer.response.predictions for answer in found.values())


async def test_a_bad_item_is_answered_by_its_own_status_and_costs_no_other() -> None:
    bad = {
        "empty": (pb.AnalyzeRequest(), 3, "INVALID_INPUT"),
        "picture": (pb.AnalyzeRequest(image=pb.Image(encoded=b"words")), 3, "INVALID_INPUT"),
        "name": (picture_request(analyzers=["nose"]), 5, "NOT_FOUND"),
    }
    async with running() as server, stub_of(server) as stub:
        found = await answers_to(stub, item("good"), *(item(name, request) for name, (request, _, _) in bad.items()))
    assert found["good"].response.predictions
    for name, (_, code, reason) in bad.items():
        assert (found[name].error.code, found[name].error.reason) == (code, reason)
        assert found[name].error.message


async def test_an_item_that_meets_a_bug_is_internal_without_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("mien.service.decoding.decode_text_message", explode)
    async with running() as server, stub_of(server) as stub:
        words = pb.AnalyzeRequest(text=pb.Text(content="yes"))
        found = await answers_to(stub, item("good"), item("bug", words))
    assert found["good"].response.predictions
    assert found["bug"].error.code == 13
    assert "reference" in found["bug"].error.message
    assert "secret" not in found["bug"].error.message


@pytest.mark.parametrize("request_id", ["", "x" * 129])
async def test_an_item_without_a_usable_id_is_refused(request_id: str) -> None:
    async with running() as server, stub_of(server) as stub:
        (answer,) = (await answers_to(stub, item(request_id))).values()
    assert answer.error.code == 3
    assert "request_id" in answer.error.message


async def test_an_id_that_is_in_flight_is_refused_and_may_be_used_again_afterwards() -> None:
    chosen, face = settings(limits={"batch_delay_ms": 0}), BlockingAnalyzer()
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as stub:
        call = stub.AnalyzeStream(timeout=TIMEOUT)
        await call.write(item("a"))
        await call.write(item("a"))
        refused = await call.read()
        assert "in flight already" in refused.error.message
        face.release.set()
        assert (await call.read()).response.predictions
        await call.write(item("a"))
        assert (await call.read()).response.predictions
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF


async def test_answers_come_as_they_are_ready() -> None:
    chosen, face = settings(limits={"batch_delay_ms": 0}), BlockingAnalyzer()
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as stub:
        call = stub.AnalyzeStream(timeout=TIMEOUT)
        await call.write(item("slow"))
        assert await asyncio.to_thread(face.entered.acquire, timeout=TIMEOUT)
        await call.write(item("wrong", pb.AnalyzeRequest()))
        assert (await call.read()).request_id == "wrong"
        face.release.set()
        assert (await call.read()).request_id == "slow"
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF


async def test_items_in_flight_are_bounded_and_batched() -> None:
    chosen = settings(limits={"batch_delay_ms": 0, "max_stream_items": 4})
    face = BlockingAnalyzer()
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as stub:
        answering = asyncio.create_task(answers_to(stub, *(item(str(number)) for number in range(9))))
        assert await asyncio.to_thread(face.entered.acquire, timeout=TIMEOUT)
        face.release.set()
        assert len(await answering) == 9
    assert sum(face.batches) == 9
    assert max(face.batches) <= 4


async def test_a_silent_stream_is_ended() -> None:
    chosen = settings(limits={"idle_seconds": 0.2})
    async with running(chosen) as server, stub_of(server) as stub:
        call = stub.AnalyzeStream(timeout=TIMEOUT)
        await call.write(item("a"))
        assert (await call.read()).request_id == "a"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert details_of(caught.value)["ErrorInfo"].reason == "IDLE"


async def test_a_drain_answers_what_was_accepted_and_ends_the_stream() -> None:
    chosen, face = settings(), BlockingAnalyzer()
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as stub:
        call = stub.AnalyzeStream(timeout=TIMEOUT)
        await call.write(item("accepted"))
        assert await asyncio.to_thread(face.entered.acquire, timeout=TIMEOUT)
        server._gate.drain()
        face.release.set()
        assert (await call.read()).response.predictions
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert details_of(caught.value)["ErrorInfo"].reason == "DRAINING"


async def test_too_many_open_streams_are_refused() -> None:
    chosen = settings(limits={"max_sessions": 1})
    async with running(chosen) as server, stub_of(server) as stub:
        first = stub.AnalyzeStream(timeout=TIMEOUT)
        await first.write(item("a"))
        await first.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.AnalyzeStream(timeout=TIMEOUT).read()
        await first.done_writing()
        assert await first.read() is grpc.aio.EOF
        assert server._gate.streams == 0
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "RetryInfo" in details_of(caught.value)
