"""Ratings by customers at a kiosk: they belong to whoever is there."""

from __future__ import annotations

import asyncio
import os
import tempfile

import pytest
from kiosk.support import Bench, ScriptFeed, picture

from mien import ConfigError
from mien.kiosk.feed import Item, Pause, Tap
from mien.kiosk.taps import TapFeed


def test_a_tap_is_the_rating_of_the_visit(bench: Bench) -> None:
    ran = bench.run([picture(0.0), Tap(5), picture(1.0), Tap(2), picture(2.0, 0)])
    [summary] = ran.seen.summaries
    assert summary.rating == 2, "the last one counts"


def test_a_tap_when_nobody_is_there_is_told(bench: Bench) -> None:
    ran = bench.run([Tap(4), picture(0.0)])
    assert ran.seen.notices == ["a rating was tapped and nobody is there"]
    assert ran.seen.summaries[0].rating == 0


def test_digits_of_a_pipe_are_taps_and_the_rest_is_none() -> None:
    reading, writing = os.pipe()

    async def go() -> list[Item]:
        feed = TapFeed(ScriptFeed([picture(0.0), 1.0, 2.0]), reading)
        feed.listen()
        os.write(writing, b"0a5\n69")
        os.close(writing)
        found: list[Item] = []
        while (item := await feed.next(0.1)) is not Pause.END:
            found.append(item)
        await feed.close()
        return found

    found = asyncio.run(go())
    os.close(reading)
    assert [item for item in found if isinstance(item, Tap)] == [Tap(5)]


def test_a_file_is_no_keyboard() -> None:
    async def listen() -> None:
        with tempfile.TemporaryFile() as file:
            TapFeed(ScriptFeed([]), file.fileno()).listen()

    with pytest.raises(ConfigError, match="keyboard or a pipe"):
        asyncio.run(listen())
