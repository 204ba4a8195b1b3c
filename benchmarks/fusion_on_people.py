"""How people weigh a face against a tone of voice, and whether the fusers do as they do.

CREMA-D's clips were judged by people from the voice alone, the face alone, and both. What they say of voice and face is
given to the fusers as two streams, ``face`` and ``prosody``; what they say of both is what the score is held against.
Words are another matter: the sentences of CREMA-D are neutral (``fusion_gain.py`` has words).

    python benchmarks/fusion_on_people.py

- The best mix, by actor: the voice's share that is nearest to people on the other actors, and what it leaves on these.
- Both fusers with the streams weighed as they ship: correlation with people, and whose side is taken where voice and
  face clearly oppose each other.
- The mismatch flag against those clear oppositions.

It needs mien alone, and ``votes.csv`` of ``--data``.
"""

from __future__ import annotations

import argparse
import csv
import json
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from rich.console import Console

from mien import Fuser, FusionContext, Prediction, TimeInterval
from mien_fusion.fitted import Fitted
from mien_fusion.visitmodel import shipped_model
from mien_fusion.weighted_sum import WeightedSum

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
VALENCES: Final = {"anger": -1.0, "disgust": -1.0, "fear": -1.0, "happy": 1.0, "neutral": 0.0, "sad": -1.0}
CONDITIONS: Final = ("voice", "face", "both")
FOLDS: Final = 5
CLEARLY: Final = 0.4
"""Voice and face oppose each other where both lie so far on their sides of 0."""

SHARES: Final = tuple(np.round(np.arange(0.0, 1.01, 0.05), 2))
PAIRS: Final = ((("face",), ("prosody",)),)
VOICE_SHARE: Final = 0.15
CONFIDENCE: Final = 0.8

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clips:
    """What people said of each clip, as valence: the share of votes for happy, minus those for something unpleasant.

    Attributes:
        voice: From the voice alone, [-1, 1], ``[clips]``.
        face: From the face alone.
        both: From both.
        actors: Whose they are.
    """

    voice: Floats
    face: Floats
    both: Floats
    actors: npt.NDArray[np.str_]

    @property
    def opposed(self) -> npt.NDArray[np.bool_]:
        """Where voice and face clearly oppose each other, ``[clips]``."""
        return (np.minimum(self.voice, self.face) <= -CLEARLY) & (np.maximum(self.voice, self.face) >= CLEARLY)


def read_clips(file: Path) -> Clips:
    """Clips that were judged in all three ways."""
    votes: dict[str, dict[str, tuple[float, str]]] = defaultdict(dict)
    with file.open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            counts = {label: float(row[label]) for label in VALENCES}
            total = sum(counts.values())
            if total > 0.0:
                valence = sum(VALENCES[label] * count for label, count in counts.items()) / total
                votes[row["clip"]][row["condition"]] = valence, row["actor"]
    whole = [each for each in votes.values() if len(each) == len(CONDITIONS)]
    voice, face, both = (np.array([each[name][0] for each in whole]) for name in CONDITIONS)
    return Clips(voice, face, both, np.array([each["both"][1] for each in whole]))


def best_share(clips: Clips, chosen: npt.NDArray[np.bool_]) -> float:
    """The voice's share that is nearest to people (least mean square)."""
    errors = [
        np.mean((share * clips.voice[chosen] + (1.0 - share) * clips.face[chosen] - clips.both[chosen]) ** 2)
        for share in SHARES
    ]
    return float(SHARES[int(np.argmin(errors))])


def by_actor(clips: Clips) -> dict[str, object]:
    """The share on the other actors, and the error that it leaves on these, next to those of either stream alone."""
    fold = np.array([zlib.crc32(actor.encode()) % FOLDS for actor in clips.actors])
    shares, mixed = [], np.zeros(len(fold))
    for number in range(FOLDS):
        shares.append(best_share(clips, fold != number))
        test = fold == number
        mixed[test] = shares[-1] * clips.voice[test] + (1.0 - shares[-1]) * clips.face[test]
    named = {"mix": mixed, "face alone": clips.face, "voice alone": clips.voice}
    errors = {name: float(np.sqrt(np.mean((values - clips.both) ** 2))) for name, values in named.items()}
    return {"voice_share_by_fold": shares, "error": errors}


def as_fused(fuser: Fuser, clips: Clips, weights: dict[str, float]) -> dict[str, float]:
    """What a fuser makes of the clips, held against people."""
    context = FusionContext(weights=weights, mismatch_pairs=PAIRS, half_life_seconds=float("inf"))
    fused = [
        fuser.fuse([_prediction("face", face), _prediction("prosody", voice)], context)
        for face, voice in zip(clips.face.tolist(), clips.voice.tolist(), strict=True)
    ]
    neutral = fuser.fuse([_prediction("face", 0.0), _prediction("prosody", 0.0)], context).score
    scores = np.array([each.score for each in fused]) - neutral
    flagged, opposed = np.array([each.mismatch for each in fused]), clips.opposed
    return {
        "correlation": float(np.corrcoef(_ranks(scores), _ranks(clips.both))[0, 1]),
        "opposed": int(opposed.sum()),
        "with_the_face": int((np.sign(scores[opposed]) == np.sign(clips.face[opposed])).sum()),
        "flagged": int(flagged.sum()),
        "flagged_rightly": int((flagged & opposed).sum()),
    }


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder with crema_d")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    clips = read_clips(options.data / "crema_d" / "votes.csv")
    opposed = clips.opposed
    people = int((np.sign(clips.both[opposed]) == np.sign(clips.face[opposed])).sum())
    mix = by_actor(clips)
    fusers = {
        "weighted_sum": as_fused(WeightedSum(), clips, {"face": 1.0 - VOICE_SHARE, "prosody": VOICE_SHARE}),
        "fitted": as_fused(Fitted(shipped_model()), clips, {}),
    }
    console = Console(width=120)
    console.print(f"{len(clips.both)} clips of {len(set(clips.actors))} actors; {mix}")
    console.print(f"people side with the face in {people} of {int(opposed.sum())} clear oppositions")
    for name, figures in fusers.items():
        console.print(f"{name}: {figures}")
    if options.json:
        report = {"mix": mix, "opposed": int(opposed.sum()), "people_with_the_face": people, "fusers": fusers}
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def _prediction(modality: str, valence: float) -> Prediction:
    return Prediction(
        modality=modality,
        emotions={"any": 1.0},
        valence=valence,
        satisfaction=(valence + 1.0) / 2.0,
        confidence=CONFIDENCE,
        interval=TimeInterval(0.0, 0.0),
    )


def _ranks(values: Floats) -> Floats:
    return np.argsort(np.argsort(values, kind="stable")).astype(np.float64)


if __name__ == "__main__":
    main()
