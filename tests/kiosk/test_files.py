"""Files in the place of camera and microphone: order, pace, and what cannot be read."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from mien import AudioClip, ImageFrame, InputError
from mien.kiosk.feed import Item, Pause, Trouble
from mien.kiosk.files import FileFeed, read_sound
from mien.testing import make_clip


def all_of(feed: FileFeed, *, timeout: float = 1.0) -> list[Item]:
    async def read() -> list[Item]:
        items: list[Item] = []
        while (item := await feed.next(timeout)) is not Pause.END:
            items.append(item)
        return items

    return asyncio.run(read())


def test_pictures_and_sound_come_in_the_order_of_their_times(portrait_video: Path) -> None:
    items = all_of(FileFeed(video=portrait_video, sound=make_clip(seconds=2.5), every=1.0, fast=True))
    pictures = [item.captured_at for item in items if isinstance(item, ImageFrame)]
    assert pictures == [0.0, 1.0, 2.0, 3.0]
    heard: float = 0.0
    for item in items:
        if isinstance(item, AudioClip):
            heard = item.captured_at + item.duration_seconds
        elif isinstance(item, ImageFrame):
            assert heard == pytest.approx(min(item.captured_at, 2.5)), "all that was said before the picture, no more"


def test_no_sample_of_a_sound_is_left_out_or_given_twice() -> None:
    ramp = np.linspace(-1, 1, 16_123, dtype=np.float32)
    pieces = all_of(FileFeed(video=None, sound=AudioClip(ramp, 16_000, 0.25), every=1.0, fast=True))
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces if isinstance(piece, AudioClip)]), ramp)


def test_a_recording_keeps_its_own_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [100.0], []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr("mien.kiosk.files.time.monotonic", lambda: now[0])
    monkeypatch.setattr("mien.kiosk.files.asyncio.sleep", sleep)
    feed = FileFeed(video=None, sound=make_clip(seconds=1.0), every=1.0, fast=False)
    items = all_of(feed, timeout=0.06)
    assert sum(slept) == pytest.approx(0.9), "a second of sound, the first piece of which comes at once"
    assert max(slept) <= 0.06, "whoever asks is not kept waiting longer than they said"
    assert items.count(Pause.TICK) >= 9


def test_a_video_without_sound_is_followed_by_the_face_alone(portrait_video: Path) -> None:
    pytest.importorskip("av", reason="sound tracks need mien[voice]")
    sound, troubles = read_sound(video=portrait_video, audio=None)
    assert sound is None
    assert "no sound track" in troubles[0]
    first = all_of(FileFeed(video=portrait_video, sound=sound, every=2.0, fast=True, troubles=troubles))[0]
    assert isinstance(first, Trouble)


def test_a_sound_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.wav"):
        read_sound(video=None, audio=tmp_path / "nothing.wav")


def test_a_video_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.avi").write_text("no video")
    with pytest.raises(InputError, match=r"notes\.avi"):
        all_of(FileFeed(video=tmp_path / "notes.avi", sound=None, every=1.0, fast=True))


def test_a_video_that_is_cut_short_is_told_of_and_stands_up_to_there(portrait_video: Path, tmp_path: Path) -> None:
    whole = portrait_video.read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    items = all_of(FileFeed(video=tmp_path / "cut.avi", sound=None, every=0.0, fast=True))
    assert isinstance(items[-1], Trouble)
    assert "ends early" in items[-1].message
    assert all(isinstance(item, ImageFrame) for item in items[:-1])
    assert len(items) > 3
