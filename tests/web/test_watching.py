"""Watchers of a session: told what its caller is told, bounded, and only with the session's key."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from web.support import CONFIG, FRAME, browser, gateway, socket_to, told

from mien.v1 import sentiment_pb2 as pb
from mien.web.watching import EVENTS_WAITING, MAX_SESSION_WATCHERS, Hub
from mien.wire.status import RefusedError

EVENTS = "/v1/sessions/one/events"


async def events_of(answer: httpx.Response) -> list[tuple[str, Any]]:
    """All events until the stream ends."""
    found, name = [], ""
    async for line in answer.aiter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            found.append((name, json.loads(value)))
    return found


async def test_a_watcher_sees_the_session_to_its_summary() -> None:
    async with gateway() as found, browser(found) as client, socket_to(found) as socket:
        await socket.send(json.dumps(CONFIG))
        await told(socket, "started")
        async with client.stream("GET", EVENTS) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            await socket.send(json.dumps(FRAME))
            await told(socket, "update")
            await socket.send(json.dumps({"marker": {"name": "end", "rating": 4}}))
            seen = await events_of(answer)
        gone = await client.get(EVENTS)
    assert [name for name, _ in seen if name in ("update", "summary")] == ["update", "update", "summary"]
    assert seen[-1][1]["summary"]["rating"] == 4
    assert "resumeToken" not in json.dumps(seen)
    assert gone.status_code == 404


async def test_a_session_is_watched_with_its_own_key_alone() -> None:
    mine = {"authorization": "Bearer mine"}
    async with gateway() as found, browser(found) as client, socket_to(found, additional_headers=mine) as socket:
        await socket.send(json.dumps(CONFIG))
        await told(socket, "started")
        for headers in ({}, {"authorization": "Bearer theirs"}):
            answer = await client.get(EVENTS, headers=headers)
            assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "NOT_FOUND")
        async with client.stream("GET", EVENTS, headers=mine) as answer:
            assert answer.status_code == 200


async def test_a_slow_watcher_misses_the_oldest_and_is_told_how_many() -> None:
    hub = Hub(max_watchers=100)
    session = hub.open("one", "")
    watcher = hub.watch("one", "")
    for _ in range(EVENTS_WAITING + 5):
        session.tell(pb.StreamSessionResponse(update=pb.SessionUpdate()))
    hub.close_session("one", session)
    parts = [part async for part in watcher.stream()]
    assert parts[1] == b'event: lost\ndata: {"events": 5}\n\n'
    assert sum(part.startswith(b"event: update") for part in parts) == EVENTS_WAITING


async def test_watchers_are_counted() -> None:
    hub = Hub(max_watchers=MAX_SESSION_WATCHERS + 1)
    hub.open("one", "")
    hub.open("two", "")
    watchers = [hub.watch("one", "") for _ in range(MAX_SESSION_WATCHERS)]
    with pytest.raises(RefusedError, match="as many watch"):
        hub.watch("one", "")
    hub.watch("two", "")
    with pytest.raises(RefusedError, match="as many watch"):
        hub.watch("two", "")
    watchers[0].leave()
    hub.watch("two", "")


async def test_a_second_session_of_a_name_is_not_shown_to_watchers_of_the_first() -> None:
    hub = Hub(max_watchers=10)
    first, second = hub.open("one", "mine"), hub.open("one", "theirs")
    watcher = hub.watch("one", "mine")
    second.tell(pb.StreamSessionResponse(update=pb.SessionUpdate()))
    hub.close_session("one", second)
    first.tell(pb.StreamSessionResponse(notice=pb.Notice(message="hello")))
    hub.close_session("one", first)
    parts = b"".join([part async for part in watcher.stream()])
    assert b"event: update" not in parts
    assert b"hello" in parts
