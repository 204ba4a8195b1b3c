"""Judges visits: what became of each kind, how many were decided, how many rightly, and what intervals cover."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from mien import Fuser, FusionContext, Satisfaction, Verdict, load_settings
from mien.session import SessionConfig
from mien_fusion.fitted import Fitted
from mien_fusion.visitmodel import VisitModel, parse_model, shipped_model
from mien_fusion.weighted_sum import WeightedSum
from visits.asking import kept
from visits.evidence import Evidence, portraits_of, scenes_of, weights_digest
from visits.kinds import KINDS, Kind, Truth
from visits.pictures import Painter
from visits.product import FACE_AND_VOICE, FACE_ONLY, follow, open_product, replay
from visits.rendering import Composer
from visits.sampling import Sampler, Visit
from visits.sentences import own_sentences
from visits.voices import real_speech

SEED: Final = 11
DRAWN: Final = 60
"""Drawn visits of each kind."""

WAYS: Final = ("face only", "face and voice")
CONFIGURATIONS: Final = dict(zip(WAYS, (FACE_ONLY, FACE_AND_VOICE), strict=True))


@dataclass(frozen=True, slots=True)
class KindFigures:
    """One kind of visit under one rule.

    Attributes:
        kind: Its name.
        truth: Of its customers.
        counted: Whether the streams say the truth, so that a verdict can be asked for.
        visits: How many.
        score: Mean.
        width: Of the interval, mean.
        verdicts: Verdict -> how often.
        flagged: Share with a mismatch.
        covered: Share whose interval holds the kind's median score: what would be said of anybody who does the same.
    """

    kind: str
    truth: str
    counted: bool
    visits: int
    score: float
    width: float
    verdicts: dict[str, int]
    flagged: float
    covered: float


@dataclass(frozen=True, slots=True)
class Judged:
    """All kinds under one rule.

    Attributes:
        fuser: Its name.
        way: What was listened to.
        kinds: In the order of ``KINDS``.
    """

    fuser: str
    way: str
    kinds: tuple[KindFigures, ...]

    def figures(self) -> dict[str, float]:
        """Over all kinds.

        Returns:
            ``decided`` and ``right`` of the good and poor visits whose streams say so, ``wrong`` among all verdicts
            (neutral visits that are called something count whole), ``neutral_called`` and ``covered``.
        """
        asked = [each for each in self.kinds if each.counted and each.truth != Truth.NEUTRAL]
        neutral = [each for each in self.kinds if each.truth == Truth.NEUTRAL]
        decided = sum(_decided(each) for each in asked)
        right = sum(each.verdicts.get(each.truth, 0) for each in asked)
        called = sum(_decided(each) for each in neutral)
        visits = sum(each.visits for each in self.kinds)
        return {
            "decided": decided / sum(each.visits for each in asked),
            "right": right / max(1, decided),
            "wrong": (decided - right + called) / max(1, decided + called),
            "neutral_called": called / sum(each.visits for each in neutral),
            "covered": sum(each.covered * each.visits for each in self.kinds) / visits,
        }

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "figures": self.figures()}


def judge_drawn(evidence: Evidence, model: Path | None) -> list[Judged]:
    """By visits drawn from the persons and spoken sentences that judge."""
    drawn = Sampler(evidence.faces, [], evidence.heard, judge=True, seed=SEED).draw(DRAWN)
    judged = []
    for name, fuser in _fusers(model).items():
        for way in WAYS:
            context = _context(way)
            judged.append(_judged(name, way, ((each.kind, fuser.fuse(_said(each, way), context)) for each in drawn)))
    return judged


def judge_rendered(data: Path, cache: Path, *, each: int, model: Path | None) -> list[Judged]:
    """By visits that are rendered and run through the product."""
    host, brain, config = open_product()
    try:
        versions = (weights_digest("mien_face"), weights_digest("mien_voice"), load_settings(FACE_AND_VOICE).plugins)
        composer = Composer(
            portraits_of(data), own_sentences(), real_speech(data / "speech" / "dev.parquet"), seed=SEED
        )
        painter = Painter(scenes_of(data), np.random.default_rng(SEED))
        said: list[tuple[Kind, list[dict[str, Any]]]] = []
        # One of each kind after the other, so that what was done before an interruption is a smaller set of all kinds.
        for number in range(each):
            for kind in KINDS:
                script = composer.script(kind)
                key = (versions, SEED, kind.name, number, script.seed)
                said.append((kind, kept(cache, "visit", key, partial(follow, brain, config, script, painter))))
            print(f"{number + 1} of {each} visits of each kind", flush=True)
        return _judge_replayed(said, model)
    finally:
        host.close()


def show(judged: Sequence[Judged]) -> None:
    """The tables for a person."""
    console = Console(width=120)
    for each in judged:
        table = Table(
            "kind of visit (truth)", "n", "score", "interval", "good", "poor", "undecided", "flagged", "covered"
        )
        table.title = f"{each.way}, {each.fuser}"
        for kind in each.kinds:
            verdicts = [str(kind.verdicts.get(verdict, 0)) for verdict in ("good", "poor", "undecided")]
            note = "" if kind.counted else " *"
            table.add_row(
                f"{kind.kind} ({kind.truth}){note}",
                str(kind.visits),
                f"{kind.score:.2f}",
                f"{kind.width:.2f}",
                *verdicts,
                f"{kind.flagged:.0%}",
                f"{kind.covered:.0%}",
            )
        console.print(table)
        console.print(", ".join(f"{name} {value:.1%}" for name, value in each.figures().items()))
    console.print("* what is heard says otherwise, or nobody could tell: not counted in decided and right")


def _judge_replayed(said: Sequence[tuple[Kind, list[dict[str, Any]]]], model: Path | None) -> list[Judged]:
    judged = []
    for fuser, rule in _fusers(model).items():
        for way, file in CONFIGURATIONS.items():
            modalities = frozenset({"face"} if way == WAYS[0] else {"face", "voice"})
            config = SessionConfig.from_settings(
                load_settings(file), fuser=fuser, consent="notice_shown", expected_modalities=modalities
            )
            results = [(kind, replay(visit, rule, config).overall) for kind, visit in said]
            judged.append(_judged(fuser, way, results))
    return judged


def _judged(fuser: str, way: str, results: Iterable[tuple[Kind, Satisfaction]]) -> Judged:
    of_kind: dict[Kind, list[Satisfaction]] = defaultdict(list)
    for kind, satisfaction in results:
        of_kind[kind].append(satisfaction)
    return Judged(fuser, way, tuple(_figures(kind, found, way) for kind, found in of_kind.items()))


def _figures(kind: Kind, found: Sequence[Satisfaction], way: str) -> KindFigures:
    middle = float(np.median([each.score for each in found]))
    return KindFigures(
        kind=kind.name,
        truth=kind.truth.value,
        counted=way != WAYS[0] or kind.faces_tell,
        visits=len(found),
        score=float(np.mean([each.score for each in found])),
        width=float(np.mean([each.interval.high - each.interval.low for each in found])),
        verdicts=dict(Counter(each.verdict.value for each in found)),
        flagged=float(np.mean([each.mismatch for each in found])),
        covered=float(np.mean([each.interval.low <= middle <= each.interval.high for each in found])),
    )


def _fusers(model: Path | None) -> dict[str, Fuser]:
    numbers: VisitModel = (
        shipped_model() if model is None else parse_model(json.loads(model.read_text()), source=str(model))
    )
    return {"weighted_sum": WeightedSum(), "fitted": Fitted(numbers)}


def _context(way: str) -> FusionContext:
    config = SessionConfig.from_settings(load_settings(CONFIGURATIONS[way]), consent="notice_shown")
    return config.fusion_context(half_life_seconds=float("inf"))


def _said(visit: Visit, way: str) -> tuple[Any, ...]:
    return visit.seen if way == WAYS[0] else visit.seen + visit.heard


def _decided(figures: KindFigures) -> int:
    return figures.visits - figures.verdicts.get(Verdict.UNDECIDED.value, 0)
