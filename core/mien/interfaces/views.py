"""Kiosk views: who is shown what happens at a kiosk, and how."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from mien.live import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewInfo:
    """What is known of a kiosk view before it is opened.

    Attributes:
        version: Of the view.
        description: One line.
        shows_partials: It changes in place, so that it can show words while they are spoken. Others are shown a
            ``Partial`` only where the configuration asks for them with ``[session] partials``.
    """

    version: str
    description: str = ""
    shows_partials: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewPlace:
    """Where a view shows things.

    Attributes:
        output: An open text file, a terminal perhaps.
        title: What is followed and where it is analysed, for a heading.
        seers: The analyzers that take pictures; what one of them says of a picture, it says of somebody.
        hears: Sound is analysed.
    """

    output: TextIO
    title: str
    seers: frozenset[str] = frozenset()
    hears: bool = False


class KioskView(ABC):
    """Shown everything, in order, by one thread."""

    @abstractmethod
    def waiting(self, now: float) -> None:
        """Nobody is there; seconds on the feed's clock."""

    @abstractmethod
    def show(self, event: Event, now: float) -> None:
        """Something happened."""

    def tick(self, now: float) -> None:
        """Time has passed."""
        return

    def close(self) -> None:
        """Nothing follows. May be called twice."""
        return
