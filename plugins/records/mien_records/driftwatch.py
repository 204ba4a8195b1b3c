"""A running watch over what each site sees: its first visits, and those of late, as sums that do not grow.

For a metrics endpoint, and for who wants to know at once; which day a change began on, and at which hours, the report
finds in the records. Kept in a small file, so that a restart forgets nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mien import InputError, SummaryRecord, records, write_atomically
from mien_records.settings import DriftSettings

RECENT_VISITS: Final = 50
"""Over about so many visits the present is smoothed."""

MAX_SITES: Final = 1000
"""A file keeps so many; visits of yet another are not watched."""


class _Running(BaseModel):
    """One measure of one site.

    Attributes:
        visits: How many of the commissioning ones there were.
        first: Their mean.
        recent: Mean of the visits of late; the older, the less one counts.
        since: Visits after commissioning.
    """

    model_config = ConfigDict(extra="forbid")

    visits: int = Field(default=0, ge=0)
    first: float = 0.0
    recent: float = 0.0
    since: int = Field(default=0, ge=0)

    def note(self, value: float, commissioning: int) -> None:
        """Take one visit in."""
        if self.visits < commissioning:
            self.visits += 1
            self.first += (value - self.first) / self.visits
            return
        self.since += 1
        self.recent += (value - self.recent) / min(self.since, RECENT_VISITS)


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sites: dict[str, dict[str, _Running]] = Field(default_factory=dict)


class DriftWatch:
    """Watches sites; a file like those of records. Used under the recorder's lock."""

    def __init__(self, settings: DriftSettings) -> None:
        """Set the place; the file is read at the first record."""
        self._settings = settings
        self._state: _State | None = None

    def write(self, record: records.Record) -> None:
        """Take a session's summary in; other records tell nothing new.

        Raises:
            OSError: The file could not be read or written.
            InputError: It is something else.
        """
        if not isinstance(record, SummaryRecord) or not record.summary.overall.contributions:
            return
        state = self._loaded()
        if record.site not in state.sites and len(state.sites) >= MAX_SITES:
            return
        site = state.sites.setdefault(record.site, {})
        for name, value in _measures(record):
            site.setdefault(name, _Running()).note(value, self._settings.commissioning_visits)
        self._settings.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._settings.path, state.model_dump_json().encode())
        self._settings.path.chmod(0o600)

    def close(self) -> None:
        """Nothing stays open."""

    def changes(self) -> Mapping[tuple[str, str], float]:
        """Site and measure -> change against commissioning: a share of what it was; of expressions, a difference."""
        if self._state is None:
            return {}
        return {
            (site, name): running.recent - running.first
            if name.startswith("expression ")
            else running.recent / running.first - 1.0
            for site, measures in self._state.sites.items()
            for name, running in measures.items()
            if running.since and (running.first > 0.0 or name.startswith("expression "))
        }

    def _loaded(self) -> _State:
        if self._state is None:
            path = self._settings.path
            try:
                self._state = _State.model_validate(json.loads(path.read_bytes())) if path.exists() else _State()
            except (ValueError, ValidationError) as error:
                raise InputError(f"{path} holds no watch over drift; move it away to begin anew") from error
        return self._state


def _measures(record: SummaryRecord) -> Iterator[tuple[str, float]]:
    yield from record.summary.conditions.items()
    shares: Mapping[str, Any] = record.summary.emotion_percentages
    for name, percent in shares.items():
        yield f"expression {name}", percent / 100.0
