"""Bearer keys: who has none that counts is refused with the right word, on every call, and no key is ever in a log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from service.support import TIMEOUT, details_of, picture_request, raw_image, running, settings, stub_of

from mien import ConfigError
from mien.access import AccessError, Caller, Door, KeyLimits, KeyScopes, add_key, load_keys, revoke_key
from mien.service.server import Server
from mien.v1 import sentiment_pb2 as pb

CODES = {
    "KEY_MISSING": grpc.StatusCode.UNAUTHENTICATED,
    "KEY_INVALID": grpc.StatusCode.UNAUTHENTICATED,
    "KEY_REVOKED": grpc.StatusCode.UNAUTHENTICATED,
    "KEY_EXPIRED": grpc.StatusCode.UNAUTHENTICATED,
    "CALL_NOT_ALLOWED": grpc.StatusCode.PERMISSION_DENIED,
    "ANALYZER_NOT_ALLOWED": grpc.StatusCode.PERMISSION_DENIED,
    "CALL_QUOTA": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "SESSION_QUOTA": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "BYTE_QUOTA": grpc.StatusCode.RESOURCE_EXHAUSTED,
}
BOTH = pb.AnalyzeRequest(image=raw_image(), text=pb.Text(content="yes"))


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A file with one key in it, that nobody has."""
    path = tmp_path / "keys.json"
    add_key(path, "nobody")
    return path


def bearing(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


@asynccontextmanager
async def asking_for(keys: Path) -> AsyncIterator[tuple[Server, Any]]:
    """A server that asks for keys, and a stub."""
    async with running(settings(server={"keys": keys})) as server, stub_of(server) as stub:
        yield server, stub


async def reason_of(call: Any) -> str:
    """Why a call is refused, with the code that goes with it."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await (call.read() if hasattr(call, "read") else call)
    details = details_of(caught.value)
    reason: str = details["ErrorInfo"].reason
    assert caught.value.code() is CODES[reason]
    assert ("RetryInfo" in details) is reason.endswith("QUOTA")
    return reason


async def test_every_call_but_health_needs_a_key_that_counts(keys: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    good, entry = add_key(keys, "kiosk-1")
    forged = good[:-1] + ("A" if good[-1] != "A" else "B")
    async with asking_for(keys) as (server, stub):
        for token in (good, good):
            assert (await stub.Analyze(BOTH, metadata=bearing(token), timeout=TIMEOUT)).predictions
        assert (await stub.GetServerInfo(pb.GetServerInfoRequest(), metadata=bearing(good), timeout=TIMEOUT)).version
        assert await reason_of(stub.Analyze(BOTH, timeout=TIMEOUT)) == "KEY_MISSING"
        assert await reason_of(stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=TIMEOUT)) == "KEY_MISSING"
        assert await reason_of(stub.StreamSession(timeout=TIMEOUT)) == "KEY_MISSING"
        assert await reason_of(stub.AnalyzeStream(timeout=TIMEOUT)) == "KEY_MISSING"
        for wrong in (forged, "mien_0123456789_" + "x" * 43, "letmein", "x" * 4000):
            assert await reason_of(stub.Analyze(BOTH, metadata=bearing(wrong), timeout=TIMEOUT)) == "KEY_INVALID"
        async with grpc.aio.insecure_channel(server.address) as channel:
            assert (await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())).status
    secret = good.rpartition("_")[2]
    assert secret not in caplog.text
    assert entry.hash not in caplog.text
    assert "Analyze was answered with KEY_INVALID (UNAUTHENTICATED)" in caplog.text


async def test_a_key_counts_no_more_once_it_is_revoked_or_has_expired(keys: Path) -> None:
    revoked, _ = add_key(keys, "revoked")
    expired, _ = add_key(keys, "expired", lasts=timedelta(seconds=0))
    async with asking_for(keys) as (server, stub):
        call = stub.StreamSession(metadata=bearing(revoked), timeout=TIMEOUT)
        await call.write(pb.StreamSessionRequest(config=pb.SessionConfig()))
        assert (await call.read()).HasField("started")
        revoke_key(keys, "revoked")
        server.reload()
        await call.write(pb.StreamSessionRequest(frame=raw_image()))
        assert (await call.read()).HasField("summary"), "what was seen so far is not lost"
        assert await reason_of(call) == "KEY_REVOKED"
        assert await reason_of(stub.Analyze(BOTH, metadata=bearing(revoked), timeout=TIMEOUT)) == "KEY_REVOKED"
        assert await reason_of(stub.Analyze(BOTH, metadata=bearing(expired), timeout=TIMEOUT)) == "KEY_EXPIRED"


async def test_a_key_allows_its_calls_and_analyzers_only(keys: Path) -> None:
    token, _ = add_key(keys, "faces", scopes=KeyScopes(calls=("Analyze", "StreamSession"), analyzers=("face",)))
    mine = {"metadata": bearing(token), "timeout": TIMEOUT}
    async with asking_for(keys) as (_, stub):
        answer = await stub.Analyze(picture_request(), **mine)
        assert [prediction.analyzer for prediction in answer.predictions] == ["face"]
        assert await reason_of(stub.Analyze(picture_request(analyzers=["words"]), **mine)) == "ANALYZER_NOT_ALLOWED"
        words = pb.AnalyzeRequest(text=pb.Text(content="yes"))
        assert await reason_of(stub.Analyze(words, **mine)) == "ANALYZER_NOT_ALLOWED"
        assert await reason_of(stub.GetServerInfo(pb.GetServerInfoRequest(), **mine)) == "CALL_NOT_ALLOWED"
        assert await reason_of(stub.AnalyzeStream(**mine)) == "CALL_NOT_ALLOWED"
        session = stub.StreamSession(**mine)
        await session.write(pb.StreamSessionRequest(config=pb.SessionConfig()))
        assert list((await session.read()).started.analyzers) == ["face"]
        session.cancel()
        other = stub.StreamSession(**mine)
        await other.write(pb.StreamSessionRequest(config=pb.SessionConfig(analyzers=["words"])))
        assert await reason_of(other) == "ANALYZER_NOT_ALLOWED"


async def test_a_key_has_its_share_of_calls_sessions_and_bytes(keys: Path) -> None:
    two_calls, _ = add_key(keys, "two", limits=KeyLimits(calls_per_minute=2))
    few_bytes, _ = add_key(keys, "small", limits=KeyLimits(bytes_per_minute=10))
    one_session, _ = add_key(keys, "one", limits=KeyLimits(sessions=1))
    async with asking_for(keys) as (_, stub):
        for _ in range(2):
            assert await stub.Analyze(BOTH, metadata=bearing(two_calls), timeout=TIMEOUT)
        assert await reason_of(stub.Analyze(BOTH, metadata=bearing(two_calls), timeout=TIMEOUT)) == "CALL_QUOTA"
        assert await stub.Analyze(BOTH, metadata=bearing(few_bytes), timeout=TIMEOUT)
        assert await reason_of(stub.Analyze(BOTH, metadata=bearing(few_bytes), timeout=TIMEOUT)) == "BYTE_QUOTA"
        first = stub.StreamSession(metadata=bearing(one_session), timeout=TIMEOUT)
        await first.write(pb.StreamSessionRequest(config=pb.SessionConfig()))
        assert (await first.read()).HasField("started")
        assert await reason_of(stub.StreamSession(metadata=bearing(one_session), timeout=TIMEOUT)) == "SESSION_QUOTA"
        await first.done_writing()
        assert (await first.read()).HasField("summary")
        assert await first.read() is grpc.aio.EOF
        again = stub.StreamSession(metadata=bearing(one_session), timeout=TIMEOUT)
        await again.write(pb.StreamSessionRequest(config=pb.SessionConfig()))
        assert (await again.read()).HasField("started")
        again.cancel()


async def test_items_of_a_stream_count_as_calls_and_cost_no_others(keys: Path) -> None:
    token, _ = add_key(keys, "items", limits=KeyLimits(calls_per_minute=3))
    async with asking_for(keys) as (_, stub):
        items = [pb.AnalyzeStreamRequest(request_id=str(number), request=BOTH) for number in range(4)]
        answers = [answer async for answer in stub.AnalyzeStream(iter(items), metadata=bearing(token), timeout=TIMEOUT)]
    reasons = sorted(answer.error.reason for answer in answers)
    assert reasons == ["", "", "CALL_QUOTA", "CALL_QUOTA"], "the call itself is one of the three"


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_share_comes_back_within_the_minute(keys: Path) -> None:
    token, _ = add_key(keys, "slow", limits=KeyLimits(calls_per_minute=6))
    clock = Clock()
    door = Door(keys, clock=clock)
    caller = await door.let_in(token, "Analyze")
    for _ in range(6):
        caller.charge_call()
    with pytest.raises(AccessError) as caught:
        caller.charge_call()
    assert caught.value.retry_seconds == pytest.approx(10.0)
    clock.now = 10.1
    caller.charge_call()
    door.close()


async def test_the_slow_hash_is_paid_once_a_key_and_guesses_keep_nobody_out(keys: Path) -> None:
    token, _ = add_key(keys, "kiosk")
    other, _ = add_key(keys, "other")
    tried: list[str] = []
    door = Door(keys, check=lambda hashed, presented: tried.append(presented) is None and presented in (token, other))
    await asyncio.gather(*(door.let_in(token, "Analyze") for _ in range(50)))
    await door.let_in(token, "Analyze")
    assert tried == [token]
    guesses = [door.let_in(token[:-4] + f"{number:04d}", "Analyze") for number in range(100)]
    *found, caller = await asyncio.gather(*guesses, door.let_in(other, "Analyze"), return_exceptions=True)
    assert isinstance(caller, Caller), "who has another key is let in meanwhile"
    reasons = [str(each.reason) for each in found if isinstance(each, AccessError)]
    assert len(reasons) == 100
    assert set(reasons) == {"KEY_INVALID", "ACCESS_BUSY"}
    assert len(tried) == 2 + reasons.count("KEY_INVALID")
    await door.let_in(token, "Analyze")
    assert tried.count(token) == 1
    door.close()


async def test_a_file_that_cannot_be_read_again_changes_nothing(keys: Path, caplog: pytest.LogCaptureFixture) -> None:
    token, _ = add_key(keys, "kiosk")
    door = Door(keys)
    keys.write_text("{")
    door.reload()
    assert (await door.let_in(token, "Analyze")).name == "kiosk"
    assert "the keys were not read again" in caplog.text
    door.close()


def test_the_file_is_its_owners_and_holds_no_key(keys: Path) -> None:
    token, entry = add_key(keys, "kiosk")
    assert keys.stat().st_mode & 0o777 == 0o600
    assert token not in keys.read_text()
    assert token.rpartition("_")[2] not in keys.read_text()
    assert [key.name for key in load_keys(keys)] == ["nobody", "kiosk"]
    with pytest.raises(ConfigError, match="named 'kiosk' already"):
        add_key(keys, "kiosk")
    assert revoke_key(keys, entry.id).state == "revoked"
    with pytest.raises(ConfigError, match="no key that counts"):
        revoke_key(keys, "kiosk")
    assert add_key(keys, "kiosk")[1].state == "active"


def test_no_file_of_keys_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="mien keys new"):
        Door(tmp_path / "absent.json")
