"""The parts of the page, each a card: a title, a sentence that says what there is to see, a chart, and its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from mien import Modality, Verdict
from mien_records.report import charts
from mien_records.report.charts import Mark
from mien_records.report.figures import Estimate, Figures, Shares
from mien_records.report.markup import Content, Markup, tag
from mien_records.report.timeline import Grain
from mien_records.report.visits import Visit
from mien_records.report.wording import (
    NOTHING,
    VERDICT_WORDS,
    are_face_and_words,
    explanation,
    headline,
    interval,
    moment,
    odds,
    percent,
    points,
    stream,
    trend,
    visits,
    why_noteworthy,
)

_SCATTER: Final = 30
"""Up to so many visits are shown one by one."""
_TICKS: Final = 7
_NAME_LENGTH: Final = 20
_EMOTIONS_SHOWN: Final = 8
_JOINED: Final = {Grain.HOUR: 3, Grain.DAY: 3, Grain.WEEK: 2, Grain.MONTH: 2}
"""Points of a line are joined where at most one span between them is empty, or for hours and days two."""


def score_card(figures: Figures) -> Markup:
    """The one number, and what it means."""
    score = figures.headline
    if score is None:
        return _card("Satisfaction", tag("p", "Nobody was seen or heard, so there is no score.", class_="meaning"))
    unsure = score.low <= 0.5 <= score.high
    style = "unsure" if unsure else "high" if score.mean > 0.5 else "low"
    change = trend(figures.trend)
    return _card(
        "Satisfaction",
        tag("div", points(score.mean), tag("small", " out of 100"), class_=f"number {style}"),
        tag("p", headline(score), ".", class_="meaning"),
        charts.gauge(score),
        tag("p", explanation(figures, score), class_="soft"),
        tag("p", change, class_="trend") if change else None,
    )


def verdict_card(figures: Figures) -> Markup:
    """How many were good, undecided and poor, and what undecided means."""
    counts = [(verdict, figures.verdicts[verdict]) for verdict in VERDICT_WORDS]
    legend = [(v.value, f"{VERDICT_WORDS[v]}: {n:,} ({percent(n, figures.visits)})") for v, n in counts]
    undecided = figures.verdicts[Verdict.UNDECIDED]
    return _card(
        "Verdicts",
        charts.shares("Verdicts", [(v.value, VERDICT_WORDS[v], float(n)) for v, n in counts]),
        _legend(legend),
        tag(
            "p",
            tag("strong", "Undecided is an answer, not a fault. "),
            "It is given where too little was seen or heard, where the score lies in the middle, or where the evidence "
            f"points both ways. It means “cannot be told”, neither good nor poor. Here that is "
            f"{percent(undecided, figures.visits)} of {visits(figures.visits, figures.unit)}.",
            class_="soft",
        ),
    )


def tiles(figures: Figures) -> list[Markup]:
    """A few numbers at a glance."""
    seen, possible = figures.mismatched, figures.mismatch_possible
    found = [
        _tile(f"{figures.visits:,}", visits(figures.visits, figures.unit).split(" ", 1)[1]),
        _tile(percent(figures.verdicts[Verdict.GOOD], figures.visits), "were good"),
    ]
    if possible:
        sides = odds(figures.compared)
        found.append(_tile(f"{seen:,}", f"with {sides} at odds ({percent(seen, possible)} of {possible:,})"))
    if figures.rating is not None:
        mean, number = figures.rating
        found.append(_tile(f"{mean:.1f} of 5", f"mean tap rating ({number:,} given)"))
    if figures.coverage is not None and len(found) < 4:
        found.append(_tile(percent(figures.coverage.mean, 1.0), "of the expected evidence arrived"))
    if figures.peak_end_mean is not None and len(found) < 4:
        found.append(_tile(points(figures.peak_end_mean), "is the mean peak-end score"))
    if len(found) < 4:
        found.append(_tile(percent(len(figures.measured), figures.visits), "had somebody to see or hear"))
    return found


def time_card(figures: Figures, zone: tzinfo | None) -> Markup:
    """Satisfaction over time."""
    title = "Satisfaction over time"
    measured = figures.measured
    if len(measured) <= _SCATTER:
        first, last = measured[0].at.timestamp(), measured[-1].at.timestamp()
        length = last - first
        marks = [_single(visit, (visit.at.timestamp() - first) / length if length else 0.5, zone) for visit in measured]
        sentence = "Each point is one visit; the line through it says how far its score can be relied on."
        return _chart_card(
            title,
            sentence,
            charts.timeline(title, marks, ticks=_ticks(marks, by_name=True), gap=-1.0),
            marks,
            wide=True,
        )
    spans = figures.spans
    first, last = spans[0][0].start.timestamp(), spans[-1][0].end.timestamp()
    marks = []
    for span, score in spans:
        middle = (span.start.timestamp() + span.end.timestamp()) / 2
        marks.append(Mark((middle - first) / (last - first), span.label, span.label, score))
    grain = spans[0][0].grain
    one_span = (spans[0][0].end.timestamp() - spans[0][0].start.timestamp()) / (last - first)
    sentence = (
        f"Each point is one {grain.value}. The true average lies in the shaded band with 90 % certainty: "
        "the wider it is, the fewer visits there were. Above the dashed line is satisfied."
    )
    drawn = charts.timeline(title, marks, ticks=_ticks(marks), gap=(_JOINED[grain] + 0.1) * one_span)
    return _chart_card(title, sentence, drawn, marks, wide=True)


def hour_card(figures: Figures, *, wide: bool) -> Markup:
    """Satisfaction by hour of the day."""
    hours = figures.hours
    marks = [Mark(0.0, f"{hour}", f"{hour}:00 to {hour + 1}:00", score) for hour, score in hours.items()]
    best, worst = (pick(hours, key=lambda hour: hours[hour].mean) for pick in (max, min))
    said = ""
    if hours[best].low > hours[worst].high:
        said = f"Best around {best}:00, lowest around {worst}:00. "
    pale = any(score.count < charts.FEW for score in hours.values())
    few = f" Pale columns rest on fewer than {charts.FEW}." if pale else ""
    sentence = f"{said}Columns rise above neutral or hang below it; below each stand the hour and its visits.{few}"
    title = "By hour of the day"
    return _chart_card(title, sentence, charts.columns(title, marks, wide=wide), marks, wide=wide)


def site_card(figures: Figures, *, wide: bool) -> Markup:
    """Satisfaction by place."""
    marks = []
    for site in figures.sites:
        name = site.name or "no site named"
        marks.append(Mark(0.0, _short(name), f"{name}, {percent(site.good, 1.0)} good", site.score))
    title = "By site"
    sentence = "Average score with its 90 % interval, and how many visits. Where lines overlap, sites may be equal."
    return _chart_card(title, sentence, charts.rows(title, marks, wide=wide), marks, wide=wide)


def emotion_card(figures: Figures) -> Markup:
    """Shares of emotions."""
    title = "Expressions"
    others = {modality: shares for modality, shares in figures.modality_emotions.items() if modality != Modality.FACE}
    if not figures.emotions and not others:
        return _card(title, tag("p", "No expression was recorded.", class_="soft"))
    sentence = "How often each expression was read, averaged over visits. It is what showed, not what was felt."
    parts: list[Content] = [tag("p", sentence, class_="soft")]
    if figures.emotions:
        parts.append(_emotion_bars(title, figures.emotions))
    for modality, shares in others.items():
        if shares != figures.emotions:  # where no face was seen, they are these
            parts += [tag("p", stream(modality), class_="soft"), _emotion_bars(stream(modality), shares)]
    return _card(title, *parts)


def stream_card(figures: Figures) -> Markup:
    """What the score rests on."""
    title = "What the score rests on"
    streams = figures.streams
    if not streams:
        return _card(title, tag("p", "There was no evidence.", class_="soft"))
    styles = _styles([each.modality for each in streams])
    legend = [
        (styles[each.modality], f"{stream(each.modality)}: {percent(each.weight, 1.0)} of the score")
        for each in streams
    ]
    header = _row("th", "", "took part in", "own score")
    body = [_row("td", stream(s.modality), percent(s.took_part, 1.0), points(s.score)) for s in streams]
    only = f"Only {stream(streams[0].modality).lower()} took part. " if len(streams) == 1 else ""
    return _card(
        title,
        tag("p", f"{only}Each stream counts by its weight and by how sure it is.", class_="soft"),
        charts.shares(title, [(styles[s.modality], stream(s.modality), s.weight) for s in streams]),
        _legend(legend),
        tag("table", tag("thead", header), tag("tbody", body)),
    )


def peak_end_card(figures: Figures) -> Markup:
    """The distribution of the peak-end score."""
    title = "What customers will remember"
    if figures.peak_end_mean is None:
        said = "The peak-end score needs whole sessions, and only single analyses were recorded."
        return _card(title, tag("p", said, class_="soft"))
    sentence = (
        "People remember the strongest moment and the end of a visit most. The peak-end score is the mean of the two; "
        "each column counts the visits in that part of the scale."
    )
    drawn = charts.histogram("Peak-end score", figures.peak_end, figures.peak_end_mean)
    return _card(title, tag("p", sentence, class_="soft"), drawn)


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
        charts.shares("Evidence", [(style, name, float(number)) for style, name, number in parts]),
        _legend([(style, f"{name}: {number:,}") for style, name, number in parts if number]),
        tag("p", tag("strong", "Mismatches. "), _mismatches(figures), class_="soft"),
    )


def noteworthy_card(figures: Figures, zone: tzinfo | None) -> Markup:
    """Visits that somebody should look at."""
    title = "Worth a look"
    sides = odds(figures.compared)
    if not figures.noteworthy:
        return _card(title, tag("p", f"No visit was poor, and none had {sides} disagree.", class_="soft"), wide=True)
    body = [
        _row(
            "td",
            moment(visit.at, zone),
            visit.site or NOTHING,
            visit.session_id or visit.source or NOTHING,
            f"{points(visit.score)} ({points(visit.satisfaction.interval.low)} to "
            f"{points(visit.satisfaction.interval.high)})",
            why_noteworthy(visit, figures.compared),
            numbers=(),
        )
        for visit in figures.noteworthy
    ]
    header = _row("th", "when", "site", "session", "score", "why", numbers=())
    return _card(
        title,
        tag("p", f"The lowest of the poor visits and of those where {sides} disagree.", class_="soft"),
        _scroll(tag("table", tag("thead", header), tag("tbody", body))),
        wide=True,
    )


def _mismatches(figures: Figures) -> str:
    sides = odds(figures.compared)
    if not figures.mismatch_possible:
        both = "a face and words" if are_face_and_words(figures.compared) else sides
        return f"No visit had both {both}, so none could be seen to disagree."
    example = ", such as a polite smile over a complaint" if are_face_and_words(figures.compared) else ""
    share = percent(figures.mismatched, figures.mismatch_possible)
    return f"In {share} of the visits with both, {sides} pointed opposite ways{example}."


def _emotion_bars(title: str, emotions: Shares) -> Markup:
    shown = emotions[:_EMOTIONS_SHOWN]
    return charts.bars(title, [(_short(name, 16), share / 100, percent(share, 100.0)) for name, share in shown])


def _chart_card(title: str, sentence: str, drawn: Markup, marks: Sequence[Mark], *, wide: bool = False) -> Markup:
    header = _row("th", "", "score", "90 % interval", "visits")
    body = [
        _row("td", mark.name, points(mark.score.mean), interval(mark.score), f"{mark.score.count:,}") for mark in marks
    ]
    numbers = tag("details", tag("summary", "The numbers"), tag("table", tag("thead", header), tag("tbody", body)))
    return _card(title, tag("p", sentence, class_="soft"), _scroll(drawn), numbers, wide=wide)


def _card(title: str, *contents: Content, wide: bool = False) -> Markup:
    return tag("section", tag("h2", title), *contents, class_="card wide" if wide else "card")


def _scroll(content: Markup) -> Markup:
    """Something wide, which a narrow screen may push sideways."""
    return tag("div", content, class_="scroll")


def _tile(number: str, what: str) -> Markup:
    return tag("section", tag("strong", number), tag("span", what), class_="card tile")


def _legend(entries: Sequence[tuple[str, str]]) -> Markup:
    return tag("ul", [tag("li", tag("i", class_=style), text) for style, text in entries], class_="legend")


def _row(kind: str, *cells: str, numbers: Sequence[int] = (1, 2, 3)) -> Markup:
    return tag("tr", [tag(kind, cell, class_="n" if index in numbers else None) for index, cell in enumerate(cells)])


def _single(visit: Visit, at: float, zone: tzinfo | None) -> Mark:
    ends = visit.satisfaction.interval
    when = moment(visit.at, zone)
    name = f"{when}, {visit.session_id}" if visit.session_id else when
    return Mark(at, when, name, Estimate(visit.score, ends.low, ends.high, 1))


def _ticks(marks: Sequence[Mark], *, by_name: bool = False) -> list[tuple[float, str]]:
    """A few of the marks, apart from each other, as labels of the axis."""
    chosen: list[tuple[float, str]] = []
    for mark in marks:
        if not chosen or mark.at - chosen[-1][0] >= 1.0 / (_TICKS - by_name * 2):
            chosen.append((mark.at, mark.label))
    return chosen


def _styles(modalities: Sequence[str]) -> dict[str, str]:
    """Modality -> class; neighbours of those that have none of their own differ."""
    own = {modality: modality for modality in modalities if modality in set(Modality)}
    others = [modality for modality in modalities if modality not in own]
    return own | {modality: "another" if index % 2 else "other" for index, modality in enumerate(others)}


def _short(name: str, length: int = _NAME_LENGTH) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"
