"""Write synthetic session records, to see what ``mien report`` makes of them. Every number is drawn at random.

    python examples/synthetic_records.py records.jsonl --sessions 1200
    mien report records.jsonl --html report.html --title "Synthetic example"

No customer, camera or network is behind the data: a made-up chain of four shops has a dip at lunch and in the early
evening, one shop is weaker, a lamp fails in another, and things get better over four weeks. It shows the report's
parts, and says nothing about how well mien works.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mien import (
    Contribution,
    Phase,
    Satisfaction,
    ScoreInterval,
    SessionEnd,
    SessionSummary,
    SummaryRecord,
    TimeInterval,
    Verdict,
    records,
)

START = datetime(2026, 10, 5, tzinfo=UTC)
SITES = {"Harbour Street": 0.06, "Old Market": 0.02, "Station Hall": -0.11, "Riverside": 0.0}
BUSY = {9: 3, 10: 5, 11: 6, 12: 9, 13: 9, 14: 5, 15: 5, 16: 6, 17: 9, 18: 8, 19: 4}
MOOD = {12: -0.10, 13: -0.08, 17: -0.12, 18: -0.09, 10: 0.04, 15: 0.05}
LAMP = ("Riverside", 15, 15)
"""Where a lamp fails, on which day, and from which hour on it is missed."""
OPEN_DAYS = 6


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description="Write synthetic session records.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--sessions", type=int, default=1200)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--face-only", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    made = make_records(options.sessions, days=options.days, face_only=options.face_only, seed=options.seed)
    options.out.write_text("".join(f"{records.to_json(record)}\n" for record in made), encoding="utf-8")
    print(f"{len(made)} synthetic sessions in {options.out}")


def make_records(sessions: int, *, days: int = 28, face_only: bool = False, seed: int = 7) -> list[SummaryRecord]:
    """Synthetic records in order of time.

    Args:
        sessions: How many.
        days: Over so many days, Sundays closed.
        face_only: No words.
        seed: The same seed gives the same records.
    """
    rng = random.Random(seed)
    times = sorted(_time(rng, days) for _ in range(sessions))
    return [_record(rng, number, time, days, face_only) for number, time in enumerate(times, start=1)]


def _time(rng: random.Random, days: int) -> datetime:
    day = rng.choice([day for day in range(days) if days == 1 or day % 7 < OPEN_DAYS])
    (hour,) = rng.choices(list(BUSY), weights=list(BUSY.values()))
    return START + timedelta(days=day, hours=hour, seconds=rng.uniform(0, 3600))


def _record(rng: random.Random, number: int, time: datetime, days: int, face_only: bool) -> SummaryRecord:
    (site,) = rng.choices(list(SITES), weights=[5, 4, 4, 2])
    mean = 0.62 + SITES[site] + MOOD.get(time.hour, 0.0) + 0.07 * ((time - START).days / days)
    truth = _clip(rng.gauss(mean, 0.17))
    session_id = f"s-{number:05d}"
    nobody = rng.random() < 0.03
    spoke = not face_only and not nobody and rng.random() < 0.7
    summary = SessionSummary(
        session_id=session_id,
        end=rng.choice(list(SessionEnd)),
        interval=TimeInterval(0.0, rng.uniform(20, 180)),
        overall=_unknown() if nobody else _satisfaction(rng, truth, spoke, expected=1 if face_only else 2),
        peak_score=_clip(truth + 1.2 * (truth - 0.5)),
        end_score=_clip(truth + rng.gauss(0.0, 0.08)),
        peak_end_score=_clip(truth + 0.6 * (truth - 0.5) + rng.gauss(0.0, 0.05)),
        emotion_percentages={} if nobody else _emotions(rng, truth),
        snapshots=rng.randint(8, 100),
        utterances=rng.randint(1, 12) if spoke else 0,
        mismatches=int(spoke and rng.random() < 0.04),
        rating=_rating(_clip(rng.gauss(truth, 0.12))) if rng.random() < 0.12 else 0,
        site=site,
        phases=() if nobody else _phases(rng, truth),
        conditions={} if nobody else _conditions(rng, site, time),
    )
    return SummaryRecord(recorded_at=time, summary=summary, session_id=session_id, site=site, source="synthetic")


def _rating(felt: float) -> int:
    return 1 + sum(felt > bound for bound in (0.28, 0.38, 0.48, 0.66))


def _phases(rng: random.Random, truth: float) -> tuple[Phase, ...]:
    """Waiting is what customers like least."""
    moods = {"start": 0.0, "wait": -0.12, "pay": 0.04}
    return tuple(
        Phase(
            name=name,
            interval=TimeInterval(20.0 * index, 20.0 * (index + 1)),
            satisfaction=_satisfaction(rng, _clip(rng.gauss(truth + mood, 0.1)), False, expected=1),
        )
        for index, (name, mood) in enumerate(moods.items())
    )


def _conditions(rng: random.Random, site: str, time: datetime) -> dict[str, float]:
    """What the faces were seen under; in one shop a lamp has failed, which shows in the afternoon."""
    is_dim = site == LAMP[0] and time >= START + timedelta(days=LAMP[1]) and time.hour >= LAMP[2]
    return {
        "quality": _clip(rng.gauss(0.62 if is_dim else 0.8, 0.06)),
        "brightness": _clip(rng.gauss(0.22 if is_dim else 0.46, 0.05)),
        "face_height": _clip(rng.gauss(0.3, 0.04)),
        "confidence": _clip(rng.gauss(0.5 if is_dim else 0.62, 0.07)),
    }


def _satisfaction(rng: random.Random, truth: float, spoke: bool, *, expected: int) -> Satisfaction:
    width = rng.uniform(0.06, 0.2)
    low, high = max(0.0, truth - width), min(1.0, truth + width)
    verdict = Verdict.GOOD if truth >= 0.6 else Verdict.POOR if truth <= 0.4 else Verdict.UNDECIDED
    face = Contribution(
        0.6 if spoke else 1.0, _clip(rng.gauss(truth, 0.08)), rng.uniform(0.5, 0.95), rng.randint(8, 90)
    )
    parts = {"face": face}
    if spoke:
        parts["voice"] = Contribution(0.4, _clip(rng.gauss(truth, 0.15)), rng.uniform(0.3, 0.9), rng.randint(1, 12))
    return Satisfaction(
        score=truth,
        interval=ScoreInterval(low, high),
        confidence=rng.uniform(0.4, 0.95),
        verdict=verdict,
        contributions=parts,
        agreement=rng.uniform(0.6, 1.0) if spoke else 1.0,
        coverage=len(parts) / expected,
    )


def _unknown() -> Satisfaction:
    return Satisfaction(
        score=0.5, interval=ScoreInterval(0.0, 1.0), confidence=0.0, verdict=Verdict.UNDECIDED, coverage=0.0
    )


def _emotions(rng: random.Random, truth: float) -> Mapping[str, float]:
    weights = {
        "happy": rng.gammavariate(6 * truth**2 + 0.2, 1.0),
        "neutral": rng.gammavariate(2.5, 1.0),
        "surprise": rng.gammavariate(0.4, 1.0),
        "sad": rng.gammavariate(0.2 + 1.2 * (1 - truth), 0.8),
        "angry": rng.gammavariate(0.1 + 1.2 * (1 - truth) ** 2, 0.8),
        "fear": rng.gammavariate(0.15, 0.5),
        "disgust": rng.gammavariate(0.1, 0.5),
    }
    total = sum(weights.values())
    return {emotion: 100.0 * weight / total for emotion, weight in weights.items()}


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))


if __name__ == "__main__":
    main()
