"""Starts the process that a plugin is checked in, and watches it: whatever the plugin does there, the check ends."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mien.interfaces import API_VERSION
from mien.quality.report import Finding, Outcome, Report
from mien.quality.target import Target
from mien.testing.rules import Grade

MAKING_SECONDS: Final = 300.0
"""How long a part may take to load and to warm up; the host waits longer still."""

GRACE_SECONDS: Final = 15.0
"""How much longer than a rule's own limit the process may say nothing, before it is ended: it is held then."""

MAX_STARTS: Final = 8
"""So often the process is started where nothing else is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """How to check.

    Attributes:
        config: Configuration with the plugin's table; None takes the defaults.
        samples: Files to try the parts with.
        labels: A CSV file of ``file,label`` for the calibration.
        seconds: How long one rule may take.
        memory_seconds: How long to look whether memory grows, rule by rule.
        grace: How much longer the process may say nothing before it is ended.
        odd_inputs: How many an analyzer is to survive.
        parts: Those to check, such as ``detector haar``; none checks all.
        starts: So often the process is started, where rules end it; then the rest is not run.
    """

    config: Path | None = None
    samples: tuple[Path, ...] = ()
    labels: Path | None = None
    seconds: float = 60.0
    memory_seconds: float = 4.0
    grace: float = GRACE_SECONDS
    odd_inputs: int = 50
    parts: tuple[str, ...] = ()
    starts: int = MAX_STARTS


@dataclass(slots=True)
class _Run:
    """What has been told so far."""

    findings: list[Finding] = field(default_factory=list)
    measured: dict[str, dict[str, float]] = field(default_factory=dict)
    version: str = ""
    api_version: int = API_VERSION
    current: Finding | None = None
    making: bool = False
    over: bool = False

    def patience(self, options: CheckOptions) -> float:
        """How long the process may say nothing now, seconds."""
        return (max(MAKING_SECONDS, options.seconds) if self.making else options.seconds) + options.grace

    def take(self, event: dict[str, Any]) -> None:
        """Take one event in."""
        kind = event["event"]
        self.making = kind == "making"
        if kind == "begin":
            self.current = Finding(event["part"], event["rule"], Grade(event["grade"]), Outcome.BROKEN)
        elif kind == "end" and self.current is not None:
            grade = self.current.grade
            finding = Finding(event["part"], event["rule"], grade, Outcome(event["outcome"]), event["detail"])
            self.findings.append(finding)
            self.current = None
        elif kind == "measured":
            self.measured.setdefault(event["part"], {}).update(event["values"])
        elif kind == "listed":
            self.version, self.api_version, self.current = event["version"], event["api_version"], None
        elif kind == "over":
            self.over = True

    def fail(self, detail: str) -> None:
        """The process ended in the middle of a rule."""
        if self.current is not None:
            broken = self.current
            self.findings.append(Finding(broken.part, broken.rule, broken.grade, Outcome.BROKEN, detail))
            self.current = None


def check(target: Target, options: CheckOptions) -> Report:
    """Check one plugin. Never hangs, whatever the plugin does, and never ends with it.

    Args:
        target: The plugin.
        options: How.
    """
    run = _Run()
    for _ in range(options.starts):
        before = len(run.findings)
        _start_once(target, options, run)
        if run.over or len(run.findings) == before or run.findings[-1].rule == "listing it":
            break
    if not run.over:
        left = "the process was ended too often; what is left was not run"
        run.findings.append(Finding("plugin", "every rule is run", Grade.BRONZE, Outcome.NOT_RUN, left))
    return Report(target.name, target.version, run.api_version, tuple(run.findings), run.measured, options.parts)


def _start_once(target: Target, options: CheckOptions, run: _Run) -> None:
    """Start the process once, and take in what it tells until it ends or says nothing for too long."""
    reading, writing = os.pipe()
    job = {
        "descriptor": writing,
        "name": target.name,
        "value": target.value,
        "version": target.version,
        "distribution": target.distribution,
        "config": str(options.config or ""),
        "samples": [str(path) for path in options.samples],
        "labels": str(options.labels or ""),
        "seconds": options.seconds,
        "memory_seconds": min(options.memory_seconds, options.seconds / 4.0),
        "odd_inputs": options.odd_inputs,
        "parts": options.parts,
        "done": [(finding.part, finding.rule) for finding in run.findings],
    }
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*target.path, *filter(None, sys.path)])}
    child = subprocess.Popen(
        [sys.executable, "-m", "mien.quality.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(writing,),
        env=environment,
        start_new_session=True,
        text=True,
    )
    os.close(writing)
    try:
        if child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(json.dumps(job))
                child.stdin.close()
        with os.fdopen(reading, encoding="utf-8") as file:
            for event in _events(file, lambda: run.patience(options)):
                if event is None:
                    run.fail(f"it held the interpreter, or hung, for {run.patience(options):g} s")
                    break
                run.take(event)
                if run.over:
                    break
            else:
                run.fail(f"it ended the process ({_ending(child.wait(options.grace))})")
    finally:
        _end(child)


def _events(file: Any, patience: Callable[[], float]) -> Iterator[dict[str, Any] | None]:
    """What the child tells; None, and no more, where it says nothing for so long."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        with contextlib.suppress(ValueError, OSError):  # closed while it was read
            for line in file:
                lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=patience())
        except queue.Empty:
            yield None
            return
        if not line:
            return
        event: dict[str, Any] = json.loads(line)
        yield event


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _end(child: subprocess.Popen[str]) -> None:
    """End the process and those that it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
