"""Utterances of several analyzers that speak of the same time are one moment.

Each analyzer cuts sound in its own way. Two utterances of different analyzers belong together where their times
overlap, and so does everything that overlaps either of them. Utterances of one analyzer alone are never joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mien.cli.following import Moment
from mien.types import StreamStatus

SETTLE_SECONDS: Final = 2.0
"""While a microphone is on, an utterance waits so long for those that others may still cut from the same time."""


class Utterances:
    """Joins the utterances of a microphone as they come; not for use by several threads."""

    def __init__(self, *, analyzers: int) -> None:
        """Start.

        Args:
            analyzers: How many take the sound; with one, nothing waits.
        """
        self._several = analyzers > 1
        self._waiting: list[Moment] = []

    def add(self, moments: Sequence[Moment], *, now: float) -> list[Moment]:
        """Take utterances in, and give back those that nothing can join any more.

        Args:
            moments: New utterances.
            now: How far the sound has been heard, seconds on its clock.
        """
        if not self._several:
            return list(moments)
        waiting = joined([*self._waiting, *moments])
        self._waiting = [moment for moment in waiting if moment.end + SETTLE_SECONDS > now]
        return [moment for moment in waiting if moment.end + SETTLE_SECONDS <= now]

    def rest(self, moments: Sequence[Moment]) -> list[Moment]:
        """The last utterances, and all that waited; the sound has ended."""
        waiting, self._waiting = joined([*self._waiting, *moments]), []
        return waiting


def joined(utterances: Sequence[Moment]) -> list[Moment]:
    """Utterances with those of other analyzers that overlap them made one.

    Those of one analyzer alone come back as they are; else the order is that of their ends.
    """
    if len({name for utterance in utterances for name in utterance.asked}) < 2:
        return list(utterances)
    groups: list[list[Moment]] = []
    for utterance in utterances:
        own, others = [utterance], []
        for group in groups:
            if any(_belong_together(utterance, other) for other in group):
                own += group
            else:
                others.append(group)
        groups = [*others, own]
    return sorted((_one(group) for group in groups), key=lambda moment: moment.end)


def _belong_together(first: Moment, second: Moment) -> bool:
    overlap = min(first.end, second.end) - max(first.start, second.start)
    return overlap > 0 and len(first.asked | second.asked) > 1


def _one(group: Sequence[Moment]) -> Moment:
    """The moments of a group as one; a stable order, whoever came first."""
    if len(group) == 1:
        return group[0]
    ordered = sorted(group, key=lambda moment: (moment.start, moment.end, sorted(moment.asked)))
    asked = frozenset(name for moment in ordered for name in moment.asked)
    predictions = [prediction for moment in ordered for prediction in moment.predictions]
    return Moment(
        sample=ordered[0].sample,
        start=ordered[0].start,
        end=max(moment.end for moment in ordered),
        predictions=tuple(sorted(predictions, key=lambda prediction: prediction.analyzer)),
        statuses=_statuses(ordered, asked),
        asked=asked,
    )


def _statuses(moments: Sequence[Moment], asked: frozenset[str]) -> tuple[StreamStatus, ...]:
    """How the analyzers fared; one that was absent from one of the moments and asked in another was asked."""
    told = [
        status
        for moment in moments
        for status in moment.statuses
        if status.analyzer in moment.asked or status.analyzer not in asked
    ]
    return tuple(sorted(dict.fromkeys(told), key=lambda status: status.analyzer))
