"""Sends a server what ``service.mutations`` makes, and tells what came back."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import grpc
from service.mutations import damaged, picture_file, sent, session, sound_file

from mien.v1 import sentiment_pb2 as pb

CALLS = "/mien.v1.SentimentService/"
FORBIDDEN = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE)
CLIENTS_OWN = "Internal error from Core"
"""What the asyncio client says by itself, and no server, where a call ends while it writes."""

PATIENCE = 60.0


@dataclass
class Found:
    """What came back: how often each status, the slowest answer, and what must not be."""

    statuses: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)
    answers: int = 0

    def note(self, code: grpc.StatusCode, text: str = "") -> None:
        if text == CLIENTS_OWN:
            self.statuses["CLIENT"] += 1
            return
        self.statuses[code.name] += 1
        if code in FORBIDDEN:
            self.wrong.append(f"{code.name}: {text}")


class Attacker:
    """Attacks one server over one channel, a few calls at a time."""

    def __init__(self, channel: grpc.aio.Channel, *, seed: int, at_once: int = 4) -> None:
        self._random = random.Random(seed)
        self._at_once = at_once
        self._analyze = channel.unary_unary(CALLS + "Analyze")
        self._stream = channel.stream_stream(CALLS + "AnalyzeStream", None, pb.AnalyzeStreamResponse.FromString)
        self._session = channel.stream_stream(CALLS + "StreamSession", None, pb.StreamSessionResponse.FromString)
        self.found = Found()

    async def messages(self, count: int) -> None:
        """Mutated messages, by all calls in turn."""
        calls = (self._one_request, self._some_items, self._one_session)
        await self._all([calls[index % 3] for index in range(count)])

    async def files(self, count: int) -> None:
        """Damaged pictures and sounds in messages that are well."""
        await self._all([self._one_file] * count)

    async def _all(self, calls: list[Callable[[random.Random], Awaitable[None]]]) -> None:
        waiting = list(reversed(calls))

        async def work() -> None:
            while waiting:
                call, chance = waiting.pop(), random.Random(self._random.getrandbits(64))
                began = time.monotonic()
                await call(chance)
                self.found.slowest = max(self.found.slowest, time.monotonic() - began)

        await asyncio.gather(*(work() for _ in range(self._at_once)))

    async def _one_request(self, chance: random.Random) -> None:
        await self._asked(sent(pb.AnalyzeRequest, chance))

    async def _one_file(self, chance: random.Random) -> None:
        request = pb.AnalyzeRequest()
        if chance.random() < 0.7:
            request.image.encoded = damaged(picture_file(chance), chance)
        else:
            request.audio.encoded = damaged(sound_file(chance), chance)
        await self._asked(request.SerializeToString())

    async def _asked(self, data: bytes) -> None:
        try:
            await self._analyze(data, timeout=PATIENCE)
        except grpc.aio.AioRpcError as error:
            self.found.note(error.code(), error.details() or "")
        else:
            self.found.note(grpc.StatusCode.OK)

    async def _some_items(self, chance: random.Random) -> None:
        items = [sent(pb.AnalyzeStreamRequest, chance) for _ in range(chance.randint(1, 4))]
        await self._streamed(self._stream(timeout=PATIENCE), items)

    async def _one_session(self, chance: random.Random) -> None:
        await self._streamed(self._session(timeout=PATIENCE), session(chance))

    async def _streamed(self, call: Any, messages: Iterable[bytes]) -> None:
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # it may end at any message
            for message in messages:
                await call.write(message)
            await call.done_writing()
        try:
            while (answer := await call.read()) is not grpc.aio.EOF:
                self.found.answers += 1
                if isinstance(answer, pb.AnalyzeStreamResponse) and answer.HasField("error"):
                    code = next(each for each in grpc.StatusCode if each.value[0] == answer.error.code)
                    self.found.note(code, answer.error.message)
        except grpc.aio.AioRpcError as error:
            self.found.note(error.code(), error.details() or "")
        else:
            self.found.note(grpc.StatusCode.OK)
