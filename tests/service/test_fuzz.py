"""Whatever a caller sends is answered, and never by an error of the server. The long run is in ``tests/soak``."""

from __future__ import annotations

import logging

import grpc
import pytest
from service.attacking import Attacker
from service.support import face_like, fake_host, running, settings, voice_plugin

from mien.testing import FakeAnalyzer

COUNT = 150


@pytest.mark.parametrize("what", ["messages", "files"])
async def test_what_is_damaged_or_strange_is_the_callers_mistake(what: str, caplog: pytest.LogCaptureFixture) -> None:
    chosen = settings()
    host = fake_host(chosen, face=face_like(), voice=voice_plugin(FakeAnalyzer("voice")))
    async with running(chosen, host) as server, grpc.aio.insecure_channel(server.address) as channel:
        attacker = Attacker(channel, seed=len(what))
        await getattr(attacker, what)(COUNT)
    assert not attacker.found.wrong
    assert attacker.found.statuses["INVALID_ARGUMENT"] > COUNT / 10
    assert attacker.found.statuses["OK"]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
