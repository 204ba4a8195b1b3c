"""Composed visits and the fit of their model: sides are kept apart, and what is known comes back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyarrow", reason="composing visits needs mien[train]")
pytest.importorskip("scipy", reason="fitting visits needs mien[train]")

from visits.fitting import fit
from visits.kinds import KINDS, Said, Shown, Truth
from visits.people import is_judge
from visits.sampling import Sampler
from visits.sentences import own_sentences

from mien import FusionContext, Verdict
from mien_fusion.fitted import Fitted

EVIDENCE = {"neutral": 0.48, "smile": 0.92, "negative": 0.12, "kind": 0.9, "complaint": 0.12}


def said(meaning: str, random: np.random.Generator, *, spread: float) -> dict[str, Any]:
    satisfaction = float(np.clip(EVIDENCE[meaning] + random.normal(0.0, spread), 0.0, 1.0))
    return {"satisfaction": satisfaction, "confidence": 0.8, "top": "any"}


def everybody() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Persons who show everything, each read with an error of their own, and sentences."""
    random = np.random.default_rng(5)
    faces = [
        {
            "person": f"person {number}",
            "shown": str(shown),
            "pictures": [said(str(shown), random, spread=0.08)] * 2,
        }
        for number in range(60)
        for shown in Shown
    ]
    texts = [
        {
            "text": f"{meaning} {number}",
            "said": str(meaning),
            "utterances": [said(str(meaning), random, spread=0.08)],
        }
        for number in range(60)
        for meaning in Said
        if meaning is not Said.NOTHING
    ]
    return faces, texts


def test_persons_and_sentences_judge_or_are_fitted_to_and_never_both() -> None:
    faces, texts = everybody()
    for judge in (True, False):
        drawn = Sampler(faces, [], texts, judge=judge, seed=1).draw(2)
        assert {visit.kind for visit in drawn} == set(KINDS)
        assert all(is_judge(visit.person) is judge for visit in drawn)
        assert all(bool(visit.heard) == (visit.kind.said is not Said.NOTHING) for visit in drawn)


def test_own_sentences_are_enough_for_both_sides() -> None:
    sides = {(sentence.said, sentence.judges) for sentence in own_sentences()}
    assert sides == {(meaning, judges) for meaning in Said if meaning is not Said.NOTHING for judges in (True, False)}


def test_a_model_that_is_fitted_to_visits_judges_others_rightly() -> None:
    faces, texts = everybody()
    folds = [
        Sampler(
            [face for face in faces if int(face["person"].split()[1]) % 3 == fold],
            [],
            texts[fold * 60 : (fold + 1) * 60],
            judge=False,
            seed=fold,
        ).draw(6)
        for fold in range(3)
    ]
    fuser = Fitted(fit(folds, made_by={}))
    context = FusionContext(half_life_seconds=float("inf"))
    judged = [
        (visit.kind, fuser.fuse(visit.seen + visit.heard, context))
        for visit in Sampler(faces, [], texts, judge=True, seed=9).draw(6)
    ]
    decided = [(kind, each) for kind, each in judged if each.verdict is not Verdict.UNDECIDED]
    assert len(decided) > len(judged) / 3
    wrong = [
        kind.name for kind, each in decided if kind.truth is not Truth.NEUTRAL and each.verdict != kind.truth.value
    ]
    assert len(wrong) <= 0.1 * len(decided)
    mean = {truth: np.mean([each.score for kind, each in judged if kind.truth is truth]) for truth in Truth}
    assert mean[Truth.POOR] < mean[Truth.NEUTRAL] < mean[Truth.GOOD]
