"""The live view in a terminal: one quiet panel that changes in place, with a line for each customer above it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mien.interfaces import KioskView
from mien.kiosk.brain import sees
from mien.kiosk.view import clock, counted, reasons_line, said, so_far, summary_line, top
from mien.live import Event, Notice, NoticeKind, Partial, Started, Update
from mien.session import SessionState, SessionSummary, mismatch_message
from mien.types import UNKNOWN_SATISFACTION, Prediction, Satisfaction, Verdict

MAX_WIDTH: Final = 84
"""Columns; a wider line is hard to take in at a glance."""

NOTICE_SECONDS: Final = 20.0
"""How long a notice stays."""

VERDICT_STYLES: Final = {Verdict.GOOD: "bold blue", Verdict.POOR: "bold dark_orange", Verdict.UNDECIDED: "bold"}
"""Blue and orange are told apart by colour-blind people too."""

VERDICT_WORDS: Final = {Verdict.GOOD: "GOOD", Verdict.POOR: "POOR", Verdict.UNDECIDED: "UNDECIDED"}

_PASSING: Final = frozenset({NoticeKind.FRAME_DROPPED, NoticeKind.MISMATCH})
"""Notices that are shown for a while and leave no line behind."""

_BAR_STYLE: Final = "steel_blue1"
_FRAME_STYLE: Final = "grey42"
_QUIET: Final = "dim"


class TerminalView(KioskView):
    """Draws on a terminal while it is open."""

    def __init__(self, console: Console, *, title: str, seers: frozenset[str], hears: bool) -> None:
        """Begin to draw.

        Args:
            console: A terminal.
            title: What is followed and where it is analysed.
            seers: The analyzers that take pictures.
            hears: Sound is analysed.
        """
        self._console = console
        self._title = title
        self._seers = seers
        self._hears = hears
        self._following = False
        self._began = 0.0
        self._now = 0.0
        self._state: SessionState | None = None
        self._face: Prediction | None = None
        self._faces = 0
        self._words: Prediction | None = None
        self._partial: Partial | None = None
        self._notice: tuple[float, str] | None = None
        self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._live.start()

    def waiting(self, now: float) -> None:
        """Rest until somebody comes."""
        self._following = False
        self._draw(now)

    def show(self, event: Event, now: float) -> None:
        """Change what is drawn; a summary is printed above, and stays."""
        if isinstance(event, Started):
            self._begin(now)
        elif isinstance(event, Update):
            self._update(event)
        elif isinstance(event, Partial):
            self._partial = event if so_far(event) else None
        elif isinstance(event, Notice):
            self._notice = (now, event.message)
            if event.kind not in _PASSING:
                self._console.print(Text(f"{clock(now)}  note: {event.message}", style=_QUIET))
        else:
            self._print_summary(event, now)
        self._draw(now)

    def tick(self, now: float) -> None:
        """Move the clock."""
        if int(now) != int(self._now):
            self._draw(now)

    def close(self) -> None:
        """Take the panel away; what was printed above stays."""
        self._live.stop()

    def _begin(self, now: float) -> None:
        self._following = True
        self._began = now
        self._state = self._face = self._words = self._partial = None
        self._faces = 0

    def _update(self, event: Update) -> None:
        self._state = event.state
        faces = [prediction for prediction in event.predictions if sees(prediction, self._seers)]
        words = [prediction for prediction in event.predictions if not sees(prediction, self._seers)]
        if words:
            self._words = words[-1]
            if self._partial is not None and self._partial.prediction.interval.start <= self._words.interval.start:
                self._partial = None
        elif event.streams:
            self._faces = len(faces)
            customer = [face for face in faces if face.subject_id == event.state.subject_id]
            self._face = next(iter(customer or faces), None)

    def _print_summary(self, summary: SessionSummary, now: float) -> None:
        line = Text(f"{clock(now)}  ", style=_QUIET)
        line.append("● ", style=VERDICT_STYLES[summary.overall.verdict])
        line.append(summary_line(summary), style="default")
        self._console.print(line)
        reasons = reasons_line(summary)
        if reasons:
            self._console.print(Text(f"       because {reasons}", style=_QUIET))

    def _draw(self, now: float) -> None:
        self._now = now
        width = min(self._console.width, MAX_WIDTH)
        body = self._body(width - 8) if self._following else _waiting()
        panel = Panel(
            Padding(body, (1, 2)),
            title=Text(f" {self._title} ", style="bold"),
            title_align="left",
            subtitle=Text(f" {self._footer()} ", style=_QUIET),
            subtitle_align="left",
            border_style=_FRAME_STYLE,
            width=width,
        )
        self._live.update(panel, refresh=True)

    def _footer(self) -> str:
        phase = f"following for {clock(self._now - self._began)}" if self._following else "ready"
        return f"{phase} · Ctrl-C ends"

    def _body(self, width: int) -> RenderableType:
        satisfaction = UNKNOWN_SATISFACTION if self._state is None else self._state.satisfaction
        shares = {} if self._state is None else self._state.emotion_percentages
        parts: list[RenderableType] = [headline(satisfaction), gauge(satisfaction, width=width)]
        parts += [bars(self._face, shares, width=width), Text(), self._speech(), self._status(satisfaction)]
        return Group(*parts, self._note(satisfaction))

    def _note(self, satisfaction: Satisfaction) -> Text:
        """One line, also where there is nothing to say: the panel keeps its height."""
        message = ""
        if self._notice is not None and self._now - self._notice[0] <= NOTICE_SECONDS:
            message = self._notice[1]
        elif satisfaction.mismatch:
            message = mismatch_message(satisfaction)
        return Text(message, style="dark_orange", overflow="ellipsis", no_wrap=True)

    def _speech(self) -> Text:
        if not self._hears:
            return Text("no microphone in use", style=_QUIET)
        if self._partial is not None:
            return Text(f"{so_far(self._partial)} …", style="dim italic", overflow="ellipsis", no_wrap=True)
        if self._words is None:
            return Text("nothing said yet", style=_QUIET)
        line = Text(said(self._words), style="italic", overflow="ellipsis", no_wrap=True)
        return line.append(f"   {top(self._words)}", style=_QUIET)

    def _status(self, satisfaction: Satisfaction) -> Text:
        state = self._state
        faces = counted(self._faces, "face") if self._faces else "no face"
        parts = [
            faces,
            counted(0 if state is None else state.snapshots, "picture"),
            *([counted(state.utterances, "utterance")] if state is not None and self._hears else []),
            f"evidence {100.0 * satisfaction.coverage:.0f} %",
        ]
        return Text(" · ".join(parts), style=_QUIET, overflow="ellipsis", no_wrap=True)


def headline(satisfaction: Satisfaction) -> Text:
    """Verdict, score and interval."""
    style = VERDICT_STYLES[satisfaction.verdict]
    line = Text(VERDICT_WORDS[satisfaction.verdict].ljust(12), style=style)
    line.append(f"{satisfaction.score:.2f}", style=style)
    interval = satisfaction.interval
    return line.append(f"   between {interval.low:.2f} and {interval.high:.2f}", style=_QUIET)


def gauge(satisfaction: Satisfaction, *, width: int) -> Text:
    """A scale from poor to good: the interval is thick, the score a diamond, the middle marked."""
    poor, good = "poor ", " good"
    cells = max(11, width - len(poor) - len(good))
    start, end, score = (
        round(value * (cells - 1))
        for value in (satisfaction.interval.low, satisfaction.interval.high, satisfaction.score)
    )
    style = VERDICT_STYLES[satisfaction.verdict]
    line = Text(poor, style=_QUIET)
    for cell in range(cells):
        if cell == score and satisfaction.contributions:
            line.append("◆", style=style)
        elif start <= cell <= end and satisfaction.contributions:
            line.append("━", style=_BAR_STYLE)
        else:
            line.append("┼" if cell == cells // 2 else "─", style=_FRAME_STYLE)
    return line.append(good, style=_QUIET)


def bars(face: Prediction | None, shares: Mapping[str, float], *, width: int) -> Table:
    """The emotions in a fixed order: now as a bar, and how often each was the strongest so far."""
    labels = list(shares if face is None else face.emotions)
    longest = max((len(label) for label in labels), default=0)
    room = max(5, width - longest - 20)
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(2):
        table.add_column(no_wrap=True)
    for _ in range(2):
        table.add_column(justify="right", no_wrap=True)
    if labels:
        table.add_row("", "", Text("now", style=_QUIET), Text("so far", style=_QUIET))
    for label in labels:
        now = 0.0 if face is None else face.emotions.get(label, 0.0)
        filled = round(now * room)
        bar = Text("█" * filled, style=_BAR_STYLE).append("·" * (room - filled), style=_FRAME_STYLE)
        table.add_row(
            Text(label),
            bar,
            Text("" if face is None else f"{100.0 * now:.0f} %"),
            Text(f"{shares.get(label, 0.0):.0f} %", style=_QUIET),
        )
    return table


def _waiting() -> RenderableType:
    return Group(
        Text("Waiting for a customer", style="bold"),
        Text("A face begins an interaction; until then nothing is kept.", style=_QUIET),
    )
