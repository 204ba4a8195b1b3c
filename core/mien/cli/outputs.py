"""What is made of results: a line for a person, JSON lines, a CSV table. Each output sees every result and failure.

A JSON line is a record (``mien.records``): its ``source`` is the file, empty for a text alone, and an input that failed
is a record of that kind. What plugins make of results are sinks (``mien.plugins.sinks``).
"""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console

from mien import records
from mien.cli.findings import Failure, Finding, printable
from mien.cli.lines import finding_line, heard_line, partial_line
from mien.errors import ConfigError, MienError
from mien.interfaces import Provenance
from mien.live.partials import Finals
from mien.types import FaceRegion, Prediction

_PREDICTION_COLUMNS = (
    *("subject", "modality", "analyzer", "box_x", "box_y", "box_width", "box_height", "quality"),
    *("emotion", "valence", "evidence", "confidence"),
)
CSV_COLUMNS = ("path", "at_seconds", *_PREDICTION_COLUMNS, "score", "score_low", "score_high", "verdict")
"""The table's columns, before those of the emotions."""


_FROM_THE_START, _DIM, _PLAIN = "\r\x1b[2K", "\x1b[2m", "\x1b[0m"
"""What a terminal does: clear the line and go to its start, write dimmed, write as usual."""


class OutputError(MienError):
    """Results cannot be written on, such as to a disk that is full."""


class Output(ABC):
    """Takes results in the order in which they are found. Raises OutputError where they cannot be written on."""

    @abstractmethod
    def write(self, finding: Finding, provenance: Provenance) -> None:
        """Take one result, and where it comes from."""

    def partial(self, prediction: Prediction) -> None:
        """Take what is being said, on any thread. Most outputs hold results alone."""
        return

    def fail(self, failure: Failure) -> None:
        """Take note of an input that could not be analysed. Most outputs leave that to stderr."""
        return

    def close(self) -> None:
        """Finish what is open."""
        return


class LineOutput(Output):
    """One line a result, for a person."""

    def __init__(self, console: Console, *, seen: Collection[str]) -> None:
        """Print to a console.

        Args:
            console: Where to.
            seen: The modalities that are looked for in pictures.
        """
        self._console = console
        self._seen = frozenset(seen)

    def write(self, finding: Finding, provenance: Provenance) -> None:
        """Print the line; no name in it is taken for markup."""
        with writing("the results"):
            self._console.print(finding_line(finding, provenance, seen=self._seen), soft_wrap=True)


class HeardOutput(Output):
    """One line an utterance, with its times and words, for a person who speaks.

    What is being said stands dimmed in the last line of a terminal, and gives way to the utterance; elsewhere it is a
    line of its own.
    """

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._in_place = output.isatty()
        self._lock = threading.Lock()
        self._finals = Finals()
        self._is_open = False  # a line that gives way

    def write(self, finding: Finding, provenance: Provenance) -> None:
        """Print the line at once."""
        with self._lock, writing("the results"):
            self._finals.note(finding.result.predictions)
            self._put(heard_line(finding.result) + "\n")

    def partial(self, prediction: Prediction) -> None:
        """Print the words so far; of an utterance that was printed, nothing more."""
        with self._lock, contextlib.suppress(OSError):  # whether the results can be written, they tell
            if not self._finals.is_news(prediction):
                return
            line = partial_line(prediction)
            if not self._in_place:
                self._put(line + "\n")
                return
            self._put(f"{_DIM}{line[: shutil.get_terminal_size().columns - 1]}{_PLAIN}" if line else "")
            self._is_open = bool(line)

    def close(self) -> None:
        """Take away what gives way."""
        with self._lock, contextlib.suppress(OSError):
            self._put("")

    def _put(self, text: str) -> None:
        self._output.write((_FROM_THE_START if self._is_open else "") + text)
        self._output.flush()
        self._is_open = False


class JsonOutput(Output):
    """JSON lines."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def write(self, finding: Finding, provenance: Provenance) -> None:
        """Write one record and flush, so that a reader at the other end of a pipe has it at once."""
        self._dump(
            records.AnalysisRecord(
                recorded_at=provenance.recorded_at,
                analysis=finding.result,
                source=provenance.source,
                at_seconds=provenance.at_seconds,
                image_width=provenance.image_width,
                image_height=provenance.image_height,
            )
        )

    def fail(self, failure: Failure) -> None:
        """Write why there is no result."""
        content = records.Failure(error=type(failure.error).__name__, message=str(failure.error))
        source = "" if failure.path is None else printable(failure.path)
        self._dump(records.FailureRecord(recorded_at=records.now(), failure=content, source=source))

    def _dump(self, record: records.Record) -> None:
        with writing("the results"):
            self._output.write(_encodable(records.to_json(record), self._output.encoding) + "\n")
            self._output.flush()


class CsvOutput(Output):
    """A table with one row a prediction; a result without predictions has one row with their columns empty."""

    def __init__(self, path: Path, labels: Sequence[str]) -> None:
        """Create the file.

        Args:
            path: Written over where it exists.
            labels: The emotions that may occur; each has a column.

        Raises:
            ConfigError: It cannot be written.
        """
        self._labels = tuple(labels)
        self._name = f"--csv: {path}"
        try:
            self._file = path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise ConfigError(f"--csv: cannot write {path}: {error.strerror}") from error
        self._table = csv.writer(self._file)
        self._table.writerow([*CSV_COLUMNS, *(f"emotion_{label}" for label in self._labels)])

    def write(self, finding: Finding, provenance: Provenance) -> None:
        """Write the rows of one result."""
        with writing(self._name):
            self._table.writerows(self._rows(finding, provenance))
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        with writing(self._name):
            self._file.close()

    def _rows(self, finding: Finding, provenance: Provenance) -> Iterator[list[str]]:
        at = provenance.at_seconds
        start = [provenance.source, "" if at is None else f"{at:.3f}"]
        fused = finding.result.satisfaction
        end = [*map(_number, (fused.score, fused.interval.low, fused.interval.high)), fused.verdict.value]
        if not finding.result.predictions:
            yield [*start, *[""] * len(_PREDICTION_COLUMNS), *end, *[""] * len(self._labels)]
        for prediction in finding.result.predictions:
            emotions = [_number(prediction.emotions.get(label, 0.0)) for label in self._labels]
            yield [*start, *_prediction_cells(prediction), *end, *emotions]


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Say of an output that it cannot be written on. That nobody reads it any more is no such thing, and goes on.

    Raises:
        OutputError: Names the output.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{name} cannot be written on: {error.strerror}") from error


def _encodable(line: str, encoding: str | None) -> str:
    """JSON that an encoding can hold; what it cannot is escaped, which is the same to a reader."""
    try:
        line.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return "".join(each if each.isascii() else json.dumps(each)[1:-1] for each in line)
    return line


def _prediction_cells(prediction: Prediction) -> list[str]:
    region = prediction.evidence if isinstance(prediction.evidence, FaceRegion) else None
    box = [""] * 5
    if region is not None:
        sides = (region.box.x, region.box.y, region.box.width, region.box.height)
        box = [*(f"{side:.1f}" for side in sides), _number(region.quality)]
    numbers = map(_number, (prediction.valence, prediction.satisfaction, prediction.confidence))
    return [
        prediction.subject_id,
        prediction.modality,
        prediction.analyzer,
        *box,
        prediction.top_emotion,
        *numbers,
    ]


def _number(value: float) -> str:
    return f"{value:.4f}"
