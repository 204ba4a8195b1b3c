"""An answer does not depend on the date, and no time within the range breaks anything, in whatever order times come."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from service.support import face_like, fake_host, running, settings

from mien import Sample
from mien.client import AsyncClient, SessionOptions
from mien.session import SessionSummary
from mien.testing import FakeAnalyzer, make_clip, make_prediction
from mien.types import ImageFrame, Prediction, Utterance
from mien.wire.bounds import MAX_DURATION_SECONDS, MAX_TIME_SECONDS

plugin = pytest.importorskip("mien_fusion.plugin")
NOW = 1.7e9
"""Seconds since 1970, about today."""


def look(sample: Sample) -> list[Prediction]:
    """A face that is as satisfied as the picture is bright."""
    assert isinstance(sample, ImageFrame)
    brightness = float(np.mean(sample.pixels)) / 255
    return [make_prediction("face", satisfaction=brightness, at=sample.captured_at, subject_id="track-1")]


def frame(brightness: float, at: float) -> ImageFrame:
    return ImageFrame(np.full((4, 4, 3), round(255 * brightness), np.uint8), captured_at=at)


@asynccontextmanager
async def client_of_the_real_fuser() -> Any:
    chosen = settings(fusion={"fuser": "fitted"}, limits={"max_session_frames_queued": 100})
    host = fake_host(chosen, face=FakeAnalyzer("face", answer=look), fusion=plugin)
    async with running(chosen, host) as server, AsyncClient(server.address) as client:
        yield client


async def visit(client: AsyncClient, times: Sequence[float]) -> SessionSummary:
    options = SessionOptions(snapshot_interval_seconds=0.0, session_id="visit")
    async with client.session(options) as session:
        await session.mark("start", at=times[0])
        for index, at in enumerate(times):
            await session.send_frame(frame(0.1 + 0.8 * (index % 5) / 4, at))
            await session.send_text(Utterance("thank you", captured_at=at, duration_seconds=0.4))
        return await session.finish()


async def test_a_visit_today_is_like_one_at_zero() -> None:
    times = [0.5 * index for index in range(12)]
    async with client_of_the_real_fuser() as client:
        first = await visit(client, times)
        today = await visit(client, [NOW + at for at in times])
    assert (first.snapshots, first.utterances) == (today.snapshots, today.utterances)
    for name in ("peak_score", "end_score", "peak_end_score"):
        assert getattr(today, name) == pytest.approx(getattr(first, name), abs=1e-6)
    assert today.overall.score == pytest.approx(first.overall.score, abs=1e-6)
    assert today.interval.end - today.interval.start == pytest.approx(first.interval.end - first.interval.start)


@pytest.mark.parametrize(
    "times",
    [
        [MAX_TIME_SECONDS] * 3,
        [-MAX_TIME_SECONDS, MAX_TIME_SECONDS, 0.0],
        [5.0, 4.0, 3.0, 2.0, 1.0],
        [0.0, NOW, 0.0, NOW],
        [0.0, 1e-300, 1e-300, 5e-324],
        [-1.0, -0.0, 0.0, MAX_DURATION_SECONDS],
    ],
)
async def test_a_session_of_strange_times_gets_its_summary(times: list[float]) -> None:
    async with client_of_the_real_fuser() as client:
        summary = await visit(client, times)
    assert 0.0 <= summary.overall.score <= 1.0
    assert summary.interval.start <= summary.interval.end


async def test_a_moment_of_strange_times_is_answered() -> None:
    extremes = [0.0, -1.0, NOW, -MAX_TIME_SECONDS, MAX_TIME_SECONDS, 5e-324]
    chosen = settings()
    async with running(chosen, fake_host(chosen, face=face_like())) as server, AsyncClient(server.address) as client:
        for seen, said in itertools.product(extremes, extremes):
            words = Utterance("yes", captured_at=said, duration_seconds=MAX_DURATION_SECONDS)
            answer = await client.analyze(image=frame(0.5, seen), text=words)
            assert len(answer.predictions) == 2


async def test_pieces_of_sound_at_strange_times_are_heard() -> None:
    async with client_of_the_real_fuser() as client, client.session(SessionOptions(analyzers=["face"])) as session:
        for at in (0.0, MAX_TIME_SECONDS, -MAX_TIME_SECONDS):
            await session.send_audio(make_clip(seconds=0.1, captured_at=at))
        assert (await session.finish()).late == 0
