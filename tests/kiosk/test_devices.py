"""Camera and microphone that come, go and come back; no device is opened."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mien import AudioClip, ImageFrame, InputError, MissingDependencyError
from mien.kiosk import devices
from mien.kiosk.devices import CameraError, DeviceFeed
from mien.kiosk.feed import Item, Pause, Trouble
from mien.testing import make_clip


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "RETRY_SECONDS", 0.01)


class FakeCamera:
    """Like ``cv2.VideoCapture``: gives so many pictures, blue in OpenCV's order, and then none."""

    def __init__(self, pictures: int, *, opens: bool = True) -> None:
        self.left = pictures
        self.opens = opens
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.opens

    def grab(self) -> bool:
        self.left -= 1
        return self.left >= 0

    def retrieve(self) -> tuple[bool, Any]:
        blue = np.zeros((48, 64, 3), np.uint8)
        blue[:, :, 0] = 255
        return True, blue

    def release(self) -> None:
        self.released = True


class FakeMicrophone:
    """Gives so many clips, and then has gone."""

    def __init__(self, clips: int, *, broken: Exception | None = None) -> None:
        self.left = clips
        self.broken = broken
        self.overruns = 0

    def __enter__(self) -> FakeMicrophone:
        if self.broken is not None:
            raise self.broken
        return self

    def __exit__(self, *raised: object) -> None:
        return

    def read(self) -> AudioClip:
        self.left -= 1
        if self.left < 0:
            raise InputError("it delivers no sound any more")
        return make_clip(seconds=0.1)


def endless() -> FakeCamera:
    return FakeCamera(10**9)


def collect(
    enough: Callable[[list[Item]], bool],
    *,
    camera: Callable[[], Any] = endless,
    microphone: Callable[[float], Any] | None = None,
    every: float = 0.0,
) -> list[Item]:
    """What a feed gives until it is enough."""

    async def go() -> list[Item]:
        feed = DeviceFeed(camera=camera, camera_name="camera 3", microphone=microphone, every=every)
        await feed.open()
        items: list[Item] = []
        try:
            async with asyncio.timeout(30):
                while not enough(items):
                    items.append(await feed.next(1.0))
        finally:
            await feed.close()
        return items

    return asyncio.run(go())


def told(items: list[Item]) -> list[str]:
    return [item.message for item in items if isinstance(item, Trouble)]


def test_pictures_are_rgb_and_dated() -> None:
    items = collect(lambda items: len(items) >= 2)
    [first, second] = [item for item in items if isinstance(item, ImageFrame)][:2]
    assert first.pixels[0, 0].tolist() == [0, 0, 255]
    assert second.captured_at > first.captured_at >= 0.0


def test_only_the_newest_picture_waits() -> None:
    async def go() -> tuple[Item, Item]:
        feed = DeviceFeed(camera=lambda: FakeCamera(0), camera_name="camera", microphone=None, every=0.0)
        for at in (1.0, 2.0, 3.0):
            feed._accept(ImageFrame(np.zeros((4, 4, 3), np.uint8), at))
        return await feed.next(1.0), await feed.next(0.01)

    first, second = asyncio.run(go())
    assert isinstance(first, ImageFrame)
    assert first.captured_at == 3.0
    assert second is Pause.TICK


def test_sound_waits_at_the_microphone_which_counts_what_it_has_no_room_for() -> None:
    class Counting(FakeMicrophone):
        reads = 0

        def read(self) -> AudioClip:
            self.reads += 1
            self.overruns += self.reads == 3
            return super().read()

    microphone = Counting(10**9)
    read_ahead: list[int] = []

    def enough(items: list[Item]) -> bool:
        taken = sum(isinstance(item, AudioClip) for item in items)
        read_ahead.append(microphone.reads - taken)
        return taken >= 6 and bool(told(items))

    items = collect(enough, microphone=lambda start_at: microphone)
    assert max(read_ahead) <= 1, "one piece at most is read before the one before it was taken"
    assert told(items) == ["sound was lost between the microphone and this program"]


def test_a_camera_that_is_not_there_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(CameraError, match=r"camera 3 cannot be opened; 'mien devices'"):
        collect(bool, camera=lambda: FakeCamera(0, opens=False))


def test_a_camera_that_is_lost_is_told_of_and_tried_until_it_is_back() -> None:
    cameras = [FakeCamera(2), FakeCamera(0, opens=False), FakeCamera(0, opens=False), endless()]
    lost = cameras[0]
    items = collect(
        lambda items: len(told(items)) == 2 and isinstance(items[-1], ImageFrame), camera=lambda: cameras.pop(0)
    )
    assert told(items) == ["camera 3 gives no pictures any more; trying again", "camera 3 is back"]
    assert lost.released


def test_a_microphone_that_is_missing_leaves_the_face() -> None:
    missing = FakeMicrophone(0, broken=MissingDependencyError("recording needs PortAudio"))
    tried = []

    def open_(start_at: float) -> FakeMicrophone:
        tried.append(start_at)
        return missing

    items = collect(
        lambda items: bool(told(items)) and sum(isinstance(item, ImageFrame) for item in items) > 3, microphone=open_
    )
    assert told(items) == ["no sound, the face alone is followed: recording needs PortAudio"]
    assert len(tried) == 1


def test_a_microphone_that_is_lost_is_told_of_once_and_tried_until_it_is_back() -> None:
    gone = InputError("cannot open")
    opened = [FakeMicrophone(2), FakeMicrophone(0, broken=gone), FakeMicrophone(0, broken=gone), FakeMicrophone(10**9)]
    lock = threading.Lock()

    def open_(start_at: float) -> FakeMicrophone:
        with lock:
            return opened.pop(0)

    items = collect(lambda items: len(told(items)) == 2 and isinstance(items[-1], AudioClip), microphone=open_)
    assert told(items) == [
        "no sound, the face alone is followed: it delivers no sound any more",
        "the microphone is back",
    ]
