"""Parts of plugins that are made to order, each behind its guard: what they answer is checked, and they hang nobody."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from mien.errors import MienError
from mien.interfaces import CustomerChoice, KioskView
from mien.plugins.guard import CallKind, Guard, PluginCallError
from mien.types import Prediction, StreamState

if TYPE_CHECKING:
    from mien.live import Event

_log = logging.getLogger("mien.plugins")


class GuardedChoice(CustomerChoice):
    """Asks the plugin's own, and raises PluginCallError where that fails."""

    def __init__(self, choice: CustomerChoice, guard: Guard) -> None:
        self._choice = choice
        self._guard = guard
        self._subject_id = ""
        self._customers = 0
        self._everybody = bool(guard.call(CallKind.CHOOSE, lambda: choice.everybody))

    @property
    def everybody(self) -> bool:
        """What the plugin said when the session began."""
        return self._everybody

    @property
    def subject_id(self) -> str:
        """What the plugin said after the newest picture."""
        return self._subject_id

    @property
    def customers(self) -> int:
        """What the plugin said after the newest picture."""
        return self._customers

    def choose(self, faces: Sequence[Prediction], *, frame_size: tuple[int, int] | None, at: float) -> frozenset[str]:
        """Ask the plugin."""
        ask = partial(self._ask, tuple(faces), frame_size, at)
        chosen, subject_id, customers = self._guard.call(CallKind.CHOOSE, ask)
        if not all(isinstance(name, str) for name in (*chosen, subject_id)):
            reason = "its choice is not a collection of subject ids"
            raise PluginCallError(self._guard.part, CallKind.CHOOSE, reason, state=StreamState.INVALID)
        if not isinstance(customers, int) or customers < 0:
            reason = "its number of customers is not a whole number from 0 on"
            raise PluginCallError(self._guard.part, CallKind.CHOOSE, reason, state=StreamState.INVALID)
        self._subject_id, self._customers = subject_id, customers
        return chosen

    def _ask(
        self, faces: Sequence[Prediction], frame_size: tuple[int, int] | None, at: float
    ) -> tuple[frozenset[str], str, int]:
        chosen = frozenset(self._choice.choose(faces, frame_size=frame_size, at=at))
        return chosen, self._choice.subject_id, self._choice.customers


class GuardedView(KioskView):
    """Shows things on the plugin's own; one that raises or hangs shows less, and stops no kiosk."""

    def __init__(self, view: KioskView, guard: Guard) -> None:
        self._view = view
        self._guard = guard
        self._logged: set[str] = set()

    def waiting(self, now: float) -> None:
        """Pass it on."""
        self._call(partial(self._view.waiting, now))

    def show(self, event: Event, now: float) -> None:
        """Pass it on."""
        self._call(partial(self._view.show, event, now))

    def tick(self, now: float) -> None:
        """Pass it on."""
        self._call(partial(self._view.tick, now))

    def close(self) -> None:
        """Pass it on."""
        self._call(self._view.close)

    def _call(self, show: Callable[[], None]) -> None:
        try:
            self._guard.call(CallKind.SHOW, show)
        except MienError as error:
            reason = error.reason if isinstance(error, PluginCallError) else str(error)
            if reason not in self._logged:
                self._logged.add(reason)
                _log.warning("%s: %s; more of the same are not told", self._guard.part, reason)
