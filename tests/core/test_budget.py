"""Costly bytes are decoded in a process that has a budget and can be ended; the next job finds another."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from core.bombs import chunk, exif, png_with, saved, scans, wav

from mien.errors import InputError, InputTooLargeError
from mien.media import budget
from mien.media.audio import decode_audio
from mien.media.budget import BudgetedDecoders, DecodingStoppedError, Job, Stop, memory_for
from mien.media.images import decode_image

LIMITS = {"max_bytes": 2 << 20, "max_pixels": 4_000_000}
SECONDS = 0.5


@pytest.fixture(scope="module")
def decoders() -> Iterator[BudgetedDecoders]:
    memory = memory_for(max_image_pixels=LIMITS["max_pixels"], max_audio_seconds=30.0)
    opened = BudgetedDecoders(processes=1, seconds=SECONDS, memory_bytes=memory)
    yield opened
    opened.close()


def picture(data: bytes) -> Job:
    return Job(kind="picture", data=data, options=LIMITS)


def test_the_answer_is_that_of_the_decoder(decoders: BudgetedDecoders) -> None:
    for data in (saved("PNG"), saved("WEBP", lossless=True), scans(20)):
        assert np.array_equal(decoders.decode(picture(data), Stop()), decode_image(data, **LIMITS).pixels)


def test_so_is_its_refusal(decoders: BudgetedDecoders) -> None:
    with pytest.raises(InputError, match=r"damaged|ends early"):
        decoders.decode(picture(saved("PNG")[:100]), Stop())
    with pytest.raises(InputTooLargeError, match="pixels"):
        decoders.decode(Job(kind="picture", data=saved("PNG"), options={**LIMITS, "max_pixels": 10}), Stop())


def test_sound_is_decoded_too(decoders: BudgetedDecoders) -> None:
    pytest.importorskip("soundfile")
    data = wav(behind=b"LIST\x04\0\0\0INFO")
    heard = decoders.decode(Job(kind="sound", data=data, options={"max_seconds": 30.0}), Stop())
    assert np.array_equal(heard, decode_audio(data).samples)
    assert heard.dtype == np.float32


def test_a_job_over_its_budget_is_refused_and_the_next_is_done(decoders: BudgetedDecoders) -> None:
    with pytest.raises(InputTooLargeError, match=f"more than the {SECONDS:g} s of processor time"):
        decoders.decode(picture(scans(28_000, side=2_000)), Stop())
    assert decoders.decode(picture(saved("PNG")), Stop()).shape == (48, 64, 3)


def test_a_job_that_nobody_waits_for_is_ended(decoders: BudgetedDecoders) -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(DecodingStoppedError):
        decoders.decode(picture(saved("PNG")), stop)
    assert decoders.decode(picture(saved("PNG")), Stop()).shape == (48, 64, 3)


def test_a_job_that_wants_memory_is_refused() -> None:
    small = BudgetedDecoders(processes=1, seconds=30.0, memory_bytes=8 << 20)
    try:
        with pytest.raises(InputError, match=r"memory|damaged"):
            small.decode(picture(saved("PNG", 1_900, 2_000)[: 2 << 20]), Stop())
        with pytest.raises(InputError, match=r"memory|damaged"):
            small.decode(picture(png_with(chunk(b"eXIf", exif(60_000)))), Stop())
    finally:
        small.close()


def test_a_process_that_has_nothing_to_do_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "IDLE_SECONDS", 0.05)
    began, ended = [], threading.Event()
    start, end = budget._started, budget._end

    def started(memory_bytes: int) -> subprocess.Popen[bytes]:
        began.append(start(memory_bytes))
        return began[-1]

    def ending(process: subprocess.Popen[bytes]) -> None:
        end(process)
        ended.set()

    monkeypatch.setattr(budget, "_started", started)
    monkeypatch.setattr(budget, "_end", ending)
    idle = BudgetedDecoders(processes=1, seconds=30.0, memory_bytes=1 << 30)
    try:
        idle.decode(picture(saved("PNG")), Stop())
        assert ended.wait(60.0)
        assert began[0].returncode is not None
        assert idle.decode(picture(saved("PNG")), Stop()).shape == (48, 64, 3), "by another one"
    finally:
        idle.close()


def test_nothing_is_done_once_closed() -> None:
    closed = BudgetedDecoders(processes=1, seconds=1.0, memory_bytes=1 << 28)
    closed.close()
    with pytest.raises(DecodingStoppedError):
        closed.decode(picture(saved("PNG")), Stop())
