"""Fits and writes the model of visits."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Final

import numpy as np

from visits.evidence import SEED, Evidence
from visits.fitting import fit
from visits.kinds import Shown
from visits.sampling import Sampler

FOLDS: Final = 3
EACH: Final = 120
"""Visits of each kind and fold."""


def fit_model(evidence: Evidence, file: Path) -> None:
    """Fit to the persons and sentences that do not judge, and write the numbers with where they come from."""
    folds = [
        Sampler(
            [face for face in evidence.faces if _fold(face["person"]) == fold],
            [text for text in evidence.texts if not text["own"] and _fold(text["text"]) == fold],
            [text for text in evidence.heard if _fold(text["text"]) == fold],
            judge=False,
            seed=fold,
        ).draw(EACH)
        for fold in range(FOLDS)
    ]
    persons = {visit.person for visits in folds for visit in visits}
    made_by = {
        "command": "python benchmarks/shop_visits.py --fit",
        "analyzers": evidence.versions,
        "evidence_sha256": evidence.digest,
        "seeds": {"evidence": SEED, "folds": list(range(FOLDS))},
        "visits": sum(map(len, folds)),
        "persons": len(persons),
        "evidence_deviation": _deviations(evidence),
        "data": "portraits (muxspace/facial_expressions), GoEmotions dev, USS SGD, sentences of our own; composed",
    }
    model = fit(folds, made_by=made_by)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(model.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8")


def _deviations(evidence: Evidence) -> dict[str, dict[str, float]]:
    """Standard deviation of evidence among pictures of one portrait, and among portraits that show the same."""
    found = {}
    for shown in Shown:
        pictures = [
            [picture["satisfaction"] for picture in face["pictures"]]
            for face in evidence.faces
            if face["shown"] == shown and len(face["pictures"]) > 1
        ]
        within = float(np.mean([np.std(each) for each in pictures]))
        between = float(np.std([np.mean(each) for each in pictures]))
        found[str(shown)] = {"of_one_portrait": round(within, 3), "among_portraits": round(between, 3)}
    return found


def record_figures(file: Path, figures: dict[str, dict[str, float]]) -> None:
    """Write into a model what it achieved on visits that it was not fitted to."""
    data = json.loads(file.read_text(encoding="utf-8"))
    rounded = {way: {name: round(value, 4) for name, value in each.items()} for way, each in figures.items()}
    data["made_by"]["judged_by_drawn_visits"] = rounded
    file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _fold(name: str) -> int:
    return zlib.crc32(f"fold {name}".encode()) % FOLDS
