"""Who is shown what happens at a kiosk: plain lines, and JSON lines. The live view is ``terminal``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TextIO

from pydantic import TypeAdapter

from mien import records
from mien.interfaces import KioskView
from mien.live import Event, Notice, Partial, Started, Update
from mien.session import SessionEnd, SessionSummary
from mien.types import Modality, Prediction, Reason, Satisfaction, Transcript

ENDS: Final = {
    SessionEnd.MAX_SNAPSHOTS: "enough pictures",
    SessionEnd.MARKER: "its end was marked",
    SessionEnd.IDLE: "the customer has left",
    SessionEnd.NEXT_CUSTOMER: "the next customer stands there",
    SessionEnd.CLOSED: "it was ended here",
    SessionEnd.DRAINING: "the server shut down",
}
"""Why a session ended, for a person."""


NAMES: Final[Mapping[type, str]] = {
    Started: "started",
    Update: "update",
    Partial: "partial",
    Notice: "notice",
    SessionSummary: "summary",
}
"""What a JSON line calls an event."""


class JsonView(KioskView):
    """One JSON object a line: ``event`` names it (``started``, ``update``, ``partial``, ``notice``, ``summary``).

    ``recorded_at`` says when the line was written, so that ``mien report`` reads the summaries among them.
    """

    def __init__(self, output: TextIO) -> None:
        """Write to an open text file."""
        self._output = output

    def waiting(self, now: float) -> None:
        """Says nothing."""

    def show(self, event: Event, now: float) -> None:
        """Write one line at once."""
        self._output.write(
            json.dumps(
                {**as_json(event), "recorded_at": records.now().isoformat()}, ensure_ascii=False, allow_nan=False
            )
            + "\n"
        )
        self._output.flush()


class LineView(KioskView):
    """One line for a person for each thing that happened; for logs and pipes."""

    def __init__(self, output: TextIO) -> None:
        """Write to an open text file."""
        self._output = output

    def waiting(self, now: float) -> None:
        """Say so."""
        self._line(now, "waiting for a customer")

    def show(self, event: Event, now: float) -> None:
        """Write one line at once."""
        self._line(event.at if isinstance(event, Notice) else now, line_of(event))

    def _line(self, at: float, text: str) -> None:
        self._output.write(f"{clock(at)}  {text}\n")
        self._output.flush()


def as_json(event: Event) -> dict[str, Any]:
    """An event as JSON values: its name, and its fields as the types have them."""
    kind = type(event)
    return {"event": NAMES[kind], **_adapters()[kind].dump_python(event, mode="json", exclude={"frame_size"})}


def line_of(event: Event) -> str:
    """An event in one line, for a person."""
    if isinstance(event, Started):
        return f"following a customer ({', '.join(event.analyzers)})"
    if isinstance(event, Notice):
        return f"note: {event.message}"
    if isinstance(event, Partial):
        return f"so far: {so_far(event) or 'nothing'}"
    if isinstance(event, SessionSummary):
        return "; because ".join(part for part in (summary_line(event), reasons_line(event)) if part)
    return _update_line(event)


def summary_line(summary: SessionSummary) -> str:
    """A whole interaction in one line."""
    seconds = summary.interval.end - summary.interval.start
    shares = sorted(summary.emotion_percentages.items(), key=lambda item: -item[1])
    faces = ", ".join(f"{label} {share:.0f} %" for label, share in shares[:3] if share >= 0.5) or "no face"
    heard = f", {counted(summary.utterances, 'utterance')}" if summary.utterances else ""
    return (
        f"summary: {score_of(summary.overall)}, peak-end {summary.peak_end_score:.2f}; {faces}; "
        f"{counted(summary.snapshots, 'picture')}{heard} in {seconds:.0f} s; {ENDS[summary.end]}"
    )


def reasons_line(summary: SessionSummary) -> str:
    """What moved the score: ``“waited an hour” at 8 s -0.40; smile at 12 s +0.20``; empty where nobody can tell."""
    began = summary.interval.start
    return "; ".join(
        f"{_moment(reason)} at {reason.interval.start - began:.0f} s {reason.effect:+.2f}" for reason in summary.reasons
    )


def score_of(satisfaction: Satisfaction) -> str:
    """``0.72 (0.61 to 0.81) GOOD``."""
    interval = satisfaction.interval
    verdict = satisfaction.verdict.value.upper()
    return f"{satisfaction.score:.2f} ({interval.low:.2f} to {interval.high:.2f}) {verdict}"


def said(prediction: Prediction) -> str:
    """The words that a prediction rests on, as they may be shown; empty where it rests on none."""
    if not isinstance(prediction.evidence, Transcript):
        return ""
    if prediction.evidence.redacted:
        return "(words withheld)"
    return f"“{prediction.evidence.text}”" if prediction.evidence.text else "(speech)"


def so_far(partial: Partial) -> str:
    """The words that are being said, as they may be shown; empty where they were taken back."""
    words = partial.prediction.evidence
    is_something = isinstance(words, Transcript) and (words.text or words.redacted)
    return said(partial.prediction) if is_something else ""


def top(prediction: Prediction) -> str:
    """``happy 92 %``."""
    return f"{prediction.top_emotion} {100.0 * prediction.emotions[prediction.top_emotion]:.0f} %"


def counted(count: int, what: str) -> str:
    """``1 picture``, ``2 pictures``."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def clock(seconds: float) -> str:
    """``01:23``."""
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"


def _moment(reason: Reason) -> str:
    if reason.words:
        return f"“{reason.words}”"
    if reason.modality == Modality.FACE:
        return "smile" if reason.label == "happy" else f"{reason.label} face"
    return f"{reason.label} ({reason.modality})"


def _update_line(update: Update) -> str:
    found = "; ".join(
        " ".join(part for part in (said(prediction), f"{prediction.modality}:", top(prediction)) if part)
        for prediction in update.predictions
    )
    missing = "".join(f"; {status.analyzer} missing" for status in update.streams if status.reason)
    return f"{found or 'nobody'}{missing}; satisfaction {score_of(update.state.satisfaction)}"


@cache
def _adapters() -> Mapping[type, TypeAdapter[Any]]:
    return {kind: TypeAdapter(kind) for kind in NAMES}
