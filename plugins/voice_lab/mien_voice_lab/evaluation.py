"""Measures the tone network: macro-F1 of emotions and groupings, calibration error, agreement with rated dialogues.

Figures as plain dictionaries; pictures are ``mien.plots``', the command line ``commands``'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import metrics
from mien_voice import features, lexicon
from mien_voice.calibration import Calibration, FloatArray, Probabilities
from mien_voice.labels import (
    EKMAN,
    EKMAN_GROUPS,
    EMOTIONS28,
    SENTIMENT_GROUPS,
    SENTIMENTS,
    group_targets,
    sides,
)
from mien_voice.tonenetwork import ToneNetwork
from mien_voice_lab.training.data import NEUTRAL_RATING, Corpus, Dialogue
from mien_voice_lab.training.speechlike import without_signs

BoolArray = npt.NDArray[np.bool_]

TASK_LABELS: Final[dict[str, tuple[str, ...]]] = {"sentiment": SENTIMENTS, "ekman": EKMAN, "emotions28": EMOTIONS28}

_PLEASANT: Final = frozenset(
    ("admire", "good", "amuse", "approve", "gratitude", "joy", "love", "relief", "excite", "pride", "service_good")
)
_UNPLEASANT: Final = frozenset(
    ("anger", "annoy", "disapprove", "disappoint", "service_bad", "disgust", "sad", "fear", "grief")
)


def macro_f1(said: BoolArray, truth: FloatArray) -> tuple[float, list[float]]:
    """Unweighted mean of the labels' F1, and each label's; a label that is neither said nor true counts 0.

    Args:
        said: ``[N, labels]``.
        truth: Zeros and ones ``[N, labels]``.
    """
    hits = (said & (truth > 0)).sum(axis=0)
    each = 2.0 * hits / np.maximum(said.sum(axis=0) + truth.sum(axis=0), 1)
    return float(each.mean()), [float(value) for value in each]


def said_labels(probabilities: Probabilities, calibration: Calibration) -> dict[str, BoolArray]:
    """Task -> which labels pass their thresholds."""
    scores = {
        "sentiment": probabilities.sentiment_labels,
        "ekman": probabilities.ekman,
        "emotions28": probabilities.emotions28,
    }
    return {task: score >= np.asarray(calibration.thresholds[task], np.float32) for task, score in scores.items()}


def truths(targets: FloatArray) -> dict[str, FloatArray]:
    """Task -> zeros and ones, from those of the 28 emotions."""
    return {
        "sentiment": group_targets(targets, SENTIMENT_GROUPS),
        "ekman": group_targets(targets, EKMAN_GROUPS),
        "emotions28": targets,
    }


def sentiment_hits(probabilities: Probabilities, targets: FloatArray) -> BoolArray:
    """Whether each text's likeliest sentiment is one of the true ones, ``[N]``."""
    likeliest = probabilities.sentiment.argmax(axis=1)
    hits: BoolArray = group_targets(targets, SENTIMENT_GROUPS)[np.arange(len(likeliest)), likeliest] > 0
    return hits


def sentiment_calibration_error(probabilities: Probabilities, targets: FloatArray) -> float:
    """Expected calibration error of the likeliest sentiment."""
    return metrics.reliability(probabilities.sentiment.max(axis=1), sentiment_hits(probabilities, targets)).error


def confidence_calibration_error(probabilities: Probabilities, targets: FloatArray) -> float:
    """Expected calibration error of the confidence: that the speaker is on the side that satisfaction tells."""
    told = np.sign(probabilities.satisfaction - 0.5)
    return metrics.reliability(probabilities.confidence, told == sides(targets)).error


def evaluate_emotions(network: ToneNetwork, corpus: Corpus) -> dict[str, Any]:
    """Figures on labelled texts, with the thresholds that are shipped.

    Returns:
        ``examples``, ``macro_f1`` (task -> figure), ``macro_f1_without_signs`` (the same texts in lower case
        and without punctuation, as some engines write), ``f1`` (task -> label -> figure), ``ece``,
        ``confidence_ece`` and ``sentiment_accuracy`` (the likeliest sentiment is one of the true ones).
    """
    probabilities = network.probabilities(corpus.texts)
    macro, each = _f1(network, probabilities, corpus.targets)
    spoken = network.probabilities([without_signs(text) for text in corpus.texts])
    return {
        "examples": len(corpus.texts),
        "macro_f1": macro,
        "macro_f1_without_signs": _f1(network, spoken, corpus.targets)[0],
        "ece": sentiment_calibration_error(probabilities, corpus.targets),
        "confidence_ece": confidence_calibration_error(probabilities, corpus.targets),
        "sentiment_accuracy": float(sentiment_hits(probabilities, corpus.targets).mean()),
        "f1": each,
    }


def _f1(
    network: ToneNetwork, probabilities: Probabilities, targets: FloatArray
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Task -> macro-F1, and task -> label -> F1."""
    said, truth = said_labels(probabilities, network.calibration), truths(targets)
    macro: dict[str, float] = {}
    each: dict[str, dict[str, float]] = {}
    for task, labels in TASK_LABELS.items():
        macro[task], values = macro_f1(said[task], truth[task])
        each[task] = dict(zip(labels, values, strict=True))
    return macro, each


def sentiment_confusion(network: ToneNetwork, corpus: Corpus) -> npt.NDArray[np.int64]:
    """How often each true sentiment got each likeliest one, over texts with one true sentiment, ``[4, 4]``."""
    truth = truths(corpus.targets)["sentiment"]
    likeliest = network.probabilities(corpus.texts).sentiment.argmax(axis=1)
    single = truth.sum(axis=1) == 1
    table = np.zeros((len(SENTIMENTS), len(SENTIMENTS)), np.int64)
    np.add.at(table, (truth[single].argmax(axis=1), likeliest[single]), 1)
    return table


def lexicon_score(text: str) -> float:
    """A baseline without a network: pleasant minus unpleasant word classes, turned round by a negation, a word."""
    tokens = features.tokenise(features.normalise(text))
    negated = features.negation(tokens)
    total = 0.0
    for position, classes in lexicon.find(tokens):
        value = float(any(name in _PLEASANT for name in classes)) - float(any(n in _UNPLEASANT for n in classes))
        total += -value if negated[position] else value
    return total / max(len(tokens), 1)


def three_classes(values: FloatArray, cuts: tuple[float, float]) -> npt.NDArray[np.int64]:
    """0 below the first cut, 2 above the second, else 1."""
    return (values >= cuts[0]).astype(np.int64) + (values > cuts[1]).astype(np.int64)


def rating_classes(ratings: FloatArray) -> npt.NDArray[np.int64]:
    """0 below three, 1 at three, 2 above."""
    return three_classes(ratings, (NEUTRAL_RATING, NEUTRAL_RATING))


def three_class_f1(said: npt.NDArray[np.int64], truth: npt.NDArray[np.int64]) -> float:
    """Macro-F1 over the three classes."""
    one_hot = np.eye(3)
    return macro_f1(one_hot[said] > 0, one_hot[truth].astype(np.float32))[0]


def spearman(a: Sequence[float] | FloatArray, b: Sequence[float] | FloatArray) -> float:
    """Spearman's rank correlation; 0 where one side does not vary."""
    from scipy.stats import spearmanr

    if np.ptp(np.asarray(a)) == 0 or np.ptp(np.asarray(b)) == 0:
        return 0.0
    return float(spearmanr(a, b).statistic)


def evaluate_dialogues(
    scores: Sequence[FloatArray], dialogues: Sequence[Dialogue], cuts: tuple[float, float]
) -> dict[str, float]:
    """Figures of any score of turns against the ratings.

    Args:
        scores: One array of turn scores for each dialogue.
        dialogues: The rated dialogues.
        cuts: Scores that part below, at and above three.

    Returns:
        ``turn_macro_f1``, ``turn_recall`` (unweighted), ``turn_spearman``, ``dialogue_spearman``.
    """
    ratings = np.array([turn.rating for dialogue in dialogues for turn in dialogue.turns], np.float32)
    flat = np.concatenate(list(scores))
    said, truth = three_classes(flat, cuts), rating_classes(ratings)
    recalls = [float((said[truth == k] == k).mean()) for k in range(3) if bool((truth == k).any())]
    spoken = [(own, dialogue) for own, dialogue in zip(scores, dialogues, strict=True) if len(own)]
    return {
        "turn_macro_f1": three_class_f1(said, truth),
        "turn_recall": float(np.mean(recalls)),
        "turn_spearman": spearman(flat, ratings),
        "dialogue_spearman": spearman(
            [float(own.mean()) for own, _ in spoken], [dialogue.overall for _, dialogue in spoken]
        ),
    }


def network_scores(network: ToneNetwork, dialogues: Sequence[Dialogue]) -> list[FloatArray]:
    """Satisfaction of each turn, dialogue by dialogue."""
    texts = [turn.text for dialogue in dialogues for turn in dialogue.turns]
    flat = network.probabilities(texts).satisfaction if texts else np.zeros(0, np.float32)
    return np.split(flat, np.cumsum([len(dialogue.turns) for dialogue in dialogues])[:-1])


def lexicon_scores(dialogues: Sequence[Dialogue]) -> list[FloatArray]:
    """The lexicon baseline's score of each turn, dialogue by dialogue."""
    return [np.array([lexicon_score(turn.text) for turn in dialogue.turns], np.float32) for dialogue in dialogues]


def best_cuts(scores: FloatArray, ratings: FloatArray) -> tuple[float, float]:
    """The two cuts with the highest three-class macro-F1, out of the scores' percentiles."""
    truth = rating_classes(ratings)
    levels = np.unique(np.quantile(scores, np.linspace(0.01, 0.99, 50)))
    best, cuts = -1.0, (float(levels[0]), float(levels[-1]))
    for index, low in enumerate(levels):
        for high in levels[index:]:
            figure = three_class_f1(three_classes(scores, (float(low), float(high))), truth)
            if figure > best:
                best, cuts = figure, (float(low), float(high))
    return cuts


def compare_on_dialogues(
    network: ToneNetwork, fitted: Sequence[Dialogue], held_out: Sequence[Dialogue]
) -> Mapping[str, dict[str, float]]:
    """The network beside a majority and a lexicon baseline; cuts are fitted on one part, figures are of the other."""
    ratings = np.array([turn.rating for dialogue in fitted for turn in dialogue.turns], np.float32)
    found: dict[str, dict[str, float]] = {}
    for name, scorer in (("network", lambda d: network_scores(network, d)), ("lexicon", lexicon_scores)):
        cuts = best_cuts(np.concatenate(scorer(fitted)), ratings)
        found[name] = evaluate_dialogues(scorer(held_out), held_out, cuts)
    constant = [np.full(len(dialogue.turns), 0.5, np.float32) for dialogue in held_out]
    found["majority"] = evaluate_dialogues(constant, held_out, (0.0, 1.0))
    return found
