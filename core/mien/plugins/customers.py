"""A plugin's choice of the customer, behind its guard: what it answers is checked, and it cannot hang a session."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from mien.interfaces import CustomerChoice
from mien.plugins.guard import CallKind, Guard, PluginCallError
from mien.types import Prediction, StreamState


class GuardedChoice(CustomerChoice):
    """Asks the plugin's own, and raises PluginCallError where that fails."""

    def __init__(self, choice: CustomerChoice, guard: Guard) -> None:
        self._choice = choice
        self._guard = guard
        self._subject_id = ""
        self._everybody = bool(guard.call(CallKind.OBSERVE, lambda: choice.everybody))

    @property
    def everybody(self) -> bool:
        """What the plugin said when the session began."""
        return self._everybody

    @property
    def subject_id(self) -> str:
        """What the plugin said after the newest picture."""
        return self._subject_id

    def choose(self, faces: Sequence[Prediction], *, frame_size: tuple[int, int] | None, at: float) -> frozenset[str]:
        """Ask the plugin."""
        ask = partial(self._ask, tuple(faces), frame_size, at)
        chosen, subject_id = self._guard.call(CallKind.OBSERVE, ask)
        if not all(isinstance(name, str) for name in (*chosen, subject_id)):
            reason = "its choice is not a collection of subject ids"
            raise PluginCallError(self._guard.part, CallKind.OBSERVE, reason, state=StreamState.INVALID)
        self._subject_id = subject_id
        return chosen

    def _ask(
        self, faces: Sequence[Prediction], frame_size: tuple[int, int] | None, at: float
    ) -> tuple[frozenset[str], str]:
        return frozenset(self._choice.choose(faces, frame_size=frame_size, at=at)), self._choice.subject_id
