"""Camera and microphone, each read by a thread of its own. One that is lost is told of and tried again.

Of pictures the newest waits here. Sound waits in the microphone's own queue, which counts what it has no room for: a
piece of it is read when the one before was taken.
"""

from __future__ import annotations

import asyncio
import threading
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol, TypeAlias

import numpy as np

from mien.errors import InputError, MissingDependencyError
from mien.kiosk.feed import Feed, Item, Pause, Trouble
from mien.types import AudioClip, ImageFrame

RETRY_SECONDS: Final = 2.0
"""Between two attempts to open a device that was lost."""

JOIN_SECONDS: Final = 3.0
"""How long closing waits for a device's thread; a driver that hangs does not hold up the end."""


class CameraError(InputError):
    """A camera cannot be opened."""


class SoundSource(Protocol):
    """An open microphone; ``mien.media.microphone.Microphone`` is one."""

    @property
    def overruns(self) -> int:
        """Times that sound was lost."""

    def read(self) -> AudioClip:
        """Wait for the next piece; an ``InputError`` where it has gone."""


OpenCamera: TypeAlias = Callable[[], Any]
"""Gives an object like ``cv2.VideoCapture``."""

OpenMicrophone: TypeAlias = Callable[[float], AbstractContextManager[SoundSource]]
"""Given the moment of its first sample, seconds; entering the context opens it."""


class DeviceFeed(Feed):
    """The newest picture of a camera, and all that a microphone hears. Seconds since ``open``."""

    def __init__(
        self, *, camera: OpenCamera, camera_name: str, microphone: OpenMicrophone | None, every: float
    ) -> None:
        """Prepare.

        Args:
            camera: Opens the camera.
            camera_name: For messages.
            microphone: Opens the microphone; None goes without.
            every: Seconds between two pictures.
        """
        self._camera = _CameraThread(self, camera, camera_name, every)
        self._microphone = None if microphone is None else _MicrophoneThread(self, microphone)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arrived = asyncio.Event()
        self._troubles: deque[Trouble] = deque()
        self._sound: AudioClip | None = None
        self._frame: ImageFrame | None = None
        self._began = 0.0

    async def open(self) -> None:
        """Open the devices.

        Raises:
            CameraError: The camera cannot be opened. A microphone that cannot is told of by ``next``.
        """
        self._loop = asyncio.get_running_loop()
        self._began = time.monotonic()
        await asyncio.to_thread(self._camera.open)
        self._camera.start()
        if self._microphone is not None:
            self._microphone.start()

    @property
    def waits(self) -> bool:
        """The world does not wait."""
        return False

    def now(self) -> float:
        """Seconds since ``open``."""
        return time.monotonic() - self._began

    async def next(self, timeout: float) -> Item:
        """What was told, then all sound, then the newest picture."""
        if not self._waiting():
            try:
                await asyncio.wait_for(self._arrived.wait(), timeout)
            except TimeoutError:
                return Pause.TICK
        return self._take()

    async def close(self) -> None:
        """Stop the threads and give the devices back."""
        await asyncio.to_thread(self._camera.stop)
        if self._microphone is not None:
            await asyncio.to_thread(self._microphone.stop)

    def put(self, item: ImageFrame | AudioClip | Trouble) -> None:
        """Take an item from a device's thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._accept, item)

    def _accept(self, item: ImageFrame | AudioClip | Trouble) -> None:
        if isinstance(item, ImageFrame):
            self._frame = item
        elif isinstance(item, Trouble):
            self._troubles.append(item)
        else:
            self._sound = item
        self._arrived.set()

    def _waiting(self) -> bool:
        return bool(self._troubles) or self._sound is not None or self._frame is not None

    def _take(self) -> Item:
        item: Item = Pause.TICK
        if self._troubles:
            item = self._troubles.popleft()
        elif self._sound is not None:
            item, self._sound = self._sound, None
            if self._microphone is not None:
                self._microphone.go_on()
        elif self._frame is not None:
            item, self._frame = self._frame, None
        if not self._waiting():
            self._arrived.clear()
        return item


class _DeviceThread:
    """Reads one device until it is stopped."""

    def __init__(self, feed: DeviceFeed, name: str) -> None:
        self._feed = feed
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_SECONDS)

    @abstractmethod
    def _run(self) -> None: ...


class _CameraThread(_DeviceThread):
    def __init__(self, feed: DeviceFeed, open_camera: OpenCamera, name: str, every: float) -> None:
        super().__init__(feed, "mien-camera")
        self._open_camera = open_camera
        self._name = name
        self._every = every
        self._capture: Any = None

    def open(self) -> None:
        self._capture = self._open_camera()
        if not self._capture.isOpened():
            raise CameraError(f"{self._name} cannot be opened; 'mien devices' lists what there is")

    def stop(self) -> None:
        super().stop()
        if not self._thread.is_alive() and self._capture is not None:
            self._capture.release()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._read_on()
            if self._stopped.is_set():
                return
            self._feed.put(Trouble(f"{self._name} gives no pictures any more; trying again"))
            if self._reopen():
                self._feed.put(Trouble(f"{self._name} is back"))

    def _read_on(self) -> None:
        """Hand on pictures until there are none; all are taken off the driver, so that none is old."""
        taken: float | None = None
        while not self._stopped.is_set() and self._capture.grab():
            now = self._feed.now()
            if taken is not None and now - taken < self._every:
                continue
            decoded, bgr = self._capture.retrieve()
            if not decoded or bgr is None:
                return
            taken = now
            rgb = np.ascontiguousarray(bgr[:, :, ::-1], dtype=np.uint8)  # [height, width, BGR] -> RGB
            self._feed.put(ImageFrame(rgb, captured_at=now))

    def _reopen(self) -> bool:
        while not self._stopped.wait(RETRY_SECONDS):
            self._capture.release()
            self._capture = self._open_camera()
            if self._capture.isOpened():
                return True
        return False


class _MicrophoneThread(_DeviceThread):
    def __init__(self, feed: DeviceFeed, open_microphone: OpenMicrophone) -> None:
        super().__init__(feed, "mien-microphone")
        self._open_microphone = open_microphone
        self._lost = False
        self._taken = threading.Event()

    def go_on(self) -> None:
        """The piece that was handed on last was taken."""
        self._taken.set()

    def stop(self) -> None:
        self._stopped.set()
        self._taken.set()
        super().stop()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with self._open_microphone(self._feed.now()) as microphone:
                    self._found()
                    self._read_on(microphone)
            except MissingDependencyError as error:  # no second attempt would find it
                self._lose(error)
                return
            except InputError as error:
                self._lose(error)
                self._stopped.wait(RETRY_SECONDS)

    def _read_on(self, microphone: SoundSource) -> None:
        overruns = 0
        while not self._stopped.is_set():
            clip = microphone.read()
            self._taken.clear()
            if self._stopped.is_set():
                return
            self._feed.put(clip)
            self._taken.wait()
            if microphone.overruns > overruns == 0:
                self._feed.put(Trouble("sound was lost between the microphone and this program"))
            overruns = microphone.overruns

    def _found(self) -> None:
        if self._lost:
            self._lost = False
            self._feed.put(Trouble("the microphone is back"))

    def _lose(self, error: Exception) -> None:
        if not self._lost:
            self._lost = True
            self._feed.put(Trouble(f"no sound, the face alone is followed: {error}"))


def open_camera(index: int) -> Any:
    """OpenCV's capture of a camera; whether it is open, it says itself."""
    import cv2

    return cv2.VideoCapture(index)
