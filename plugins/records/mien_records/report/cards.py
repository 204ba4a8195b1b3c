"""The parts of the page, each a card: a title, a sentence that says what there is to see, and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from mien import Modality, Verdict
from mien_records.report import charts
from mien_records.report.charts import Row
from mien_records.report.figures import Figures, Shares
from mien_records.report.grouping import MIN_CELL, Cell, Cells
from mien_records.report.hours import Hour
from mien_records.report.intervals import Estimate
from mien_records.report.markup import Content, Markup, tag
from mien_records.report.taps import MIN_TAPS
from mien_records.report.visits import Visit
from mien_records.report.wording import (
    NOTHING,
    VERDICT_WORDS,
    are_face_and_words,
    certainty,
    change,
    count,
    interval,
    moment,
    odds,
    percent,
    percentage,
    score,
    stream,
    visits,
    why_noteworthy,
)

_EMOTIONS_SHOWN: Final = 8


def alert_card(found: Sequence[str]) -> Markup | None:
    """What somebody should do something about."""
    if not found:
        return None
    return _card(
        "To look into", tag("ul", [tag("li", each) for each in found], class_="notes"), wide=True, warning=True
    )


def csat_card(figures: Figures, against: str) -> Markup:
    """The one number, what it rests on, and what its certainty covers."""
    title = "Customer satisfaction (CSAT)"
    found = figures.csat
    if found is None:
        few = f"Fewer than {MIN_CELL} visits were decided, so there is no figure."
        return _card(title, tag("p", few, class_="meaning"), tag("p", certainty(figures), class_="soft"))
    said = change(figures.change, against=against)
    entries = [Row("read as good", found, f"{found.count:,}")]
    taps = figures.taps
    if taps is not None and taps.own.count >= MIN_CELL:
        entries.append(Row("tapped 4 or 5", taps.own, f"{taps.own.count:,}"))
        if taps.everybody is not None:
            entries.append(Row("would tap 4 or 5", taps.everybody, f"{taps.visits:,}"))
    return _card(
        title,
        tag("div", percentage(found.mean), class_="number"),
        tag("p", "of the decided visits were good", class_="meaning"),
        tag(
            "p",
            f"{found.count:,} of {visits(figures.visits, figures.unit)} were decided. With 90 % certainty the share "
            f"lies between {interval(found)} %.",
        ),
        charts.rows(title, entries, note="of"),
        tag("p", certainty(figures), class_="soft"),
        tag("p", said, class_="trend") if said else None,
    )


def verdict_card(figures: Figures) -> Markup:
    """How many were good, undecided and poor, and what undecided means."""
    counts = [(verdict, figures.verdicts[verdict]) for verdict in VERDICT_WORDS]
    legend = [(v.value, f"{VERDICT_WORDS[v]}: {n:,} ({percent(n, figures.visits)})") for v, n in counts]
    undecided = figures.verdicts[Verdict.UNDECIDED]
    return _card(
        "Verdicts",
        charts.stacked("Verdicts", [(v.value, VERDICT_WORDS[v], float(n)) for v, n in counts]),
        _legend(legend),
        tag(
            "p",
            tag("strong", "Undecided is an answer, not a fault. "),
            "It is given where too little was seen or heard, where the score lies in the middle, or where the evidence "
            f"points both ways. It means “cannot be told”, neither good nor poor. Here that is "
            f"{percent(undecided, figures.visits)} of {visits(figures.visits, figures.unit)}.",
            class_="soft",
        ),
        tag("p", _mean_score(figures), class_="soft"),
    )


def tap_card(figures: Figures) -> Markup:
    """What customers tapped, and what it says of all."""
    title = "Ratings by customers"
    taps = figures.taps
    if taps is None or taps.own.count < MIN_CELL:
        said = f"Fewer than {MIN_CELL} customers tapped a rating. With {MIN_TAPS}, readings can be held to them."
        return _card(title, tag("p", said, class_="soft"))
    parts: list[Content] = [
        tag(
            "p",
            f"{count(taps.own.count, 'customer')} of {taps.visits:,} tapped a rating "
            f"({percent(taps.own.count, taps.visits)}); {percentage(taps.own.mean)} of them ({interval(taps.own)}) "
            "tapped 4 or 5.",
        )
    ]
    if taps.everybody is not None:
        parts.append(
            tag(
                "p",
                tag(
                    "strong",
                    f"Of all customers, {percentage(taps.everybody.mean)} ({interval(taps.everybody)}) would. ",
                ),
                f"That rests on the taps, and on the scores of all visits as far as they agree with the taps; it is "
                f"worth {taps.gain:.1f} times as many taps alone.",
            )
        )
    parts.append(tag("p", "Both ask that those who tap are like those who do not.", class_="soft"))
    return _card(title, *parts)


def span_card(figures: Figures) -> Markup:
    """CSAT by stretches of time."""
    return _cells_card(
        "Over time", "CSAT of each stretch with its 90 % interval.", figures.spans, kind="stretch", wide=True
    )


def week_card(figures: Figures) -> Markup | None:
    """CSAT by week."""
    if not figures.weeks.shown:
        return None
    return _cells_card("By week", "CSAT of each week, Monday to Sunday.", figures.weeks, kind="week", wide=True)


def hour_card(figures: Figures) -> Markup:
    """CSAT by hour of the day."""
    return _cells_card("By hour of the day", "CSAT of visits that ended in that hour.", figures.hours, kind="hour")


def site_card(figures: Figures) -> Markup:
    """CSAT by place."""
    return _cells_card("By site", "CSAT of each place, the best first.", figures.sites, kind="site")


def phase_card(figures: Figures) -> Markup | None:
    """CSAT by phase of a visit."""
    if not figures.phases.shown:
        return None
    sentence = "CSAT of what happened between two markers, such as before and after paying."
    return _cells_card("By phase of the visit", sentence, figures.phases, kind="phase", compares=False)


def extreme_card(figures: Figures, *, with_words: bool) -> Markup | None:
    """The worst and the best hours of the week, with what several customers said where that is allowed."""
    hours = [*figures.worst, *figures.best]
    if not hours:
        return None
    entries = [_hour_row(hour) for hour in hours]
    said = (
        "Hours of the week with the lowest and the highest CSAT. Of many hours some lie low by chance; a coloured one "
        "does not."
    )
    parts: list[Content] = [tag("p", said, class_="soft"), charts.rows("Worst and best hours", entries)]
    if with_words:
        heard = [tag("li", f"{hour.cell.name}: {_heard(hour)}") for hour in hours if hour.words]
        note = tag("p", "Words of at least three visits of the hour:", class_="soft") if heard else None
        parts += [
            note,
            tag("ul", heard, class_="notes")
            if heard
            else tag("p", "No word was said in three of their visits, or words are not recorded.", class_="soft"),
        ]
    return _card("Worst and best hours", *parts, wide=True)


def emotion_card(figures: Figures) -> Markup:
    """Shares of emotions."""
    title = "Expressions"
    others = {modality: shares for modality, shares in figures.modality_emotions.items() if modality != Modality.FACE}
    if not figures.emotions and not any(others.values()):
        return _card(title, tag("p", f"Fewer than {MIN_CELL} visits have any.", class_="soft"))
    sentence = "How often each expression was read, averaged over visits. It is what showed, not what was felt."
    parts: list[Content] = [tag("p", sentence, class_="soft")]
    if figures.emotions:
        parts.append(_emotion_rows(title, figures.emotions))
    for modality, shares in others.items():
        if shares and shares != figures.emotions:  # where no face was seen, they are these
            parts += [tag("p", stream(modality), class_="soft"), _emotion_rows(stream(modality), shares)]
    return _card(title, *parts)


def stream_card(figures: Figures) -> Markup:
    """What the score rests on."""
    title = "What the score rests on"
    streams = figures.streams
    if not streams:
        return _card(title, tag("p", f"No stream took part in {MIN_CELL} visits.", class_="soft"))
    styles = _styles([each.modality for each in streams])
    legend = [
        (styles[each.modality], f"{stream(each.modality)}: {percent(each.weight, 1.0)} of the score")
        for each in streams
    ]
    header = _row("th", "", "took part in", "own score")
    body = [_row("td", stream(s.modality), percent(s.took_part, 1.0), score(s.score)) for s in streams]
    only = f"Only {stream(streams[0].modality).lower()} took part. " if len(streams) == 1 else ""
    return _card(
        title,
        tag("p", f"{only}Each stream counts by its weight and by how sure it is.", class_="soft"),
        charts.stacked(title, [(styles[s.modality], stream(s.modality), s.weight) for s in streams]),
        _legend(legend),
        tag("table", tag("thead", header), tag("tbody", body)),
    )


def coverage_card(figures: Figures) -> Markup:
    """How much evidence arrived, and how often two sides of it disagreed."""
    coverage = figures.coverage
    if coverage is None:
        return _card("How complete the evidence is", tag("p", "There is none.", class_="soft"))
    parts = [
        ("full", "All expected evidence", coverage.full),
        ("partial", "A part of it", coverage.partial),
        ("none", "Nobody seen or heard", coverage.none),
    ]
    return _card(
        "How complete the evidence is",
        charts.stacked("Evidence", [(style, name, float(number)) for style, name, number in parts]),
        _legend([(style, f"{name}: {number:,}") for style, name, number in parts if number]),
        tag("p", tag("strong", "Mismatches. "), _mismatches(figures), class_="soft"),
    )


def noteworthy_card(figures: Figures, zone: tzinfo | None) -> Markup:
    """Single visits, for who asked for them."""
    title = "Single visits"
    sides = odds(figures.compared)
    if not figures.noteworthy:
        return _card(title, tag("p", f"No visit was poor, and none had {sides} disagree.", class_="soft"), wide=True)
    body = [
        _row(
            "td",
            moment(visit.at, zone),
            visit.site or NOTHING,
            visit.session_id or visit.source or NOTHING,
            _scored(visit),
            why_noteworthy(visit, figures.compared),
            numbers=(),
        )
        for visit in figures.noteworthy
    ]
    header = _row("th", "when", "site", "session", "score", "why", numbers=())
    sentence = (
        f"The lowest of the poor visits and of those where {sides} disagree. With a time to the minute somebody could "
        "be found again: keep this page to those who need it, and never judge staff by it."
    )
    table = tag("table", tag("thead", header), tag("tbody", body))
    return _card(title, tag("p", sentence, class_="soft"), tag("div", table, class_="scroll"), wide=True)


def _mean_score(figures: Figures) -> str:
    found = figures.score
    if found is None:
        return ""
    lies = f"{score(found.mean)} ({score(found.low)} to {score(found.high)})"
    said = f"The mean score is {lies}; 0.50 says nothing either way."
    remembered = figures.peak_end
    return (
        said
        if remembered is None
        else f"{said} The mean peak-end score, which is what people remember, is {score(remembered)}."
    )


def _mismatches(figures: Figures) -> str:
    sides = odds(figures.compared)
    if not figures.mismatch_possible:
        both = "a face and words" if are_face_and_words(figures.compared) else sides
        return f"No visit had both {both}, so none could be seen to disagree."
    example = ", such as a polite smile over a complaint" if are_face_and_words(figures.compared) else ""
    share = percent(figures.mismatched, figures.mismatch_possible)
    return f"In {share} of the visits with both, {sides} pointed opposite ways{example}."


def _cells_card(
    title: str, sentence: str, cells: Cells, *, kind: str, wide: bool = False, compares: bool = True
) -> Markup:
    parts: list[Content] = [tag("p", sentence, class_="soft")]
    if cells.shown:
        parts.append(charts.rows(title, [_cell_row(cell) for cell in cells.shown]))
    if compares and sum(cell.csat is not None for cell in cells.shown) > 1:
        parts.append(tag("p", _comparison(cells, kind), class_="soft"))
    if cells.hidden:
        parts.append(
            tag(
                "p",
                f"{count(cells.hidden, kind, kind + ('es' if kind.endswith('h') else 's'))} with fewer than {MIN_CELL} "
                f"visits ({count(cells.hidden_visits, 'visit')} together) not shown.",
                class_="soft",
            )
        )
    return _card(title, *parts, wide=wide)


def _comparison(cells: Cells, kind: str) -> str:
    told = [f"{cell.name} is {_points_apart(cell.apart)} the others" for cell in cells.shown if cell.apart is not None]
    if not told:
        return f"No {kind} differs from the others beyond chance."
    return f"Beyond chance, all comparisons taken together: {'; '.join(told)}."


def _points_apart(apart: Estimate) -> str:
    return f"{abs(100 * apart.mean):.0f} points {'above' if apart.mean > 0 else 'below'}"


def _scored(visit: Visit) -> str:
    ends = visit.satisfaction.interval
    return f"{score(visit.score)} ({score(ends.low)} to {score(ends.high)})"


def _cell_row(cell: Cell) -> Row:
    style = "" if cell.apart is None else "high" if cell.apart.mean > 0 else "low"
    return Row(cell.name, cell.csat, f"{cell.csat.count:,}" if cell.csat else "", style)


def _hour_row(hour: Hour) -> Row:
    return _cell_row(hour.cell)


def _heard(hour: Hour) -> str:
    return ", ".join(f"“{word}” ({number})" for word, number in hour.words)


def _emotion_rows(title: str, emotions: Shares) -> Markup:
    shown = emotions[:_EMOTIONS_SHOWN]
    return charts.rows(title, [Row(name, _point(share / 100.0)) for name, share in shown], note="")


def _point(share: float) -> Estimate:
    return Estimate(share, share, share, 0)


def _card(title: str, *contents: Content, wide: bool = False, warning: bool = False) -> Markup:
    style = " ".join(["card", *(["wide"] if wide else []), *(["warning"] if warning else [])])
    return tag("section", tag("h2", title), *contents, class_=style)


def _legend(entries: Sequence[tuple[str, str]]) -> Markup:
    return tag("ul", [tag("li", tag("i", class_=style), text) for style, text in entries], class_="legend")


def _row(kind: str, *cells: str, numbers: Sequence[int] = (1, 2, 3)) -> Markup:
    return tag("tr", [tag(kind, cell, class_="n" if index in numbers else None) for index, cell in enumerate(cells)])


def _styles(modalities: Sequence[str]) -> dict[str, str]:
    """Modality -> class; neighbours of those that have none of their own differ."""
    own = {modality: modality for modality in modalities if modality in set(Modality)}
    others = [modality for modality in modalities if modality not in own]
    return own | {modality: "another" if index % 2 else "other" for index, modality in enumerate(others)}
