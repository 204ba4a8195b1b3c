"""Where results go: a line for a person, JSON lines, a CSV table. Each sink sees every result and every failure.

A JSON line is a record (``mien.records``): its ``source`` is the file, empty for a text alone, and an input that failed
is a record of that kind.
"""

from __future__ import annotations

import csv
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

from mien import records
from mien.cli.reading import Failure, Finding
from mien.errors import ConfigError
from mien.interfaces import Provenance
from mien.types import AnalysisResult, FaceRegion, Modality, Prediction, Transcript, Verdict

_VERDICT_STYLES = {Verdict.GOOD: "bold blue", Verdict.POOR: "bold dark_orange", Verdict.UNDECIDED: "bold"}
_MOST_NAMED = 4
_QUOTED_CHARACTERS = 80
_PREDICTION_COLUMNS = (
    *("subject", "modality", "analyzer", "box_x", "box_y", "box_width", "box_height", "quality"),
    *("emotion", "valence", "evidence", "confidence"),
)
CSV_COLUMNS = ("path", "at_seconds", *_PREDICTION_COLUMNS, "score", "score_low", "score_high", "verdict")
"""The table's columns, before those of the emotions."""


class Sink(ABC):
    """Takes results in the order in which they are found."""

    @abstractmethod
    def write(self, finding: Finding) -> None:
        """Take one result."""

    def fail(self, failure: Failure) -> None:
        """Take note of an input that could not be analysed. Most sinks leave that to stderr."""
        return

    def close(self) -> None:
        """Finish what is open."""
        return


class LineSink(Sink):
    """One line a result, for a person."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, finding: Finding) -> None:
        """Print the line; no name in it is taken for markup."""
        satisfaction = finding.result.satisfaction
        interval = satisfaction.interval
        line = Text()
        line.append(_where(finding), style="bold")
        line.append(f"  {_who(finding.result)}  satisfaction {satisfaction.score:.2f} ")
        line.append(f"({interval.low:.2f} to {interval.high:.2f}) ", style="dim")
        line.append(satisfaction.verdict.value.upper(), style=_VERDICT_STYLES[satisfaction.verdict])
        for status in finding.result.missing:
            line.append(f"  [{status.analyzer} missing: {status.reason}]", style="dark_orange")
        self._console.print(line, soft_wrap=True)


class JsonSink(Sink):
    """JSON lines."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def write(self, finding: Finding) -> None:
        """Write one record and flush, so that a reader at the other end of a pipe has it at once."""
        self._dump(as_record(finding))

    def fail(self, failure: Failure) -> None:
        """Write why there is no result."""
        content = records.Failure(error=type(failure.error).__name__, message=str(failure.error))
        source = "" if failure.path is None else printable(failure.path)
        self._dump(records.FailureRecord(recorded_at=records.now(), failure=content, source=source))

    def _dump(self, record: records.Record) -> None:
        self._output.write(records.to_json(record) + "\n")
        self._output.flush()


class CsvSink(Sink):
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
        try:
            self._file = path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise ConfigError(f"--csv: cannot write {path}: {error.strerror}") from error
        self._table = csv.writer(self._file)
        self._table.writerow([*CSV_COLUMNS, *(f"emotion_{label}" for label in self._labels)])

    def write(self, finding: Finding) -> None:
        """Write the rows of one result."""
        start = [
            "" if finding.source is None else printable(finding.source.path),
            "" if finding.at_seconds is None else f"{finding.at_seconds:.3f}",
        ]
        fused = finding.result.satisfaction
        end = [*map(_number, (fused.score, fused.interval.low, fused.interval.high)), fused.verdict.value]
        if not finding.result.predictions:
            self._table.writerow([*start, *[""] * len(_PREDICTION_COLUMNS), *end, *[""] * len(self._labels)])
        for prediction in finding.result.predictions:
            emotions = [_number(prediction.emotions.get(label, 0.0)) for label in self._labels]
            self._table.writerow([*start, *_prediction_cells(prediction), *end, *emotions])

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def provenance_of(finding: Finding) -> Provenance:
    """Where a result comes from, for the plugins' sinks."""
    height, width = (None, None) if finding.frame is None else finding.frame.pixels.shape[:2]
    return Provenance(
        source="" if finding.source is None else printable(finding.source.path),
        at_seconds=finding.at_seconds,
        image_width=width,
        image_height=height,
    )


def as_record(finding: Finding) -> records.AnalysisRecord:
    """One result as a record."""
    height, width = (None, None) if finding.frame is None else finding.frame.pixels.shape[:2]
    return records.AnalysisRecord(
        recorded_at=records.now(),
        analysis=finding.result,
        source="" if finding.source is None else printable(finding.source.path),
        at_seconds=finding.at_seconds,
        image_width=width,
        image_height=height,
    )


def printable(path: Path) -> str:
    """A path as text that any terminal, JSON reader and spreadsheet takes: no broken or control characters."""
    text = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "�" for character in text)


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


def _faces(result: AnalysisResult) -> list[Prediction]:
    return [prediction for prediction in result.predictions if isinstance(prediction.evidence, FaceRegion)]


def _where(finding: Finding) -> str:
    if finding.source is None:
        return "text"
    path = printable(finding.source.path)
    return path if finding.at_seconds is None else f"{path} at {finding.at_seconds:.1f} s"


def _who(result: AnalysisResult) -> str:
    """``2 faces: happiness 92 %, neutral 60 %; text: joy 80 %``."""
    faces = _faces(result)
    parts = []
    if faces:
        named = ", ".join(_top(face) for face in faces[:_MOST_NAMED])
        more = f" and {len(faces) - _MOST_NAMED} more" if len(faces) > _MOST_NAMED else ""
        parts.append(f"{len(faces)} face{'s' if len(faces) > 1 else ''}: {named}{more}")
    elif any(status.modality == Modality.FACE for status in result.streams):
        parts.append("no face")
    parts += [f"{other.modality}: {_quote(other)}{_top(other)}" for other in result.predictions if other not in faces]
    return "; ".join(parts) or "nothing found"


def _quote(prediction: Prediction) -> str:
    """The words that were heard, shortened; nothing where the caller brought them, or they were taken out."""
    said = prediction.evidence
    if not isinstance(said, Transcript) or said.engine == "caller" or not said.text:
        return ""
    return f'"{textwrap.shorten(said.text, _QUOTED_CHARACTERS, placeholder=" ...")}" '


def _top(prediction: Prediction) -> str:
    return f"{prediction.top_emotion} {prediction.emotions[prediction.top_emotion]:.0%}"
