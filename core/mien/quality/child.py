"""The process that a plugin is checked in: ``python -m mien.quality.child``, started by ``mien.quality.watch``.

It reads a job, one JSON object, from standard input, and writes what happens, one JSON object a line, to the file
descriptor that the job names: ``begin`` before each rule and ``end`` after it, so that whoever watches knows which rule
it was where the process hangs or dies.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Final
from unittest import SkipTest

from mien.config import load_settings, parse_settings
from mien.plugins.discovery import GROUP, Candidate
from mien.plugins.registry import PluginDescription
from mien.quality.listing import Listing, record_listing
from mien.quality.material import Material
from mien.quality.report import Outcome
from mien.quality.subjects import Subject, subjects
from mien.testing.rules import HangError, Rule, rules_of

HUNG: Final = 75
"""Exit code: a rule did not return, so that nothing after it could be trusted in this process."""

_MAX_DETAIL: Final = 400


class _Reporter:
    """Writes events, a line each."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", buffering=1)

    def tell(self, **event: object) -> None:
        self._file.write(json.dumps(event) + "\n")


def main() -> None:
    """Do the job."""
    job: dict[str, Any] = json.load(sys.stdin)
    reporter = _Reporter(job["descriptor"])
    done = {(part, rule) for part, rule in job["done"]}
    reporter.tell(event="begin", part="plugin", rule="listing it", grade="bronze")
    listing = _listing(job)
    reporter.tell(event="listed", version=listing.description.version, api_version=listing.description.api_version)
    material = Material(tuple(Path(each) for each in job["samples"]), Path(job["labels"]) if job["labels"] else None)
    try:
        limits = {name: job[name] for name in ("seconds", "memory_seconds")}
        for subject in subjects(listing, material, limits=limits, odd_inputs=job["odd_inputs"]):
            if not job["parts"] or subject.part in job["parts"]:
                _check(subject, reporter, done)
    except BaseException as error:
        where = {"part": "plugin", "rule": "its parts can be looked at"}
        reporter.tell(event="begin", grade="bronze", **where)
        reporter.tell(event="end", outcome=Outcome.BROKEN.value, detail=_one_line(f"{error}"), **where)
    reporter.tell(event="over")
    os._exit(0)  # whatever threads a plugin has left


def _listing(job: dict[str, Any]) -> Listing:
    config = Path(job["config"]) if job["config"] else None
    settings = parse_settings({"plugins": load_settings(config).plugins}, source=str(config or "settings"))
    description = PluginDescription(name=job["name"], version=job["version"], distribution=job["distribution"])
    candidate = Candidate(description, EntryPoint(name=job["name"], value=job["value"], group=GROUP))
    return record_listing(candidate, settings)


def _check(subject: Subject, reporter: _Reporter, done: set[tuple[str, str]]) -> None:
    """Run the rules of one subject that have not been run, in order."""
    suite = subject.suite()
    made: dict[str, Any] = {}
    for rule in rules_of(subject.suite):
        if (subject.part, rule.name) in done:
            continue
        reporter.tell(event="begin", part=subject.part, rule=rule.name, grade=rule.grade.value)
        if any(name not in made for name in rule.fixtures):
            reporter.tell(event="making")
        problem = _make(rule, subject, made)
        reporter.tell(event="made")
        outcome, detail, hung = problem or _outcome(suite, rule, made)
        reporter.tell(event="end", part=subject.part, rule=rule.name, outcome=outcome.value, detail=detail)
        if hung:
            os._exit(HUNG)
    measured = getattr(suite, "measured", None)
    if measured:
        reporter.tell(event="measured", part=subject.part, values=measured)


def _make(rule: Rule, subject: Subject, made: dict[str, Any]) -> tuple[Outcome, str, bool] | None:
    """Make what a rule is run on, once for all rules; what stands in the way of that is the rule's outcome."""
    for name in rule.fixtures:
        if name not in subject.fixtures:
            return Outcome.NOT_APPLICABLE, f"the check has no {name!r}; the plugin's own tests do", False
        if name not in made:
            try:
                made[name] = subject.fixtures[name]()
            except BaseException as error:
                return Outcome.BROKEN, _one_line(f"{type(error).__name__}: {error}"), False
    return None


def _outcome(suite: object, rule: Rule, made: dict[str, Any]) -> tuple[Outcome, str, bool]:
    """What became of a rule, why, and whether it hangs."""
    try:
        getattr(suite, rule.method)(**{name: made[name] for name in rule.fixtures})
    except SkipTest as error:
        return Outcome.NOT_APPLICABLE, str(error), False
    except HangError as error:
        return Outcome.BROKEN, str(error), True
    except AssertionError as error:
        return Outcome.BROKEN, _one_line(str(error)), False
    except BaseException as error:
        return Outcome.BROKEN, _one_line(f"{type(error).__name__}: {error}"), False
    return Outcome.KEPT, "", False


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_DETAIL else line[:_MAX_DETAIL] + " ..."


if __name__ == "__main__":
    main()
