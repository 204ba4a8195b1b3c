"""Sessions gone through again under other rules, from their ledgers. Files and options are ``replay_command``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

from mien import InputError, MienError, SessionSummary, SummaryRecord, Verdict, records

Replay: TypeAlias = Callable[[records.Ledger], SessionSummary]
"""Goes through one session again."""


@dataclass(slots=True)
class Replayed:
    """What came of it.

    Attributes:
        visits: Ledgers that were replayed.
        same: Those whose summary is what it was, bit for bit.
        unknown: Those whose summary is not among the records.
        before: Verdicts as they were recorded, of those that were.
        after: Verdicts now, of the same.
        score_before: Sum of their scores then.
        score_after: And now.
        problems: One sentence for each that could not be replayed.
    """

    visits: int = 0
    same: int = 0
    unknown: int = 0
    before: Counter[Verdict] = field(default_factory=Counter)
    after: Counter[Verdict] = field(default_factory=Counter)
    score_before: float = 0.0
    score_after: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def compared(self) -> int:
        """Visits whose summary was recorded, too."""
        return self.visits - self.unknown

    def compare(self, before: SessionSummary | None, after: SessionSummary) -> None:
        """Count one."""
        self.visits += 1
        if before is None:
            self.unknown += 1
            return
        self.same += before == after
        self.before[before.overall.verdict] += 1
        self.after[after.overall.verdict] += 1
        self.score_before += before.overall.score
        self.score_after += after.overall.score


def replayed(found: Iterable[records.Record], again: Replay, into: Replayed) -> Iterator[SummaryRecord]:
    """Replay each ledger of the records; gives the summaries that result, in the same order.

    Args:
        found: Ledgers, and the summaries that they are compared with.
        again: Goes through a session.
        into: Takes the account.
    """
    ledgers: dict[tuple[str, datetime], records.LedgerRecord] = {}
    before: dict[tuple[str, datetime], SessionSummary] = {}
    for record in found:
        key = record.session_id, record.recorded_at
        if isinstance(record, records.LedgerRecord):
            ledgers[key] = record
        elif isinstance(record, records.SummaryRecord):
            before[key] = record.summary
    for key, kept in ledgers.items():
        try:
            summary = again(records.ledger_of(kept))
        except MienError as error:
            into.problems.append(f"session {kept.session_id!r} cannot be replayed: {error}")
            continue
        into.compare(before.get(key), summary)
        yield SummaryRecord(
            recorded_at=kept.recorded_at,
            summary=summary,
            session_id=kept.session_id,
            site=kept.site,
            source=kept.source,
        )


def other_rules(
    ledger: records.Ledger, *, configured: Mapping[str, Any] | None, fuser: str, weights: Mapping[str, float]
) -> records.Ledger:
    """The ledger under other options.

    Args:
        ledger: As it was kept.
        configured: Options that take the place of its own; None leaves them.
        fuser: Name of the rule; empty leaves it.
        weights: Modality -> weight, over its own.

    Raises:
        InputError: An option is out of range.
    """
    options: dict[str, Any] = dict(configured or {})
    if fuser:
        options["fuser"] = fuser
    if weights:
        options["weights"] = {**(options.get("weights") or ledger.config.weights), **weights}
    try:
        return replace(ledger, config=replace(ledger.config, **options))
    except ValueError as error:
        raise InputError(str(error)) from error
