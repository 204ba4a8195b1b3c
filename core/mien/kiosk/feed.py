"""What a kiosk sees and hears, one item at a time: the interface. Files are ``files``, devices are ``devices``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from mien.types import AudioClip, ImageFrame


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something about a device or file that a person should know; the kiosk goes on."""

    message: str


@dataclass(frozen=True, slots=True)
class Tap:
    """A rating by the customer who is there, 1 to 5."""

    rating: int


class Pause(Enum):
    """No sample came."""

    TICK = auto()
    """Not in the time that was given; there may be more."""

    END = auto()
    """There is no more."""


Item: TypeAlias = ImageFrame | AudioClip | Tap | Trouble | Pause


class Feed(ABC):
    """Pictures and sound, with one clock for both. For one event loop."""

    @property
    @abstractmethod
    def waits(self) -> bool:
        """It can wait: each sample is analysed before the next is asked for, and none is ever left out."""

    @abstractmethod
    def now(self) -> float:
        """The moment on the clock that samples are dated by, seconds."""

    @abstractmethod
    async def next(self, timeout: float) -> Item:
        """The next sample, the newest picture where several wait; ``TICK`` after ``timeout`` seconds without one.

        Raises:
            InputError: A file cannot be read.
        """

    @abstractmethod
    async def close(self) -> None:
        """Give files and devices back. May be called twice."""
