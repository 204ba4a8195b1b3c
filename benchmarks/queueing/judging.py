"""Visits against the drawing: splits, merges, delays and lengths."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mien.session import SessionSummary
from queueing.following import Watching
from queueing.people import Customer, Queue

ENOUGH: Final = 1.5
"""Seconds of somebody's evidence from which they count in a visit."""


@dataclass
class Found:
    """What was found over queues at one pace."""

    customers: int = 0
    visits: int = 0
    merges: int = 0
    splits: int = 0
    missed: int = 0
    strangers: int = 0
    delays: list[float] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


def judge(found: Found, watching: Watching, pace: float) -> None:
    """Compare the visits with the drawing."""
    queue, whose = watching.queue, defaultdict(list)
    found.customers += len(queue.customers)
    for number, visit in enumerate(watching.visits):
        seconds = {who: len(times) * pace for who, times in visit["counted"].items()}
        names = [each.name for each in queue.customers if seconds.get(each.name, 0.0) >= ENOUGH]
        found.visits += 1
        found.strangers += not names
        if len(names) > 1:
            found.merges += 1
            found.bad.append(f"{queue.number} gap {queue.gap:g} pace {pace:g}: {'+'.join(names)} merged")
        for name in names:
            whose[name].append(number)
    for customer in queue.customers:
        visits = whose[customer.name]
        if len(visits) > 1:
            found.splits += 1
            found.bad.append(f"{queue.number} gap {queue.gap:g} pace {pace:g}: {customer.name} split in {len(visits)}")
        elif not visits:
            found.missed += 1
            found.bad.append(f"{queue.number} gap {queue.gap:g} pace {pace:g}: {customer.name} missed")
        else:
            _time(found, queue, customer, watching.visits[visits[0]])


def _time(found: Found, queue: Queue, customer: Customer, visit: Mapping[str, Any]) -> None:
    summary: SessionSummary = visit["summary"]
    length = summary.interval.end - summary.interval.start
    found.lengths.append(length - (customer.gone - customer.arrives))
    following = [each for each in queue.customers if each.arrives > customer.arrives]
    if following:
        found.delays.append(visit["ended"] - max(customer.gone, following[0].stands))
