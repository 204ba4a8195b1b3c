"""The persons whom visits are composed from: labelled portraits, each person on one side of the split."""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as parquet

from visits.kinds import SHOWN_BY, Shown

Pixels = npt.NDArray[np.uint8]

JUDGED: Final = 0.4
"""Share of the persons that judge; the model is fitted to the others."""

PORTRAITS_EACH: Final = 2
"""Of one person and one expression at most so many take part, so that no face is half of the evidence."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """One labelled picture of a person."""

    image: bytes = field(repr=False)
    person: str
    shown: Shown
    mouth: tuple[float, float]

    def decode(self) -> Pixels:
        """RGB ``[height, width, 3]``."""
        return cv2.cvtColor(cv2.imdecode(np.frombuffer(self.image, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def is_judge(name: str) -> bool:
    """Whether a person (or sentence) is kept for judging."""
    return zlib.crc32(name.encode()) % 1000 < JUDGED * 1000


def read_portraits(file: Path, *, seed: int, neutral: int, smiling: int) -> list[Portrait]:
    """Choose portraits: all negative ones, and persons with several expressions before others.

    Args:
        file: Parquet with ``image``, ``person``, ``expression`` and ``landmarks``.
        seed: Of the choice.
        neutral: Neutral portraits at most.
        smiling: Smiling ones at most.
    """
    rows = parquet.read_table(file, columns=["image", "person", "expression", "landmarks"]).to_pylist()
    usable = [row for row in rows if row["expression"] in SHOWN_BY and row["person"] and row["landmarks"]]
    shown_by: dict[str, set[Shown]] = defaultdict(set)
    for row in usable:
        shown_by[row["person"]].add(SHOWN_BY[row["expression"]])
    random = np.random.default_rng(seed)
    order = sorted(random.permutation(len(usable)), key=lambda index: -len(shown_by[usable[index]["person"]]))
    wanted = {Shown.NEUTRAL: neutral, Shown.SMILE: smiling, Shown.NEGATIVE: len(usable)}
    # Half of the places go to persons of one expression, who are most of those at a counter.
    taken: dict[tuple[str, Shown], int] = defaultdict(int)
    chosen: list[Portrait] = []
    for shown, most in wanted.items():
        of_kind = [usable[index] for index in order if SHOWN_BY[usable[index]["expression"]] is shown]
        changing = [row for row in of_kind if len(shown_by[row["person"]]) > 1]
        lasting = [row for row in of_kind if len(shown_by[row["person"]]) == 1]
        for group, room in ((changing, most - most // 2), (lasting, most // 2)):
            for row in group:
                if room <= 0:
                    break
                if taken[row["person"], shown] < PORTRAITS_EACH:
                    taken[row["person"], shown] += 1
                    room -= 1
                    chosen.append(_portrait(row, shown))
    return chosen


def _portrait(row: dict[str, object], shown: Shown) -> Portrait:
    points = np.asarray(row["landmarks"], np.float64).reshape(-1, 2)[:5]
    across, down = points[3:5].mean(axis=0)
    return Portrait(bytes(row["image"]), str(row["person"]), shown, (float(across), float(down)))  # type: ignore[arg-type]
