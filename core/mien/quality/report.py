"""What a check found: rule by rule, part by part, and the grade that follows. For people, and as ``quality.json``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from mien.testing.rules import GRADES, Grade

FORMAT: Final = 1
"""Of ``quality.json``."""


class Outcome(StrEnum):
    """What became of a rule."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_APPLICABLE = "not applicable"
    """It had nothing to look at; no grade minds that."""
    NOT_RUN = "not run"
    """The plugin ended its process too often; every grade that needs the rule minds that."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one rule for one part.

    Attributes:
        part: ``plugin``, or kind and name of a part: ``analyzer smileys``.
        rule: The rule's name.
        grade: The lowest that needs it.
        outcome: Whether it is kept.
        detail: What was wrong, or why the rule does not apply.
    """

    part: str
    rule: str
    grade: Grade
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of one plugin after a check.

    Attributes:
        plugin: Name of its entry point.
        version: Of its distribution; empty where it is not installed.
        api_version: Of the plugin contract that it was checked under.
        findings: In the order in which the rules ran.
        measured: Part -> what was measured of it: milliseconds of a call, MiB of memory.
        parts: Those that were asked for; none is all, and only then is the grade the plugin's.
    """

    plugin: str
    version: str
    api_version: int
    findings: tuple[Finding, ...]
    measured: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    parts: tuple[str, ...] = ()

    @property
    def grade(self) -> Grade | None:
        """The highest whose rules, and those of the grades before it, are all kept; None where not even bronze is."""
        reached: Grade | None = None
        for grade in GRADES:
            if any(finding.grade is grade for finding in self.failures):
                break
            reached = grade
        return reached if self.findings else None

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What is not kept."""
        return tuple(each for each in self.findings if each.outcome in (Outcome.BROKEN, Outcome.NOT_RUN))

    def reaches(self, grade: Grade) -> bool:
        """Whether the plugin has at least this grade."""
        return self.grade is not None and GRADES.index(self.grade) >= GRADES.index(grade)

    def to_json(self) -> str:
        """As ``quality.json`` holds it."""
        content: dict[str, Any] = {
            "format": FORMAT,
            "plugin": self.plugin,
            "version": self.version,
            "api_version": self.api_version,
            "grade": self.grade.value if self.grade is not None else "none",
            "parts": list(self.parts),
            "measured": {part: dict(values) for part, values in self.measured.items()},
            "findings": [asdict(finding) for finding in self.findings],
        }
        return json.dumps(content, indent=2, ensure_ascii=False)

    def lines(self, *, everything: bool = False) -> Iterator[str]:
        """The report for people; ``everything`` lists the rules that are kept as well."""
        parts = list(dict.fromkeys(finding.part for finding in self.findings))
        for part in parts:
            own = [finding for finding in self.findings if finding.part == part]
            kept = sum(finding.outcome is Outcome.KEPT for finding in own)
            beside = sum(finding.outcome is Outcome.NOT_APPLICABLE for finding in own)
            yield f"{part}: {kept} of {len(own) - beside} rules kept" + (f", {beside} do not apply" if beside else "")
            values = ", ".join(f"{name} {value:g}" for name, value in self.measured.get(part, {}).items())
            if values:
                yield f"  measured: {values}"
            for finding in own:
                if everything or finding in self.failures:
                    yield f"  {finding.outcome.value:<14} {finding.grade.value:<6}  {finding.rule}"
                    if finding.detail and finding.outcome is not Outcome.KEPT:
                        yield f"  {'':<14} {'':<6}  {finding.detail}"
        yield self._verdict()

    def _verdict(self) -> str:
        name = " ".join(filter(None, (self.plugin, self.version, f"({', '.join(self.parts)})" if self.parts else "")))
        if self.grade is GRADES[-1]:
            return f"{name}: {self.grade}"
        index = 0 if self.grade is None else GRADES.index(self.grade) + 1
        missing = sum(finding.grade is GRADES[index] for finding in self.failures)
        reached = self.grade.value if self.grade is not None else "no grade"
        return f"{name}: {reached}; {GRADES[index]} lacks {missing} rule{'s' if missing > 1 else ''}"
