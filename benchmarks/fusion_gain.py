"""What fusing face and words brings over the better of the two. THE PAIRING IS SIMULATED.

    python benchmarks/fusion_gain.py [--data FOLDER] [--words ANALYZER] [--opposite SHARE] [--cache FOLDER] [--json F]

There is no free corpus with both streams. So each face of FER2013's validation split that is happy (positive) or angry,
disgusted, afraid or sad (negative) is paired at random with a text of GoEmotions' dev split of the same polarity: in
these pairs the two streams err independently, which real customers' do less. A stated share of pairs is of opposite
polarity instead and serves the mismatch flag alone. What runs is the installed plugins' face network, voice (or other
text) analyzer and `weighted_sum`; only the search for the face is left out, for these pictures are faces already. Both
networks were tuned on the splits used here, so their own figures are a little kind; the comparison is among equals.

Reported for positive against negative: area under the ROC curve and balanced accuracy at a score of 0.5, with 90 %
bootstrap intervals over pairs. A stream that is missing says 0.5.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from mien import FusionContext, ImageFrame, Prediction, Sample, ScoreInterval, TimeInterval, Utterance
from mien.config import parse_settings
from mien.plugins.host import PluginHost
from mien_fusion.fitting import fit_weights
from mien_fusion.interval import wilson_interval
from mien_fusion.rated import RatedSessions
from mien_fusion.weighted_sum import WeightedSum

DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
SEED: Final = 2026
FOLDS: Final = 5
RESAMPLES: Final = 300
BATCH: Final = 64
MISSING: Final = 0.3
ENLARGED: Final = 3
"""Pictures are shown three times as large (144 pixels, as a kiosk's camera gives them); the crop undoes it exactly."""

HAPPY: Final = 3
NEGATIVE_FACES: Final = (0, 1, 2, 4)  # angry, disgust, fear, sad

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Row = dict[str, Any]


def read_faces(data: Path) -> tuple[list[Sample], Bools]:
    """The faces of the validation split that have a polarity, and whether it is positive."""
    import cv2
    import pyarrow.parquet as parquet

    table = parquet.read_table(data / "fer2013" / "validation.parquet", columns=["image", "emotion"])
    emotions = np.asarray(table["emotion"])
    images = table["image"].to_pylist()
    samples: list[Sample] = []
    kept = np.flatnonzero(np.isin(emotions, (HAPPY, *NEGATIVE_FACES)))
    for row in kept:
        grey = np.asarray(cv2.imdecode(np.frombuffer(images[row], np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
        large = np.repeat(np.repeat(grey, ENLARGED, axis=0), ENLARGED, axis=1)
        samples.append(ImageFrame(np.ascontiguousarray(np.repeat(large[:, :, None], 3, axis=2))))
    return samples, emotions[kept] == HAPPY


def read_texts(data: Path) -> tuple[list[Sample], Bools]:
    """The texts of the dev split whose labels are all positive or all negative, and which."""
    from mien_voice.labels import SENTIMENT_GROUPS, Sentiment

    labels = (data / "goemotions" / "labels.txt").read_text(encoding="utf-8").split()
    samples: list[Sample] = []
    positive = []
    for line in (data / "goemotions" / "dev.tsv").read_text(encoding="utf-8").splitlines():
        text, numbers, _ = line.split("\t")
        names = {labels[int(number)] for number in numbers.split(",")}
        is_positive = names <= set(SENTIMENT_GROUPS[Sentiment.POSITIVE])
        if is_positive or names <= set(SENTIMENT_GROUPS[Sentiment.NEGATIVE]):
            samples.append(Utterance(text=text, language="en"))
            positive.append(is_positive)
    return samples, np.array(positive)


def face_analyzer() -> tuple[str, Callable[[Sequence[Sample]], list[list[Prediction]]]]:
    """The shipped face analyzer, told that the whole picture is the face; and its version."""
    from mien import Box, Detection, read_manifest
    from mien_face.analyzer import FaceAnalyzer
    from mien_face.detection.base import Pixels
    from mien_face.factory import EXPRESSION_MANIFEST, build_tables
    from mien_face.inference import ExpressionNetwork
    from mien_face.settings import FaceSettings

    class WholePicture:
        margin = 0.0
        threshold = 0.0

        def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
            shapes = [pixels.shape[:2] for pixels in pictures]
            return [[Detection(Box(0, 0, width, height), score=1.0)] for height, width in shapes]

        def warm_up(self) -> None:
            pass

    settings = FaceSettings()
    network = ExpressionNetwork.load(EXPRESSION_MANIFEST)
    analyzer = FaceAnalyzer(WholePicture(), network, build_tables(settings), settings)
    return read_manifest(EXPRESSION_MANIFEST).sha256[:12], analyzer.analyze


def predict(
    name: str, version: str, samples: list[Sample], analyze: Callable[..., list[list[Prediction]]], cache: Path | None
) -> Floats:
    """Evidence and confidence of each sample, ``[samples, 2]``; 0.5 and 0 where nothing was found.

    With a ``cache`` they are kept there, and taken from there where the version is the same.
    """
    path = cache and cache / f"{name}-{version}-{len(samples)}.npy"
    if path and path.exists():
        return np.asarray(np.load(path), dtype=np.float64)
    said = np.tile([0.5, 0.0], (len(samples), 1))
    for start in range(0, len(samples), BATCH):
        for offset, predictions in enumerate(analyze(samples[start : start + BATCH])):
            if predictions:
                said[start + offset] = predictions[0].satisfaction, predictions[0].confidence
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, said)
    return said


def fuse(face: Floats, words: Floats, weights: dict[str, float]) -> tuple[Floats, Bools]:
    """The fuser's score and mismatch flag of each pair; both inputs are ``[pairs, 2]``."""
    fuser = WeightedSum()
    context = FusionContext(expected=frozenset({"face", "voice"}), weights=weights)
    fused = [
        fuser.fuse([_prediction("face", *one), _prediction("voice", *other)], context)
        for one, other in zip(face.tolist(), words.tolist(), strict=True)
    ]
    return np.array([each.score for each in fused]), np.array([each.mismatch for each in fused])


def _prediction(modality: str, satisfaction: float, confidence: float) -> Prediction:
    return Prediction(
        modality=modality,
        emotions={"any": 1.0},
        valence=0.0,
        satisfaction=satisfaction,
        confidence=confidence,
        interval=TimeInterval(0.0, 0.0),
    )


def fit_by_fold(
    face: Floats, words: Floats, good: Bools, random: np.random.Generator
) -> tuple[npt.NDArray[np.int64], list[dict[str, float]]]:
    """Each pair's fold, and for each fold the weights that were fitted to the others."""
    fold = random.permutation(len(good)) % FOLDS
    weights = []
    for number in range(FOLDS):
        train = fold != number
        sessions = RatedSessions(
            modalities=("face", "voice"),
            scores=np.stack([face[train, 0], words[train, 0]], axis=1),
            confidences=np.stack([face[train, 1], words[train, 1]], axis=1),
            good=good[train],
        )
        weights.append(dict(fit_weights(sessions, {}).weights))
    return fold, weights


def auc(scores: Floats, good: Bools) -> float:
    """Chance that a positive pair has the higher score; ties count half."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    positive = int(good.sum())
    above = ranks[good].sum() - positive * (positive + 1) / 2.0
    return float(above / (positive * (len(good) - positive)))


def balanced_accuracy(scores: Floats, good: Bools) -> float:
    """Mean over the two polarities of the share on the right side of 0.5; exactly 0.5 counts half."""
    right = np.where(scores == 0.5, 0.5, (scores > 0.5) == good)
    return float((right[good].mean() + right[~good].mean()) / 2.0)


def measure(streams: dict[str, Floats], good: Bools, *, condition: str) -> list[Row]:
    """Each way of scoring, with intervals; and how much of the better single stream's error the fused ones leave."""
    random = np.random.default_rng(SEED)
    draws = [random.integers(0, len(good), len(good)) for _ in range(RESAMPLES)]
    areas = {name: np.array([auc(scores[draw], good[draw]) for draw in draws]) for name, scores in streams.items()}
    singles = ("face alone", "words alone")
    best = max(singles, key=lambda name: auc(streams[name], good))
    rows = []
    for name, scores in streams.items():
        accuracies = [balanced_accuracy(scores[draw], good[draw]) for draw in draws]
        cut = 1.0 - (1.0 - areas[name]) / (1.0 - areas[best])
        rows.append(
            {
                "condition": condition,
                "scored by": name,
                "auc": auc(scores, good),
                "auc_interval": _middle(areas[name]),
                "balanced_accuracy": balanced_accuracy(scores, good),
                "balanced_accuracy_interval": _middle(np.array(accuracies)),
                "error_cut": 1.0 - (1.0 - auc(scores, good)) / (1.0 - auc(streams[best], good)),
                "error_cut_interval": _middle(cut),
                "better_single": best,
            }
        )
    return rows


def _middle(values: Floats) -> list[float]:
    return [float(value) for value in np.percentile(values, [5.0, 95.0])]


def without(stream: Floats, share: float, random: np.random.Generator) -> Floats:
    """The stream with a share of it missing: evidence 0.5, confidence 0."""
    kept = stream.copy()
    kept[random.uniform(size=len(stream)) < share] = 0.5, 0.0
    return kept


def compare(face: Floats, words: Floats, good: Bools) -> tuple[list[Row], list[float]]:
    """All conditions on the pairs of one polarity; weights are fitted to whole pairs, as a site would."""
    random = np.random.default_rng(SEED)
    conditions = {
        "both": (face, words),
        f"{MISSING:.0%} of faces missing": (without(face, MISSING, random), words),
        f"{MISSING:.0%} of words missing": (face, without(words, MISSING, random)),
    }
    fold, weights = fit_by_fold(face, words, good, random)
    rows = []
    for condition, (seen, heard) in conditions.items():
        fitted = np.zeros(len(good))
        for number in range(FOLDS):
            test = fold == number
            fitted[test] = fuse(seen[test], heard[test], weights[number])[0]
        streams = {
            "face alone": seen[:, 0],
            "words alone": heard[:, 0],
            "fused, equal weights": fuse(seen, heard, {})[0],
            "fused, fitted weights": fitted,
        }
        rows += measure(streams, good, condition=condition)
    return rows, [each["face"] / sum(each.values()) for each in weights]


def flagging(face: Floats, words: Floats, opposite: Bools) -> Row:
    """Precision and recall of the mismatch flag, with 90 % intervals."""
    flagged = fuse(face, words, {})[1]
    found, raised, real = int((flagged & opposite).sum()), int(flagged.sum()), int(opposite.sum())
    confident = (face[:, 1] >= 0.5) & (words[:, 1] >= 0.5)
    row: Row = {"pairs": len(opposite), "opposite": real, "flagged": raised, "right": found}
    row["both_confident"] = float(confident.mean())
    for name, out_of in (("precision", raised), ("recall", real), ("recall_where_confident", 0)):
        hits = found
        if name == "recall_where_confident":
            hits, out_of = int((flagged & opposite & confident).sum()), int((opposite & confident).sum())
        share = hits / out_of if out_of else float("nan")
        around = wilson_interval(share, out_of) if out_of else ScoreInterval(0.0, 1.0)
        row[name] = share
        row[f"{name}_interval"] = [around.low, around.high]
    return row


def pair(polarity: Bools, texts_positive: Bools, opposite: Bools, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """For each face a text of the same polarity, or of the other where ``opposite``."""
    wanted = polarity ^ opposite
    chosen = np.zeros(len(polarity), dtype=np.int64)
    for side in (True, False):
        rows = np.flatnonzero(wanted == side)
        chosen[rows] = random.choice(np.flatnonzero(texts_positive == side), size=len(rows))
    return chosen


def main() -> None:
    """Predict, pair, measure, show, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder with fer2013 and goemotions")
    parser.add_argument("--words", default="voice", help="the analyzer of the texts")
    parser.add_argument("--opposite", type=float, default=0.15, help="share of pairs of opposite polarity")
    parser.add_argument("--cache", type=Path, help="keep predictions here, and reuse them")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    faces, face_positive = read_faces(options.data)
    texts, text_positive = read_texts(options.data)
    host = PluginHost.discover(parse_settings({"engine": {"analyzers": [options.words]}}))
    face_version, analyze_faces = face_analyzer()
    words_version = host.analyzers[options.words].info.version
    face = predict("face", face_version, faces, analyze_faces, options.cache)
    analyze_words = host.analyzer(options.words).analyze
    all_words = predict(options.words, words_version, texts, analyze_words, options.cache)
    host.close()
    random = np.random.default_rng(SEED)
    opposite = random.uniform(size=len(face)) < options.opposite
    words = all_words[pair(face_positive, text_positive, opposite, random)]
    rows, shares = compare(face[~opposite], words[~opposite], face_positive[~opposite])
    flags = flagging(face, words, opposite)
    versions = {"face": face_version, options.words: words_version}
    show(rows, shares, flags, versions, texts=len(texts))
    if options.json:
        report = {"versions": versions, "fusion": rows, "face_share_of_fitted_weight": shares, "mismatch": flags}
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def show(rows: list[Row], shares: list[float], flags: Row, versions: dict[str, str], *, texts: int) -> None:
    """The figures for a person."""
    console = Console(width=120)
    title = f"SIMULATED pairs: {flags['pairs']} faces with {texts} texts; {versions}"
    table = Table("streams", "scored by", "AUC (90 %)", "balanced accuracy (90 %)", "1 - AUC cut (90 %)", title=title)
    for row in rows:
        table.add_row(
            row["condition"],
            row["scored by"],
            _with_interval(row["auc"], row["auc_interval"]),
            _with_interval(row["balanced_accuracy"], row["balanced_accuracy_interval"]),
            _with_interval(row["error_cut"], row["error_cut_interval"]) if "fused" in row["scored by"] else "",
        )
    console.print(table)
    console.print(f"face's share of the fitted weight: {np.mean(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})")
    for name in ("precision", "recall", "recall_where_confident"):
        console.print(f"mismatch flag, {name}: {_with_interval(flags[name], flags[f'{name}_interval'])}")
    console.print(f"{flags['opposite']} opposite pairs, {flags['flagged']} flagged, {flags['right']} of them rightly")


def _with_interval(value: float, interval: Sequence[float]) -> str:
    return f"{value:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"


if __name__ == "__main__":
    main()
