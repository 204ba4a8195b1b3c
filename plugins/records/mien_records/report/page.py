"""The whole page: one self-contained HTML file, readable without a network, in print, and by a screen reader."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from mien import MismatchPair, __version__
from mien_records.report import cards
from mien_records.report.figures import DEFAULT_PAIRS, Figures, compute
from mien_records.report.markup import Markup, join, tag
from mien_records.report.reading import SourceFile
from mien_records.report.style import STYLE
from mien_records.report.visits import Unit, Visits
from mien_records.report.wording import count, period, visits

PROBLEMS_SHOWN: Final = 20
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""Even if something slipped through, the browser would run and fetch nothing."""
_PRIVACY: Final = (
    "This page holds no pictures, no sound and no words of customers, and loads nothing from anywhere. Scores are "
    "estimates by a computer from what showed on faces or was said; they can be wrong for any single person. Use "
    "them for groups, not to judge one customer, and never to judge staff."
)


def build_page(
    collected: Visits,
    files: Sequence[SourceFile],
    *,
    title: str,
    made_at: datetime,
    zone: tzinfo | None = None,
    pairs: Sequence[MismatchPair] = DEFAULT_PAIRS,
) -> str:
    """The report as HTML.

    Args:
        collected: The visits.
        files: Where they came from.
        title: Of the page.
        made_at: When it is made, with time zone.
        zone: Time zone for days and hours; None is this machine's.
        pairs: Groups of modalities that are held against each other.
    """
    figures = compute(collected, zone, pairs)
    body = [_header(figures, collected, title, zone), tag("main", _contents(figures, zone))]
    body.append(tag("footer", _notes(collected, files, figures, made_at, zone)))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", title),
        tag("style", Markup(STYLE)),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', body), lang='en')}\n"


def _header(figures: Figures, collected: Visits, title: str, zone: tzinfo | None) -> Markup:
    parts = []
    if collected.visits:
        parts.append(period(collected.visits[0].at, collected.visits[-1].at, zone))
        named = {visit.site for visit in collected.visits} - {""}
        if len(named) == 1:
            parts.append(next(iter(named)))
        elif named:
            parts.append(count(len(named), "site"))
        parts.append(visits(figures.visits, figures.unit))
    lead = " · ".join(parts) or "No data yet"
    return tag("header", tag("h1", title), tag("p", lead, class_="lead"))


def _contents(figures: Figures, zone: tzinfo | None) -> Markup:
    if not figures.visits:
        return _nothing()
    first = [cards.score_card(figures), cards.verdict_card(figures), *cards.tiles(figures)]
    if not figures.measured:
        return tag("div", first, cards.coverage_card(figures), class_="grid")
    several, by_hour = len(figures.sites) > 1, len(figures.hours) > 1
    return tag(
        "div",
        first,
        cards.time_card(figures, zone),
        cards.hour_card(figures, wide=not several) if by_hour else None,
        cards.site_card(figures, wide=not by_hour) if several else None,
        cards.emotion_card(figures),
        cards.stream_card(figures),
        cards.peak_end_card(figures),
        cards.coverage_card(figures),
        cards.noteworthy_card(figures, zone),
        class_="grid",
    )


def _nothing() -> Markup:
    return tag(
        "div",
        tag(
            "section",
            tag("h2", "There is nothing to report yet"),
            tag("p", "The files hold no session and no analysis. Records are written where the configuration says so:"),
            tag("pre", '[plugins.records.jsonl]\npath = "records.jsonl"'),
            tag("p", "or by “mien analyze PICTURES --json > records.jsonl”.", class_="soft"),
            class_="card wide",
        ),
        class_="grid",
    )


def _notes(
    collected: Visits, files: Sequence[SourceFile], figures: Figures, made_at: datetime, zone: tzinfo | None
) -> Markup:
    local = made_at.astimezone(zone)
    made = (
        f"Made {local:%Y-%m-%d %H:%M} {local.tzname() or ''} with mien {__version__}; days and hours are in that zone."
    )
    bad = sum(file.bad for file in files)
    read = f"{count(sum(file.records for file in files), 'record')} from {count(len(files), 'file')}."
    left_out = [
        (collected.duplicates, "record was there twice and counts once", "records were there twice and count once"),
        (
            collected.unfinished,
            "session has no summary and is not counted",
            "sessions have no summary and are not counted",
        ),
        (
            collected.outside,
            "analysis outside of a session is not counted",
            "analyses outside of sessions are not counted",
        ),
        (collected.failures, "input could not be analysed", "inputs could not be analysed"),
        (bad, "line could not be read and was skipped", "lines could not be read and were skipped"),
        (collected.with_words, "record holds what a customer said", "records hold what customers said"),
    ]
    notes = [
        tag("li", _scale_note(figures)),
        tag("li", read),
        *(tag("li", f"{count(number, one, many)}.") for number, one, many in left_out if number),
        tag("li", made),
    ]
    problems = [problem for file in files for problem in file.problems]
    return join(
        tag(
            "div",
            _problems(problems),
            _text_card("Privacy", _PRIVACY),
            _text_card("About the data", notes),
            class_="grid",
        )
    )


def _scale_note(figures: Figures) -> str:
    what = "sessions" if figures.unit is Unit.SESSION else "single analyses, since no session was recorded"
    return f"A visit in this report is one of the {what}; a score of 50 says nothing either way."


def _text_card(title: str, content: str | list[Markup]) -> Markup:
    inner = tag("p", content) if isinstance(content, str) else tag("ul", content, class_="notes")
    return tag("section", tag("h2", title), inner, class_="card")


def _problems(problems: Sequence[str]) -> Markup | None:
    if not problems:
        return None
    shown = [tag("li", problem) for problem in problems[:PROBLEMS_SHOWN]]
    if len(problems) > PROBLEMS_SHOWN:
        shown.append(tag("li", f"and {len(problems) - PROBLEMS_SHOWN:,} more"))
    return tag(
        "section",
        tag("h2", "Not everything could be read"),
        tag("ul", shown, class_="notes"),
        class_="card wide warning",
    )
