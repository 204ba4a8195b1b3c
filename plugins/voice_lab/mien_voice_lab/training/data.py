"""Reads the training and evaluation data: GoEmotions' tables and User Satisfaction Simulation's dialogues.

Files in, arrays and dialogues out. A file that is not what it should be is refused with the line that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mien import InputError
from mien_voice.labels import EMOTIONS28, SATISFACTION_OF

CALIBRATION_SHARE: Final = 0.5
"""Share of the rated dialogues of a file that may be calibrated on; figures are of the others."""

SPLIT_SEED: Final = 17
"""Of the split of the dialogues."""

NEUTRAL_RATING: Final = 3.0
"""The middle of the raters' scale from 1 to 5."""

_OVERALL: Final = "OVERALL"


class Corpus(NamedTuple):
    """Texts and their emotions: zeros and ones ``[N, 28]``."""

    texts: list[str]
    targets: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Turn:
    """What a user said in a dialogue, and the mean of its ratings, 1 to 5."""

    text: str
    rating: float


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A user's turns in one dialogue, and the mean rating of the whole, 1 to 5."""

    turns: tuple[Turn, ...]
    overall: float


def read_goemotions(path: Path) -> Corpus:
    """Read a tab-separated table: text, label numbers, comment id.

    Raises:
        InputError: There is no such file, or a line is not of this form.
    """
    texts: list[str] = []
    rows: list[npt.NDArray[np.float32]] = []
    for number, line in _lines(path):
        text, tab, rest = line.partition("\t")
        labels = rest.split("\t")[0].split(",")
        if not tab or not all(label.isdigit() and int(label) < len(EMOTIONS28) for label in labels):
            raise InputError(
                f"{path}, line {number}: expected text, a tab and label numbers from 0 to {len(EMOTIONS28) - 1} "
                f"separated by commas, found {line[:60]!r}"
            )
        row = np.zeros(len(EMOTIONS28), np.float32)
        row[[int(label) for label in labels]] = 1.0
        texts.append(text)
        rows.append(row)
    if not texts:
        raise InputError(f"{path} holds no examples")
    return Corpus(texts, np.stack(rows))


def read_dialogues(path: Path) -> list[Dialogue]:
    """Read dialogues with ratings: role, text, action, ratings; a blank line ends a dialogue.

    Raises:
        InputError: There is no such file, or a line is not of this form.
    """
    dialogues: list[Dialogue] = []
    turns: list[Turn] = []
    for number, line in _lines(path, keep_blank=True):
        if not line.strip():
            turns = []
            continue
        fields = line.split("\t")
        if len(fields) < 4 or fields[0] not in {"USER", "SYSTEM"}:
            raise InputError(
                f"{path}, line {number}: expected USER or SYSTEM, text, action and ratings separated by tabs, "
                f"found {line[:60]!r}"
            )
        if fields[0] == "SYSTEM":
            continue
        rating = _mean_rating(fields[3], path, number)
        if fields[1] == _OVERALL:
            dialogues.append(Dialogue(tuple(turns), rating))
        else:
            turns.append(Turn(fields[1], rating))
    if not dialogues:
        raise InputError(f"{path} holds no dialogue with an OVERALL rating")
    return dialogues


def rated_turns(paths: Sequence[Path]) -> list[Turn]:
    """The turns of the part of some files' dialogues that may be calibrated and trained on."""
    parts = [split_dialogues(read_dialogues(path), share=CALIBRATION_SHARE, seed=SPLIT_SEED)[0] for path in paths]
    return [turn for part in parts for dialogue in part for turn in dialogue.turns]


def all_turns(paths: Sequence[Path]) -> list[str]:
    """What was said in some files' dialogues by either side, in the files' order and without ratings."""
    fields = [line.split("\t") for path in paths for _, line in _lines(path)]
    return [own[1] for own in fields if len(own) > 1 and own[1] != _OVERALL]


def satisfaction_targets(targets: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Mean of what a text's emotions say of satisfaction, ``[N, 28] -> [N]``."""
    values = np.array([SATISFACTION_OF[name] for name in EMOTIONS28], np.float32)
    mean: npt.NDArray[np.float32] = (targets @ values / np.maximum(targets.sum(axis=1), 1.0)).astype(np.float32)
    return mean


def split_dialogues(dialogues: Sequence[Dialogue], *, share: float, seed: int) -> tuple[list[Dialogue], list[Dialogue]]:
    """Split by dialogue, the same way for the same seed: about ``share`` of them, and the rest."""
    order = np.random.default_rng(seed).permutation(len(dialogues))
    cut = round(share * len(dialogues))
    return [dialogues[i] for i in order[:cut]], [dialogues[i] for i in order[cut:]]


def _mean_rating(ratings: str, path: Path, number: int) -> float:
    try:
        values = [float(value) for value in ratings.split(",")]
    except ValueError as error:
        raise InputError(f"{path}, line {number}: ratings must be numbers, found {ratings[:30]!r}") from error
    return sum(values) / len(values)


def _lines(path: Path, *, keep_blank: bool = False) -> Iterator[tuple[int, str]]:
    """Line numbers from 1 and lines."""
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text") from error
    for number, line in enumerate(content.split("\n"), 1):
        if line or keep_blank:
            yield number, line.rstrip("\r")
