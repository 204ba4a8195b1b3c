"""The whole page: one self-contained HTML file, readable without a network, in print, and by a screen reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from mien import MismatchPair, __version__
from mien_records.report import cards
from mien_records.report.alerts import Calibration, alerts
from mien_records.report.figures import DEFAULT_PAIRS, Figures, compute
from mien_records.report.grouping import MIN_CELL
from mien_records.report.markup import Markup, join, tag
from mien_records.report.reading import SourceFile
from mien_records.report.style import STYLE
from mien_records.report.visits import Unit, Visit, Visits
from mien_records.report.wording import count, period, visits

PROBLEMS_SHOWN: Final = 20
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""Even if something slipped through, the browser would run and fetch nothing."""
_PRIVACY: Final = (
    "Scores are estimates by a computer from what showed on faces or was said; they can be wrong for any single "
    "person. Use them for groups, not to judge one customer, and never to judge staff."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a page is made.

    Attributes:
        title: Of the page.
        made_at: When it is made, with time zone.
        zone: Time zone for days and hours; None is this machine's.
        pairs: Groups of modalities that are held against each other.
        before: Earlier visits, to compare with.
        against: What ``before`` is called.
        with_words: Show words that several visits had.
        single_visits: Show single visits to the minute.
        calibration: The one in use, where the configuration dates it.
    """

    title: str = "Customer satisfaction"
    made_at: datetime
    zone: tzinfo | None = None
    pairs: Sequence[MismatchPair] = DEFAULT_PAIRS
    before: Sequence[Visit] = ()
    against: str = "the earlier half of the period"
    with_words: bool = False
    single_visits: bool = False
    calibration: Calibration | None = None


def reported(collected: Visits, options: Options) -> tuple[Figures, list[str]]:
    """The figures of a report, and its alerts."""
    figures = compute(collected, options.zone, options.pairs, before=options.before)
    every = [*options.before, *collected.visits]
    told = alerts(figures, visits=every, zone=options.zone, now=options.made_at, calibration=options.calibration)
    return figures, told


def build_page(collected: Visits, files: Sequence[SourceFile], options: Options) -> str:
    """The report as HTML.

    Args:
        collected: The visits.
        files: Where they came from.
        options: How it is made.
    """
    figures, told = reported(collected, options)
    body = [_header(figures, collected, options), tag("main", _contents(figures, told, options))]
    body.append(tag("footer", _notes(collected, files, figures, options)))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", options.title),
        tag("style", Markup(STYLE)),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', body), lang='en')}\n"


def _header(figures: Figures, collected: Visits, options: Options) -> Markup:
    parts = []
    if collected.visits:
        parts.append(period(collected.visits[0].at, collected.visits[-1].at, options.zone))
        named = {visit.site for visit in collected.visits} - {""}
        if len(named) == 1:
            parts.append(next(iter(named)))
        elif named:
            parts.append(count(len(named), "site"))
        parts.append(visits(figures.visits, figures.unit))
    lead = " · ".join(parts) or "No data yet"
    return tag("header", tag("h1", options.title), tag("p", lead, class_="lead"))


def _contents(figures: Figures, told: Sequence[str], options: Options) -> Markup:
    if not figures.visits:
        return _nothing()
    if not figures.is_shown:
        return _too_few(figures)
    first = join(cards.alert_card(told), cards.csat_card(figures, options.against), cards.verdict_card(figures))
    if not figures.measured:
        return tag("div", first, cards.coverage_card(figures), class_="grid")
    return tag(
        "div",
        first,
        cards.week_card(figures),
        cards.span_card(figures),
        cards.hour_card(figures),
        cards.site_card(figures) if len(figures.sites.shown) + figures.sites.hidden > 1 else None,
        cards.tap_card(figures),
        cards.phase_card(figures),
        cards.extreme_card(figures, with_words=options.with_words),
        cards.emotion_card(figures),
        cards.stream_card(figures),
        cards.coverage_card(figures),
        cards.noteworthy_card(figures, options.zone) if options.single_visits else None,
        class_="grid",
    )


def _too_few(figures: Figures) -> Markup:
    said = (
        f"There are {visits(figures.visits, figures.unit)}. Nothing is shown of fewer than {MIN_CELL}: single people "
        "could be found again in the figures, and chance would decide them."
    )
    card = tag("section", tag("h2", "Too few visits for a report"), tag("p", said), class_="card wide")
    return tag("div", card, class_="grid")


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


def _notes(collected: Visits, files: Sequence[SourceFile], figures: Figures, options: Options) -> Markup:
    local = options.made_at.astimezone(options.zone)
    made = (
        f"Made {local:%Y-%m-%d %H:%M} {local.tzname() or ''} with mien {__version__}; days and hours are in that zone."
    )
    bad = sum(file.bad for file in files)
    read = f"{count(sum(file.records for file in files), 'record')} from {count(len(files), 'file')}."
    left_out = [
        (collected.duplicates, "record was there twice and counts once", "records were there twice and count once"),
        (
            collected.passers,
            "session of somebody who walked by is no visit",
            "sessions of people who walked by are no visits",
        ),
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
            _text_card("Privacy", _privacy(options)),
            _text_card("About the data", notes),
            class_="grid",
        )
    )


def _scale_note(figures: Figures) -> str:
    what = (
        "A visit is a session, one customer followed from coming to leaving"
        if figures.unit is Unit.SESSION
        else "A visit in this report is a single analysis, since no session was recorded"
    )
    return f"{what}. CSAT is the share of good visits among the decided; a score of 0.50 says nothing either way."


def _privacy(options: Options) -> str:
    words = "words that at least three visits of an hour had" if options.with_words else "no words of customers"
    single = "single visits to the minute" if options.single_visits else f"nothing of fewer than {MIN_CELL} visits"
    return f"This page holds no pictures and no sound, {words} and {single}; it loads nothing from anywhere. {_PRIVACY}"


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
