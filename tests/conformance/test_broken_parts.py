"""Each rule of each suite catches what breaks it, within its time, and the right parts beside them keep them all."""

from __future__ import annotations

import inspect
import os
import random
import sys
import types
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from conformance import (
    broken_analyzers,
    broken_backends,
    broken_commands,
    broken_detectors,
    broken_fusers,
    broken_sinks,
    broken_transcribers,
)
from conformance.broken_analyzers import SAMPLES
from conformance.test_suites import BROKEN_ANALYZERS, BROKEN_FUSERS, BROKEN_STREAMS, BROKEN_TRANSCRIBERS

from mien import PluginError
from mien.testing import (
    AnalyzerConformance,
    BackendConformance,
    CommandsConformance,
    Conformance,
    DetectorConformance,
    FuserConformance,
    Grade,
    SinkConformance,
    TranscriberConformance,
    analyzer_info,
    make_clip,
    rules_of,
)

SHORT = 1.0
"""How long a rule waits here, seconds, for what never comes."""


def suite_of(kind: type[Conformance], name: str) -> Conformance:
    """The suite, less patient where a part hangs."""
    hasty = {"seconds": SHORT} if name in ("hangs", "stuck") else {}
    return type(kind.__name__, (kind,), {"close_seconds": SHORT, **hasty})()


def fixtures_of(kind: type[Conformance], make: Any) -> dict[str, Any]:
    if kind is AnalyzerConformance:
        return {"analyzer": make(), "info": analyzer_info("face"), "samples": SAMPLES}
    if kind is FuserConformance:
        return {"fuser": make()}
    if kind is TranscriberConformance:
        return {"transcriber": make(), "speech": make_clip(frequency=200.0)}
    if kind is SinkConformance:
        file = broken_sinks.File()
        return {"make_sink": lambda: make(file), "count": lambda: file.lines}
    if kind is DetectorConformance:
        return {"make_detector": make, "pictures": broken_detectors.pictures()}
    return {"make_backend": make} if kind is BackendConformance else {"add_commands": make()}


BROKEN: list[tuple[type[Conformance], str, Any, str]] = [
    (kind, name, make, rule)
    for kind, table in (
        (AnalyzerConformance, broken_analyzers.BROKEN),
        (FuserConformance, broken_fusers.BROKEN),
        (TranscriberConformance, broken_transcribers.TRANSCRIBERS),
        (SinkConformance, broken_sinks.SINKS),
        (DetectorConformance, broken_detectors.DETECTORS),
        (BackendConformance, broken_backends.BACKENDS),
        (CommandsConformance, broken_commands.COMMANDS),
    )
    for name, (make, rule) in table.items()  # type: ignore[attr-defined]
]
RIGHT: list[tuple[type[Conformance], Any]] = [
    (AnalyzerConformance, broken_analyzers.Right),
    (FuserConformance, broken_fusers.Right),
    (TranscriberConformance, broken_transcribers.Hearing),
    (SinkConformance, broken_sinks.Lines),
    (DetectorConformance, broken_detectors.Bright),
    (BackendConformance, broken_backends.Plain),
    (CommandsConformance, lambda: broken_commands.right_commands),
]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a broken part changes is put back; JAX is a stub, as it would take seconds to load."""
    stub = types.SimpleNamespace(config=types.SimpleNamespace(values={"jax_enable_x64": False}))
    monkeypatch.setitem(sys.modules, "jax", stub)
    monkeypatch.delitem(sys.modules, "pandas", raising=False)
    monkeypatch.setenv("MIEN_TEST_MARK", "")
    directory, errors, threads = os.getcwd(), np.geterr(), cv2.getNumThreads()  # noqa: PTH109
    states = random.getstate(), np.random.get_state()
    yield
    os.chdir(directory)
    np.seterr(**errors)
    cv2.setNumThreads(threads)
    random.setstate(states[0])
    np.random.set_state(states[1])
    sys.modules.pop("pandas", None)


def run(suite: Conformance, rule: str, fixtures: dict[str, Any]) -> None:
    test = getattr(suite, rule)
    test(**{fixture: fixtures[fixture] for fixture in inspect.signature(test).parameters})


@pytest.mark.parametrize(
    ("kind", "name", "make", "rule"), BROKEN, ids=[f"{kind.__name__[:-11]}-{name}" for kind, name, _, _ in BROKEN]
)
def test_a_broken_part_is_caught_by_its_rule(kind: type[Conformance], name: str, make: Any, rule: str) -> None:
    with pytest.raises((AssertionError, PluginError, ValueError, TypeError, KeyError)):
        run(suite_of(kind, name), rule, fixtures_of(kind, make))


@pytest.mark.parametrize(("kind", "make"), RIGHT, ids=[kind.__name__ for kind, _ in RIGHT])
def test_what_keeps_the_contract_passes_every_rule(kind: type[Conformance], make: Any) -> None:
    for rule in rules_of(kind):
        run(kind(), rule.method, fixtures_of(kind, make))


def test_at_least_sixty_broken_parts_are_known() -> None:
    assert len(BROKEN) >= 60


def test_every_rule_of_the_suites_is_known_to_catch_something() -> None:
    covered = {rule for _, _, _, rule in BROKEN} | {
        "test_info_says_what_a_user_must_know",
        *(test for _, test in BROKEN_ANALYZERS.values()),
        *(test for _, test in BROKEN_FUSERS.values()),
        *(test for _, test in BROKEN_TRANSCRIBERS.values()),
        *(test for _, test in BROKEN_STREAMS.values()),
    }
    for kind in (each for each, _ in RIGHT):
        assert {rule.method for rule in rules_of(kind)} <= covered


def test_every_rule_has_a_grade_and_says_what_it_asks_for() -> None:
    for kind in (each for each, _ in RIGHT):
        rules = rules_of(kind)
        assert len({rule.name for rule in rules}) == len(rules)
        assert all(rule.text.endswith(".") and rule.grade in Grade for rule in rules)
        assert {name for name in dir(kind) if name.startswith("test_")} == {rule.method for rule in rules}
