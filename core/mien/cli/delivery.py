"""Gives out what was read: to the plugins' sinks, and to what the command writes. Problems go to stderr.

It is here that words are taken out where that was asked for, once and before anybody sees a result.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from mien.cli.findings import Failure, Finding, Notice, Read, printable
from mien.cli.outputs import Output
from mien.plugins.sinks import Sinks
from mien.redaction import given_out, predictions_given_out
from mien.types import Prediction


class Delivery:
    """Takes what ``mien analyze`` and ``mien listen`` read."""

    def __init__(self, sinks: Sinks, outputs: Sequence[Output], messages: Console, *, redact: bool) -> None:
        """Take over sinks and outputs.

        Args:
            sinks: Of the plugins.
            outputs: What the command writes.
            messages: For problems.
            redact: Take the words of transcripts out.
        """
        self._sinks = sinks
        self._outputs = tuple(outputs)
        self._messages = messages
        self._redact = redact

    def deliver(self, read: Read) -> bool:
        """Give out what came of an input; False where it failed."""
        if isinstance(read, Finding):
            self._give_out(read)
            return True
        if isinstance(read, Notice):
            self.warn(read.message, path=read.path)
            return True
        self._say_why(read)
        return False

    def tell(self, prediction: Prediction) -> None:
        """Have shown what is being said; sinks are shown results alone. May be called on any thread."""
        (shown,) = predictions_given_out([prediction], redact=self._redact)
        for output in self._outputs:
            output.partial(shown)

    def warn(self, message: str, *, path: Path | None = None) -> None:
        """Say on stderr what somebody should know."""
        named = message if path is None else _named(printable(path), message)
        self._messages.print(f"mien: warning: {named}", markup=False)

    def close(self) -> None:
        """Finish everything that is open."""
        with ExitStack() as stack:
            stack.callback(self._sinks.close)
            for output in self._outputs:
                stack.callback(output.close)

    def _give_out(self, finding: Finding) -> None:
        shown = replace(finding, result=given_out(finding.result, redact=self._redact))
        provenance = shown.provenance()
        self._sinks.notify(shown.result, provenance)
        for output in self._outputs:
            output.write(shown, provenance)

    def _say_why(self, failure: Failure) -> None:
        name = "the text" if failure.path is None else printable(failure.path)
        self._messages.print(f"mien: {_named(name, str(failure.error))}", markup=False)
        for output in self._outputs:
            output.fail(failure)


def _named(name: str, message: str) -> str:
    """The message with the input's name in front, once."""
    return message if message.startswith(f"{name}: ") else f"{name}: {message}"
