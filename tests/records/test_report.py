"""``mien report``: one page that loads nothing, escapes everything, and is there also where there is little to say."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer
from records.support import NOON, analysis_record, satisfaction, summary_record
from typer.testing import CliRunner, Result

import mien_records.plugin
from mien import UNKNOWN_SATISFACTION, Failure, FailureRecord, Record, SummaryRecord, Verdict, records
from mien.kiosk.view import JsonView
from mien.live import Notice, NoticeKind, Started
from mien.plugins.host import PluginHost
from mien_records.database import SqliteFile
from mien_records.report.page import Options, build_page
from mien_records.report.visits import collect
from mien_records.settings import SqliteSettings

ATTACK = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\" onload='alert(3)"


def app() -> typer.Typer:
    made = typer.Typer()
    made.command("other")(lambda: None)  # so that report is a subcommand
    PluginHost.from_plugins({"records": mien_records.plugin}).register_commands(made)
    return made


def report(*arguments: object) -> Result:
    return CliRunner().invoke(app(), ["report", *map(str, arguments)])


def write(path: Path, *found: Record) -> Path:
    path.write_text("".join(f"{records.to_json(record)}\n" for record in found), encoding="utf-8")
    return path


def page_of(*found: Record) -> str:
    return build_page(collect(found)[0], [], Options(title="Shops", made_at=NOON, zone=UTC, single_visits=True))


class Outline(HTMLParser):
    """Checks that elements nest, and keeps what a browser would load, run or show."""

    VOID = frozenset({"meta", "br", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if "style" not in self.open else ""


def outline(page: str) -> Outline:
    found = Outline()
    found.feed(page)
    found.close()
    assert found.open == []
    return found


def busy(number: int, *, voice: bool) -> list[SummaryRecord]:
    streams = {"face": 0.6, "voice": 0.4} if voice else {"face": 1.0}
    verdicts = list(Verdict)
    return [
        summary_record(
            session_id=f"s{n}",
            site=f"Site {n % 3}",
            hours=n * 1.7,
            overall=satisfaction(0.3 + 0.5 * (n % 7) / 7, verdict=verdicts[n % 3], streams=streams),
            mismatches=int(voice and n % 10 == 0),
            rating=n % 6,
        )
        for n in range(number)
    ]


CASES: dict[str, list[Record]] = {
    "nothing": [],
    "one": [*busy(1, voice=False)],
    "twenty_faces": [*busy(20, voice=False)],
    "twenty_both": [*busy(20, voice=True)],
    "many": [*busy(700, voice=True)],
    "nobody_ever": [summary_record(overall=UNKNOWN_SATISFACTION)],
    "analyses": [analysis_record(seconds=n) for n in range(12)],
    "failures_only": [FailureRecord(recorded_at=NOON, failure=Failure(error="InputError", message="no"))],
    "many_sites": [summary_record(site=f"A very long name of a shop, number {n}", hours=n) for n in range(40)],
    "one_moment": [summary_record(session_id=f"s{n}") for n in range(50)],
}


@pytest.mark.parametrize("name", CASES)
def test_the_page_is_well_formed_and_refers_to_nothing_outside(name: str) -> None:
    page = page_of(*CASES[name])
    found = outline(page)
    assert not {"script", "link", "img", "iframe", "object", "base", "form", "a", "use"} & set(found.tags)
    assert not {attribute for attribute, _ in found.attributes} & {"src", "href", "style", "srcset", "action"}
    assert not re.search(r"https?:|//|@import|url\(", page)
    assert "nan" not in re.sub(r"[^\d.a-z-]", " ", page).split()
    assert "default-src 'none'" in page.replace("&#x27;", "'")


@pytest.mark.parametrize("name", ["twenty_faces", "twenty_both", "many", "analyses"])
def test_every_picture_has_words_for_those_who_do_not_see_it(name: str) -> None:
    found = outline(page_of(*CASES[name]))
    labels = [value for attribute, value in found.attributes if attribute == "aria-label"]
    assert len(labels) == found.tags.count("svg") > 3
    assert all(len(label) > 15 for label in labels)


def test_no_drawing_is_wider_than_its_place() -> None:
    """Every drawing is as wide as its cell, and every place in it a share of that, so that a phone cuts nothing off."""
    page = page_of(*CASES["many"])
    assert page.count('<svg width="100%"') == page.count("<svg")
    assert "min-width" not in page
    for place in re.findall(r' (?:x|x1|x2|cx|width)="([^"]+)"', page.split("<main>")[1].split("</main>")[0]):
        assert place == "0" or (place.endswith("%") and 0.0 <= float(place[:-1]) <= 100.0)


def test_the_headline_is_the_share_of_good_visits_among_the_decided() -> None:
    records = [
        summary_record(session_id=f"s{n}", hours=n, overall=satisfaction(0.6, verdict=verdict))
        for n, verdict in enumerate([Verdict.GOOD] * 15 + [Verdict.POOR] * 5 + [Verdict.UNDECIDED] * 20)
    ]
    text = outline(page_of(*records)).text
    assert "75 %" in text
    assert "20 of 40 visits were decided. With 90 % certainty the share lies between 57 to 87 %." in text
    assert "covers chance only" in text
    assert "Good: 15 (38 %)" in text
    assert "The mean score is 0.60" in text, "one scale, that of mien everywhere"


def test_taps_say_what_all_customers_would() -> None:
    records = [
        summary_record(
            session_id=f"s{n}", hours=n / 10, overall=satisfaction(0.8 if n % 4 else 0.3), rating=5 if n % 4 else 1
        )
        if n % 5 == 0
        else summary_record(session_id=f"s{n}", hours=n / 10, overall=satisfaction(0.8 if n % 4 else 0.3))
        for n in range(200)
    ]
    text = outline(page_of(*records)).text
    assert "40 customers of 200 tapped a rating (20 %); 75 % of them" in text
    assert "Of all customers, 75 %" in text
    assert "covers errors of reading" in text
    assert "readings may be too kind" in text, "all were read as good"


def test_nothing_is_shown_of_few_visits_and_no_single_one_unless_asked() -> None:
    text = outline(page_of(*busy(9, voice=True))).text
    assert "Nothing is shown of fewer than 10" in text
    assert "%" not in text.split("About the data")[0]
    shown = build_page(collect(busy(30, voice=True))[0], [], Options(made_at=NOON, zone=UTC))
    assert "Single visits" not in shown
    assert "s21" not in shown
    assert "nothing of fewer than 10 visits" in shown


def test_words_are_shown_only_where_that_is_asked_for(tmp_path: Path) -> None:
    visits = [
        summary_record(session_id=f"{hour}-{n}", hours=hour + n / 100, overall=satisfaction(0.3, verdict=verdict))
        for hour, verdict in ((0, Verdict.POOR), (5, Verdict.GOOD))
        for n in range(12)
    ]
    said = [
        analysis_record("terribly slow", session_id=each.session_id, seconds=n) for n, each in enumerate(visits[:12])
    ]
    path = write(tmp_path / "r.jsonl", *visits, *said)
    assert report(path, "--html", tmp_path / "a.html").exit_code == 0
    assert report(path, "--html", tmp_path / "b.html", "--words").exit_code == 0
    assert "slow" not in (tmp_path / "a.html").read_text()
    assert "“slow” (12)" in (tmp_path / "b.html").read_text()


def test_a_week_is_held_against_the_four_before_it(tmp_path: Path) -> None:
    def week(number: int, good: int) -> list[Record]:
        verdicts = [Verdict.GOOD] * good + [Verdict.POOR] * (20 - good)
        return [
            summary_record(
                session_id=f"{number}-{n}", hours=168 * number + n / 100, overall=satisfaction(verdict=verdict)
            )
            for n, verdict in enumerate(verdicts)
        ]

    path = write(tmp_path / "r.jsonl", *week(0, 18), *week(1, 19), *week(2, 6))
    options = ("--html", tmp_path / "r.html", "--visits-csv", tmp_path / "r.csv", "--timezone", "UTC")
    done = report(path, *options, "--week-of", "2026-11-18")
    assert (done.exit_code, done.output) == (0, "")
    text = outline((tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert "16 Nov 2026 · 20 visits" in text
    assert "▼ Falling" in text
    assert "below the 4 weeks before" in text
    assert len((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()) == 21
    assert report(path, *options, "--week").exit_code == 0
    assert "expected a day" in report(path, *options, "--week-of", "soon").stderr


def test_what_a_kiosk_printed_is_read(tmp_path: Path) -> None:
    view = JsonView(output := io.StringIO())
    view.show(Started(session_id="a", analyzers=("face",), expected_modalities=("face",)), 0.0)
    view.show(Notice(kind=NoticeKind.STREAM, message="hm", at=0.0), 0.0)
    view.show(summary_record(session_id="a").summary, 1.0)
    path = tmp_path / "kiosk.jsonl"
    path.write_text(
        output.getvalue() + '{"event": "summary", "recorded_at": "2026-11-02T12:00:00Z"}\n', encoding="utf-8"
    )
    done = report(path, "--visits-csv", tmp_path / "r.csv")
    assert "line 4: no summary of a kiosk" in done.stderr
    assert len((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()) == 2


def test_the_figures_are_there_as_a_table_too(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", *busy(60, voice=True))
    assert report(path, "--csv", tmp_path / "r.csv", "--timezone", "UTC").exit_code == 0
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()))
    (whole,) = [row for row in rows if row["part"] == "csat"]
    assert (whole["visits"], whole["decided"], whole["share"]) == ("60", "40", "0.5000")
    assert {row["name"] for row in rows if row["part"] == "site"} == {"Site 0", "Site 1", "Site 2"}
    assert not [row for row in rows if row["part"] == "hour" and int(row["visits"]) < 10]
    few = write(tmp_path / "few.jsonl", *busy(9, voice=True))
    assert report(few, "--csv", tmp_path / "few.csv").exit_code == 0
    assert len((tmp_path / "few.csv").read_text(encoding="utf-8").splitlines()) == 1


def test_the_page_explains_undecided_and_privacy() -> None:
    text = outline(page_of(*busy(20, voice=True))).text
    assert "Undecided is an answer" in text
    assert "never to judge staff" in text


def test_without_data_the_page_says_how_to_get_some() -> None:
    assert "nothing to report yet" in page_of()


def test_a_single_stream_is_named_and_mismatches_are_not_claimed() -> None:
    text = outline(page_of(*busy(20, voice=False))).text
    assert "Only faces took part" in text
    assert "No visit had both a face and words" in text


def test_nothing_from_outside_becomes_part_of_the_page(tmp_path: Path) -> None:
    attack = summary_record(
        session_id=ATTACK,
        site=ATTACK,
        overall=satisfaction(0.2, verdict=Verdict.POOR, streams={ATTACK: 1.0}),
        emotions={ATTACK: 100.0},
    )
    others = [replace(attack, session_id=f"{ATTACK}{n}") for n in range(12)]
    path = write(tmp_path / "<script>alert(4)<", attack, *others, summary_record(site="B", hours=1))
    with path.open("a") as file:
        file.write('{"kind": "<script>alert(5)</script>"}\n')
    done = report(path, "--html", tmp_path / "page.html", "--title", ATTACK, "--single-visits")
    assert done.exit_code == 1
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    found = outline(page)
    assert "script" not in found.tags
    assert "img" not in found.tags
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert found.text.count("<script>alert(1)") >= 3, "it is shown, as text"


def test_characters_that_hide_others_are_made_visible() -> None:
    poor = summary_record(session_id="a\u202eb\x00c", overall=satisfaction(0.2, verdict=Verdict.POOR))
    page = page_of(poor, *busy(20, voice=False))
    assert "\u202e" not in page
    assert "\x00" not in page
    assert "a�b�c" in page


def test_json_lines_and_databases_are_read_and_what_is_there_twice_counts_once(tmp_path: Path) -> None:
    lines = write(tmp_path / "r.jsonl", summary_record(session_id="a"), summary_record(session_id="b"))
    sink = SqliteFile(SqliteSettings(path=tmp_path / "r.db"))
    sink.write(summary_record(session_id="b"))
    sink.write(summary_record(session_id="c"))
    sink.close()
    done = report(lines, tmp_path / "r.db", "--html", tmp_path / "r.html", "--visits-csv", tmp_path / "r.csv")
    assert (done.exit_code, done.output) == (0, "")
    text = outline((tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert "3 visits" in text
    assert "1 record was there twice and counts once" in text
    assert len((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()) == 4


def test_what_cannot_be_read_is_named_and_the_rest_finished(tmp_path: Path) -> None:
    good = write(tmp_path / "good.jsonl", summary_record())
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\n" * 8)
    done = report(good, bad, tmp_path / "gone.jsonl", tmp_path, "--html", tmp_path / "r.html")
    assert done.exit_code == 1
    assert "bad.jsonl, line 1: no record of schema version 1" in done.stderr
    assert "bad.jsonl: 3 more that are no records" in done.stderr
    assert "gone.jsonl: cannot be read: No such file" in done.stderr
    assert "Is a directory" in done.stderr
    assert "Traceback" not in done.output
    text = outline((tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert "1 visit" in text
    assert "8 lines could not be read and were skipped" in text


def test_an_empty_file_is_no_failure(tmp_path: Path) -> None:
    done = report(write(tmp_path / "empty.jsonl"), "--html", tmp_path / "r.html")
    assert done.exit_code == 0
    assert "nothing to report yet" in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"), [((), "--html FILE"), (("--html", "x", "--timezone", "Mars/Base"), "no time zone")]
)
def test_wrong_usage_is_told(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    done = report(write(tmp_path / "r.jsonl"), *options)
    assert done.exit_code == 2
    assert message in done.stderr
