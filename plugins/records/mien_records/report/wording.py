"""The report's numbers in plain words, for people who know their shop and not statistics."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Final

from mien import MismatchPair, Modality, Verdict
from mien_records.report.intervals import Estimate
from mien_records.report.visits import Unit, Visit

if TYPE_CHECKING:
    from mien_records.report.figures import Figures

NOTHING: Final = "\N{EN DASH}"
"""Where there is nothing to write."""
VERDICT_WORDS: Final = {Verdict.GOOD: "Good", Verdict.UNDECIDED: "Undecided", Verdict.POOR: "Poor"}
_STREAM_WORDS: Final = {"face": "Faces", "voice": "Voices", "text": "Words"}


def score(value: float) -> str:
    """A score, as everywhere in mien: ``0.57``."""
    return f"{value:.2f}"


def points_of(share: float) -> str:
    """A share as a whole number of percent: ``68``."""
    return f"{100.0 * share:.0f}"


def percentage(share: float) -> str:
    """``68 %``; a share that is not nothing is never called 0 %, and one that is not all never 100 %."""
    return percent(share, 1.0)


def percent(part: float, whole: float) -> str:
    """The same of a part."""
    if whole <= 0:
        return NOTHING
    value = 100.0 * part / whole
    if 0 < value < 1:
        return "under 1 %"
    if 99 < value < 100:
        return "over 99 %"
    return f"{value:.0f} %"


def count(number: int, one: str, many: str = "") -> str:
    """``1 visit``, ``1,204 visits``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def visits(number: int, unit: Unit) -> str:
    """``1,204 visits``, ``3 single analyses``."""
    if unit is Unit.SESSION:
        return count(number, "visit")
    return count(number, "single analysis", "single analyses")


def interval(estimate: Estimate) -> str:
    """``66 to 70``, of shares in percent."""
    return f"{points_of(estimate.low)} to {points_of(estimate.high)}"


def certainty(figures: Figures) -> str:
    """What the interval covers, and what it does not."""
    if figures.taps is not None and figures.taps.everybody is not None:
        return (
            "The interval of what was read covers chance only. That of what all customers would tap is made from the "
            "taps and all readings, and covers errors of reading, too, as far as those who tap are like those who do "
            "not."
        )
    return (
        "The interval covers chance only: how it would differ with other customers. It does not cover errors of "
        "reading, such as faces that are read as less content than they are; with tap ratings of 20 customers or "
        "more, this page says how far readings are off."
    )


def change(found: Estimate | None, *, against: str) -> str:
    """How CSAT compares with earlier."""
    if found is None:
        return ""
    between = f"{100 * found.low:+.0f} to {100 * found.high:+.0f} points"
    if found.low > 0:
        return f"▲ Rising: {100 * found.mean:.0f} points above {against} ({between})."
    if found.high < 0:
        return f"▼ Falling: {-100 * found.mean:.0f} points below {against} ({between})."
    return f"► Steady: no clear change against {against} ({between})."


def stream(modality: str) -> str:
    """A modality for people."""
    return _STREAM_WORDS.get(modality, modality.capitalize())


def odds(pairs: Sequence[MismatchPair]) -> str:
    """The two sides of a mismatch, for people: ``face and words``; where there are several, ``two streams``."""
    if len(pairs) != 1:
        return "two streams"
    one, other = (_side(group) for group in pairs[0])
    return f"{one} and {other}"


def are_face_and_words(pairs: Sequence[MismatchPair]) -> bool:
    """Whether only face and words are compared."""
    return odds(pairs) == "face and words"


def _side(group: Sequence[str]) -> str:
    return "words" if set(group) <= {Modality.VOICE, Modality.TEXT} else " with ".join(group)


def day(time: datetime, zone: tzinfo | None) -> str:
    """``3 Nov 2026``."""
    local = time.astimezone(zone)
    return f"{local.day} {local:%b %Y}"


def moment(time: datetime, zone: tzinfo | None) -> str:
    """``3 Nov 2026, 14:05``."""
    return f"{day(time, zone)}, {time.astimezone(zone):%H:%M}"


def period(first: datetime, last: datetime, zone: tzinfo | None) -> str:
    """From the first day to the last."""
    start, end = day(first, zone), day(last, zone)
    return start if start == end else f"{start} to {end}"


def why_noteworthy(visit: Visit, pairs: Sequence[MismatchPair]) -> str:
    """Why somebody should look at it."""
    reasons = []
    if visit.satisfaction.verdict is Verdict.POOR:
        reasons.append("poor")
    if visit.mismatches:
        reasons.append(f"{odds(visit.compared(pairs) or pairs)} disagree")
    return ", ".join(reasons)
