"""Fits what is chosen after training, on data that was not trained on: thresholds, temperatures, biases.

Thresholds maximise each label's smoothed F1; temperatures and biases minimise the negative log-likelihood.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize

from mien_voice.calibration import (
    EKMAN_COLUMNS,
    LOGITS,
    SENTIMENT_COLUMNS,
    Calibration,
    FloatArray,
    sigmoid,
    softmax,
)
from mien_voice.labels import EKMAN_GROUPS, EMOTIONS28, SENTIMENT_GROUPS, group_targets, sides
from mien_voice_lab.training.data import NEUTRAL_RATING

TASK_COLUMNS: Final = {
    "emotions28": tuple(range(len(EMOTIONS28))),
    "sentiment": SENTIMENT_COLUMNS,
    "ekman": EKMAN_COLUMNS,
}
SATISFACTION_SCALE: Final = 1.6
"""What is learned from noisy labels is timid; chosen on ``tone_behaviour.tsv`` and ``tone_behaviour_new.tsv``."""

_LOG_ODDS: Final = np.linspace(-7.0, 5.0, 241, dtype=np.float32)
"""The thresholds that are tried, in steps of 0.05."""

_KERNEL: Final = np.exp(-0.5 * (np.arange(-10, 11) / 5.0) ** 2)
"""Weights of a threshold's neighbours: a standard deviation of 0.25."""

_SMALL: Final = 1e-7


def task_targets(targets: FloatArray) -> dict[str, FloatArray]:
    """Task -> zeros and ones, from those of the 28 emotions."""
    return {
        "emotions28": targets,
        "sentiment": group_targets(targets, SENTIMENT_GROUPS),
        "ekman": group_targets(targets, EKMAN_GROUPS),
    }


def logit_targets(targets: FloatArray) -> FloatArray:
    """Targets of all of the network's multi-label outputs, ``[N, 28] -> [N, 34]``."""
    every = np.zeros((len(targets), LOGITS), np.float32)
    for task, columns in TASK_COLUMNS.items():
        every[:, columns] = task_targets(targets)[task]
    return every


def best_threshold(scores: FloatArray, truth: FloatArray) -> float:
    """The threshold with the highest F1, smoothed over its neighbours.

    A rare label's F1 jumps from text to text, and the highest jump is luck; the mean over near thresholds carries over
    to other texts better (on halves of dev, Ekman's macro-F1 gains 0.003).

    Args:
        scores: Probabilities ``[N]``.
        truth: Zeros and ones ``[N]``.
    """
    order = np.argsort(-scores, kind="stable")
    f1 = 2.0 * np.cumsum(truth[order]) / (np.arange(1, len(order) + 1) + truth.sum())
    said = np.searchsorted(-scores[order], -sigmoid(_LOG_ODDS), side="right")  # how many pass each threshold
    curve = np.where(said > 0, f1[np.maximum(said - 1, 0)], 0.0)
    smooth = np.convolve(curve, _KERNEL / _KERNEL.sum(), mode="same")
    return float(sigmoid(_LOG_ODDS[[int(np.argmax(smooth))]])[0])


def fit_thresholds(logits: FloatArray, targets: FloatArray, scale: float) -> dict[str, tuple[float, ...]]:
    """Task -> one probability threshold for each label."""
    probabilities = sigmoid(logits / scale)
    truths = task_targets(targets)
    return {
        task: tuple(
            best_threshold(probabilities[:, column], truths[task][:, index]) for index, column in enumerate(columns)
        )
        for task, columns in TASK_COLUMNS.items()
    }


def fit_scale(logits: FloatArray, targets: FloatArray) -> float:
    """The temperature of the multi-label outputs."""
    truth = logit_targets(targets)

    def loss(log_scale: npt.NDArray[np.float64]) -> float:
        p = np.clip(sigmoid(logits / np.exp(log_scale[0])), _SMALL, 1 - _SMALL)
        return float(-np.mean(truth * np.log(p) + (1 - truth) * np.log(1 - p)))

    return float(np.exp(minimize(loss, np.zeros(1), method="Nelder-Mead").x[0]))


def fit_sentiment(logits: FloatArray, targets: FloatArray) -> tuple[float, tuple[float, ...]]:
    """Temperature and biases with which the four sentiments share a softmax; several true ones share the target."""
    truth = task_targets(targets)["sentiment"]
    truth = truth / truth.sum(axis=1, keepdims=True)
    four = logits[:, SENTIMENT_COLUMNS]

    def loss(values: npt.NDArray[np.float64]) -> float:
        p = softmax((four / np.exp(values[0]) + values[1:]).astype(np.float32))
        return float(-np.mean(np.sum(truth * np.log(np.maximum(p, _SMALL)), axis=1)))

    best = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-4}, jac="3-point").x
    bias = best[1:] - best[1:].mean()
    return float(np.exp(best[0])), tuple(float(value) for value in bias)


def fit_satisfaction_bias(logits: FloatArray, ratings: FloatArray) -> float:
    """The bias with which turns that raters call neutral (3 of 5) get 0.5 in the mean; 0 where there are none.

    The scale is left as learned: raters judge mostly what the system did, so that a scale fitted on them would flatten
    what the words say.
    """
    neutral = logits[ratings == NEUTRAL_RATING]
    if not len(neutral):
        return 0.0
    return float(brentq(lambda bias: float(sigmoid(neutral + np.float32(bias)).mean()) - 0.5, -20.0, 20.0))


def fit_confidence(worth: FloatArray, side: FloatArray) -> tuple[float, float]:
    """Scale and bias with which the distance of the satisfaction logit from 0 says how likely its side is right.

    Args:
        worth: Satisfaction logits, bias and scale applied, ``[N]``.
        side: As ``labels.sides`` gives them; where it is 0, either side is wrong.
    """
    right = (np.sign(worth) == side).astype(np.float32)
    distance = np.abs(worth)

    def loss(values: npt.NDArray[np.float64]) -> float:
        p = np.clip(sigmoid((np.exp(values[0]) * distance + values[1]).astype(np.float32)), _SMALL, 1 - _SMALL)
        return float(-np.mean(right * np.log(p) + (1 - right) * np.log(1 - p)))

    best = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return float(np.exp(best[0])), float(best[1])


def fit(logits: FloatArray, targets: FloatArray, *, satisfaction_bias: float = 0.0) -> Calibration:
    """Fit everything on a labelled set.

    Args:
        logits: ``[N, 35]``.
        targets: Zeros and ones, ``[N, 28]``.
        satisfaction_bias: As fitted on rated dialogues.
    """
    worth = np.float32(SATISFACTION_SCALE) * (logits[:, LOGITS] + np.float32(satisfaction_bias))
    logits = logits[:, :LOGITS]
    scale = fit_scale(logits, targets)
    sentiment_scale, sentiment_bias = fit_sentiment(logits, targets)
    confidence_scale, confidence_bias = fit_confidence(worth, sides(targets))
    return Calibration(
        scale=scale,
        sentiment_scale=sentiment_scale,
        sentiment_bias=sentiment_bias,
        satisfaction_bias=satisfaction_bias,
        satisfaction_scale=SATISFACTION_SCALE,
        confidence_scale=confidence_scale,
        confidence_bias=confidence_bias,
        thresholds=fit_thresholds(logits, targets, scale),
    )


def crossed_predictions(logits: FloatArray, targets: FloatArray, *, seed: int = 0) -> dict[str, npt.NDArray[np.bool_]]:
    """Predictions whose thresholds were fitted on the other half, for an honest figure on the set they are fitted on.

    Returns:
        Task -> ``[N, labels]``.
    """
    halves = np.array_split(np.random.default_rng(seed).permutation(len(logits)), 2)
    said = {task: np.zeros((len(logits), len(columns)), np.bool_) for task, columns in TASK_COLUMNS.items()}
    for fitted, applied in (halves, halves[::-1]):
        thresholds = fit_thresholds(logits[fitted], targets[fitted], 1.0)
        for task, columns in TASK_COLUMNS.items():
            said[task][applied] = sigmoid(logits[applied][:, columns]) >= np.asarray(thresholds[task])
    return said
