"""The report's numbers in plain words, for people who know their shop and not statistics."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from mien import MismatchPair, Modality, Verdict
from mien_records.report.figures import Estimate, Figures
from mien_records.report.visits import Unit, Visit

CLEARLY: Final = 0.65
"""A mean at or above it is called clear; at or below 1 less it, so is its opposite."""

NOTHING: Final = "\N{EN DASH}"
"""Where there is nothing to write."""
VERDICT_WORDS: Final = {Verdict.GOOD: "Good", Verdict.UNDECIDED: "Undecided", Verdict.POOR: "Poor"}
_STREAM_WORDS: Final = {"face": "Faces", "voice": "Voices", "text": "Words"}


def points(value: float) -> str:
    """A score as points out of 100: ``68``."""
    return f"{100.0 * value:.0f}"


def percent(part: float, whole: float) -> str:
    """``68 %``; a part that is not nothing is never called 0 %, and one that is not all never 100 %."""
    if whole <= 0:
        return NOTHING
    value = 100.0 * part / whole
    if 0 < value < 1:
        return "under 1 %"
    if 99 < value < 100:
        return "over 99 %"
    return f"{value:.0f} %"


def count(number: int, one: str, many: str = "") -> str:
    """``1 session``, ``1,204 sessions``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def visits(number: int, unit: Unit) -> str:
    """``1,204 sessions``, ``3 single analyses``."""
    if unit is Unit.SESSION:
        return count(number, "session")
    return count(number, "single analysis", "single analyses")


def interval(estimate: Estimate) -> str:
    """``66 to 70``."""
    return f"{points(estimate.low)} to {points(estimate.high)}"


def headline(estimate: Estimate) -> str:
    """What the number means."""
    if estimate.low <= 0.5 <= estimate.high:
        return "It cannot be told whether customers were satisfied"
    who = "The customer was" if estimate.count == 1 else "Customers were"
    is_clear = estimate.mean >= CLEARLY or estimate.mean <= 1 - CLEARLY
    return f"{who} {'clearly' if is_clear else 'rather'} {'satisfied' if estimate.mean > 0.5 else 'dissatisfied'}"


def explanation(figures: Figures, estimate: Estimate) -> str:
    """The sentence under the headline."""
    nobody = figures.visits - estimate.count
    rests = visits(estimate.count, figures.unit) + (f"; in {nobody:,} more, nobody was seen or heard" if nobody else "")
    what = "score" if estimate.count == 1 else "average"
    sure = f"With 90 % certainty the {what} lies between {points(estimate.low)} and {points(estimate.high)}"
    return f"50 is neutral, 100 the best. {sure}; it rests on {rests}."


def trend(change: Estimate | None) -> str:
    """How the later half of the visits compares with the earlier half."""
    if change is None:
        return ""
    if change.low > 0:
        return f"▲ Rising: the later half of the period is {points(change.mean)} points above the earlier half."
    if change.high < 0:
        return f"▼ Falling: the later half of the period is {points(-change.mean)} points below the earlier half."
    return "► Steady: no clear change between the earlier and the later half of the period."


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
