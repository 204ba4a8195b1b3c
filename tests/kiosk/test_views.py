"""What a person, a log and a program are shown."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from kiosk.support import Bench, picture, speech
from rich.console import Console

from mien import KioskView, Reason, TimeInterval
from mien.kiosk.terminal import TerminalView, gauge
from mien.kiosk.view import JsonView, LineView
from mien.live import Event, Partial, Update
from mien.session import SessionSummary
from mien.testing import make_prediction
from mien.types import UNKNOWN_SATISFACTION, Contribution, Satisfaction, ScoreInterval, Transcript, Verdict


@pytest.fixture
def events(bench: Bench) -> list[Event]:
    return bench.run([picture(0.0), speech(0.5), picture(1.0), picture(2.0)]).seen.events


def drawn(
    view_of: type[TerminalView], events: list[Event], *, width: int = 80, last: bool = True, hears: bool = True
) -> str:
    """What a terminal without colours shows; the panel is taken away at the end unless ``last`` is False."""
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=width, height=40, no_color=True, legacy_windows=False)
    view = view_of(console, title="mien kiosk", seers=frozenset({"face"}), hears=hears)
    view.waiting(0.0)
    for event in events:
        view.show(event, 3.0)
    if last:
        view.close()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.getvalue())  # without the codes for styles and moves
    if not last:
        view.close()
    return text


def text_of(view: KioskView, events: list[Event], output: io.StringIO) -> str:
    view.waiting(0.0)
    for event in events:
        view.show(event, 61.0)
    view.close()
    return output.getvalue()


def test_every_json_line_names_its_event_and_holds_its_fields(events: list[Event]) -> None:
    output = io.StringIO()
    lines = [json.loads(line) for line in text_of(JsonView(output), events, output).splitlines()]
    assert [line["event"] for line in lines] == ["started", "update", "update", "update", "update", "summary"]
    assert lines[-1]["snapshots"] == 3
    words = [p["evidence"]["text"] for line in lines[1:-1] for p in line["predictions"] if p["modality"] == "voice"]
    assert words == ["thank you"]
    assert {tuple(line["state"]["satisfaction"]) for line in lines[1:-1]} == {tuple(lines[-1]["overall"])}


def test_lines_are_for_people(events: list[Event]) -> None:
    output = io.StringIO()
    lines = text_of(LineView(output), events, output).splitlines()
    assert lines[0] == "00:00  waiting for a customer"
    assert lines[1] == "01:01  following a customer (face, voice)"
    assert any("“thank you” voice: happy 80 %; satisfaction" in line for line in lines)
    assert "3 pictures, 1 utterance in 2 s" in lines[-1]


def test_the_terminal_shows_bars_gauge_verdict_words_and_coverage(events: list[Event]) -> None:
    screen = drawn(TerminalView, events[:-1], last=False).split("╭")[-1]
    for shown in ("GOOD", "◆", "happy", "█", "so far", "“thank you”", "3 pictures", "evidence 100 %", "following for"):
        assert shown in screen, shown


def test_the_terminal_keeps_a_line_for_each_customer(events: list[Event]) -> None:
    assert "summary: " in drawn(TerminalView, events, width=120)


def test_people_and_programs_are_told_what_moved_the_score(events: list[Event]) -> None:
    summary = events[-1]
    assert isinstance(summary, SessionSummary)
    at = summary.interval.start
    complaint = Reason(modality="voice", interval=TimeInterval(at + 4, at + 6), effect=-0.4, words="I waited an hour")
    smile = Reason(modality="face", interval=TimeInterval(at + 12, at + 13), effect=0.2, label="happy")
    told: list[Event] = [replace(summary, reasons=(complaint, smile))]
    expected = "because “I waited an hour” at 4 s -0.40; smile at 12 s +0.20"
    output = io.StringIO()
    assert text_of(LineView(output), told, output).rstrip().endswith(expected)
    assert expected in drawn(TerminalView, told, width=120)
    output = io.StringIO()
    line = json.loads(text_of(JsonView(output), told, output).splitlines()[-1])
    assert [(reason["label"], reason["words"], reason["effect"]) for reason in line["reasons"]] == [
        ("", "I waited an hour", -0.4),
        ("happy", "", 0.2),
    ]


def test_the_terminal_says_when_it_waits() -> None:
    assert "Waiting for a customer" in drawn(TerminalView, [], last=False)


def test_the_terminal_says_that_nothing_is_heard_where_no_analyzer_takes_sound(events: list[Event]) -> None:
    pictures = [event for event in events[:-1] if not (isinstance(event, Update) and event.state.utterances)]
    assert "no microphone in use" in drawn(TerminalView, pictures, last=False, hears=False)


def test_the_terminal_listens_also_with_a_modality_of_somebody_elses(make_bench: Callable[..., Bench]) -> None:
    events = make_bench(voice_modality="laughter").run([picture(0.0), picture(1.0)]).seen.events
    shown = drawn(TerminalView, events[:-1], last=False)
    assert "nothing said yet" in shown
    assert "no microphone" not in shown


@pytest.mark.parametrize("width", [40, 60, 200])
def test_the_terminal_fits_any_width(events: list[Event], width: int) -> None:
    panel = drawn(TerminalView, events[:-1], width=width, last=False).split("╭")[-1].split("╯")[0]
    rows = [row for row in panel.splitlines() if row.startswith("│")]
    assert rows
    assert len({len(row) for row in rows}) == 1
    assert len(rows[0]) <= width


def so_far(text: str, *, start: float = 0.5, redacted: bool = False) -> Partial:
    words = Transcript(text, engine="fake", is_final=False, stability=0.5, revision=1, redacted=redacted)
    said = replace(make_prediction("voice", at=start), analyzer="voice", evidence=words)
    return Partial(prediction=said)


def test_the_terminal_shows_words_while_they_are_spoken_dimmed_until_the_final_ones_come(events: list[Event]) -> None:
    words = next(index for index, event in enumerate(events) if isinstance(event, Update) and event.state.utterances)
    before, after = events[:words], events[words:-1]
    assert "“thank” …" in last_panel([*before, so_far("thank")])
    shown = last_panel([*before, so_far("thank"), *after])
    assert "“thank you”" in shown
    assert "“thank” …" not in shown
    assert "“and” …" in last_panel([*before, so_far("and", start=4.0), *after]), "the next utterance has begun"
    output = io.StringIO()
    view = TerminalView(Console(file=output, force_terminal=True), title="t", seers=frozenset(), hears=True)
    view.show(events[0], 0.0)
    view.show(so_far("thank"), 0.0)
    view.close()
    assert "\x1b[2;3m“thank” …" in output.getvalue()


def test_the_terminal_takes_words_back_and_withholds_them(events: list[Event]) -> None:
    assert "nothing said yet" in last_panel([events[0], so_far("thank"), so_far("")])
    assert "(words withheld) …" in last_panel([events[0], so_far("", redacted=True)])


def last_panel(events: list[Event]) -> str:
    return drawn(TerminalView, events, last=False).split("╭")[-1]


def test_lines_and_json_show_partial_words_where_they_are_asked_for(events: list[Event]) -> None:
    told = [events[0], so_far("thank"), so_far("")]
    output = io.StringIO()
    assert text_of(LineView(output), told, output).splitlines()[2:] == [
        "01:01  so far: “thank”",
        "01:01  so far: nothing",
    ]
    output = io.StringIO()
    line = json.loads(text_of(JsonView(output), told, output).splitlines()[1])
    assert (line["event"], line["prediction"]["evidence"]["is_final"]) == ("partial", False)


def test_the_gauge_points_where_the_score_is() -> None:
    def at(score: float) -> int:
        part = Contribution(1.0, score)
        fused = Satisfaction(
            score=score,
            interval=ScoreInterval(max(0.0, score - 0.1), min(1.0, score + 0.1)),
            confidence=1.0,
            verdict=Verdict.UNDECIDED,
            contributions={"face": part},
        )
        return gauge(fused, width=61).plain.index("◆") - len("poor ")

    assert [at(score) for score in (0.0, 0.5, 1.0)] == [0, 25, 50]
    assert "◆" not in gauge(UNKNOWN_SATISFACTION, width=61).plain, "no evidence, no pointer"
