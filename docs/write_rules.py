"""Writes ``docs/plugin-rules.md`` from the conformance suites: ``make rules``. A test calls it too."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mien.quality.measured import CheckedAnalyzer, MeasuredConformance
from mien.quality.wholeplugin import PluginConformance
from mien.testing import (
    AccumulatorConformance,
    AnalyzerConformance,
    BackendConformance,
    CommandsConformance,
    Conformance,
    DetectorConformance,
    FuserConformance,
    SinkConformance,
    StreamConformance,
    TranscriberConformance,
    rules_of,
)

PAGE: Final = Path(__file__).with_name("plugin-rules.md")
SECTIONS: Final[tuple[tuple[str, type[Conformance], type[Conformance]], ...]] = (
    ("The plugin as a whole", PluginConformance, Conformance),
    ("Analyzers", AnalyzerConformance, StreamConformance),
    ("Analyzers, by measurement", MeasuredConformance, Conformance),
    ("Streams of analyzers", StreamConformance, Conformance),
    ("Fusers", FuserConformance, AccumulatorConformance),
    ("Accumulators", AccumulatorConformance, Conformance),
    ("Transcribers and their streams", TranscriberConformance, Conformance),
    ("Sinks", SinkConformance, Conformance),
    ("Face detectors", DetectorConformance, Conformance),
    ("Execution backends", BackendConformance, Conformance),
    ("Commands", CommandsConformance, Conformance),
)
"""Heading, suite, and the suite whose rules are under another heading."""

HEADER: Final = """# The rules that a plugin is graded by

`mien plugins check` holds a plugin to these ([plugin-testing.md](plugin-testing.md)); `make rules` writes this page
from the suites. A grade needs all rules of that grade and of those before it. A rule that has nothing to look at is no
obstacle.
"""


def page() -> str:
    """The whole page."""
    known = {rule.method for suite in (CheckedAnalyzer, FuserConformance) for rule in rules_of(suite)}
    parts = [HEADER]
    for heading, suite, elsewhere in SECTIONS:
        others = {rule.method for rule in rules_of(elsewhere)}
        rows = [rule for rule in rules_of(suite) if rule.method not in others]
        known -= {rule.method for rule in rows}
        parts.append(f"## {heading}\n")
        parts.append("| rule | grade | what it asks for |\n|---|---|---|")
        parts += [f"| {rule.name} | {rule.grade} | {rule.text.replace('``', '`')} |" for rule in rows]
        parts.append("")
    if known:
        raise ValueError(f"rules under no heading: {sorted(known)}")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
