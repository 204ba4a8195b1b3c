"""The same kiosk on a server: its sessions run there, and its summaries come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from kiosk.support import Bench, Murmuring, ScriptFeed, Seen, note, picture, speech
from service.support import running, settings

from mien import AnalysisResult, ConfigError, ImageFrame, SessionSummary, Transcript
from mien.client import AsyncClient, AsyncClientSession, ServiceError
from mien.config import Settings
from mien.kiosk import Kiosk
from mien.kiosk.feed import Item
from mien.kiosk.remote import RemoteBrain
from mien.session import Consent, SessionEnd


class PacedFeed(ScriptFeed):
    """Goes on when the kiosk has been shown what became of the picture before."""

    def __init__(self, items: Sequence[Item | float], seen: Seen) -> None:
        super().__init__(items, waits=False)
        self._seen = seen
        self._given = 0

    async def next(self, timeout: float) -> Item:
        async with asyncio.timeout(30):
            while len(self._seen.events) < self._given:
                await asyncio.sleep(0.005)
        item = await super().next(timeout)
        if isinstance(item, ImageFrame):
            self._given = len(self._seen.events) + 1
        return item


def follow(bench: Bench, items: Sequence[Item | float], *, analyzers: tuple[str, ...] = ()) -> tuple[Seen, list[str]]:
    """Run a kiosk against a server with the bench's plugins."""
    seen, records = Seen(), list[tuple[str, AnalysisResult | SessionSummary]]()

    async def go() -> None:
        async with running(settings(fusion={"fuser": "fitted"}), bench.host) as server:
            brain = RemoteBrain(
                server.address, analyzers=analyzers, consent=Consent.NOTICE_SHOWN, settings=bench.settings
            )
            try:
                await brain.start()
                kiosk = Kiosk(
                    feed=PacedFeed(items, seen),
                    brain=brain,
                    view=seen,
                    record=partial(note, records),
                    config=bench.config,
                )
                await kiosk.run(asyncio.Event())
            finally:
                await brain.close()

    asyncio.run(go())
    return seen, [type(result).__name__ for _, result in records]


def test_an_interaction_is_followed_on_a_server_and_summed_up(bench: Bench) -> None:
    seen, recorded = follow(bench, [picture(0.0), speech(0.5), picture(1.0), picture(2.0)])
    [summary] = seen.summaries
    assert (summary.end, summary.snapshots, summary.utterances) == (SessionEnd.CLOSED, 3, 1)
    assert recorded[-1] == "SessionSummary"
    assert recorded.count("AnalysisResult") == 4


def test_staff_areas_are_black_before_a_picture_leaves_this_machine(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[ImageFrame] = []
    send_frame, analyze = AsyncClientSession.send_frame, AsyncClient.analyze

    async def note_frame(session: AsyncClientSession, image: ImageFrame) -> None:
        sent.append(image)
        await send_frame(session, image)

    async def note_picture(client: AsyncClient, *, image: ImageFrame, **options: Any) -> Any:
        sent.append(image)
        return await analyze(client, image=image, **options)

    monkeypatch.setattr(AsyncClientSession, "send_frame", note_frame)
    monkeypatch.setattr(AsyncClient, "analyze", note_picture)
    bench.config = replace(bench.config, exclude_regions=((0.5, 0.0, 0.5, 0.5),))
    follow(bench, [picture(0.0), picture(1.0)])
    assert len(sent) == 3, "one to see whether somebody is there, two for the session"
    assert all(np.all(frame.pixels[:24, 32:] == 0) and np.all(frame.pixels[24:] == 200) for frame in sent)


def test_why_it_ended_is_what_the_kiosk_knows(bench: Bench) -> None:
    seen, _ = follow(bench, [picture(0.0), 20.0])
    assert [summary.end for summary in seen.summaries] == [SessionEnd.IDLE]


def test_a_server_that_is_not_there_is_named() -> None:
    async def go() -> None:
        brain = RemoteBrain("127.0.0.1:9", analyzers=(), consent=Consent.GIVEN, settings=Settings())
        try:
            await brain.start()
        finally:
            await brain.close()

    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:9"):
        asyncio.run(go())


def test_an_analyzer_that_the_server_does_not_run_is_named(bench: Bench) -> None:
    with pytest.raises(ConfigError, match="does not run posture"):
        follow(bench, [], analyzers=("face", "posture"))


def test_words_come_from_the_server_while_they_are_spoken(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(voice_kind=Murmuring, partials=True)
    seen, _ = follow(bench, [picture(0.0), speech(0.5), picture(1.0)])
    (told,) = seen.partials
    assert isinstance(told.prediction.evidence, Transcript)
    assert (told.prediction.evidence.text, told.prediction.evidence.revision) == ("thank", 1)
    assert told.prediction.is_provisional
