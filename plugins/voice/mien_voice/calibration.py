"""From logits to probabilities: temperatures, biases and thresholds fitted after training, and how they are applied.

Fitting lives in ``training.fitting``; here is only what a user of the weights needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mien_voice.labels import EKMAN, EKMAN_GROUPS, EMOTIONS28, SENTIMENT_GROUPS, SENTIMENTS, membership

FloatArray = npt.NDArray[np.float32]

GROUP_LOGITS: Final = ("positive", "negative", "ambiguous", "anger", "fear", "sadness")
"""The network's outputs after the 28: groups that are not one of the 28 themselves (Ekman's joy is ``positive``, his
surprise ``ambiguous``, his disgust and neutral are emotions of the 28)."""

LOGITS: Final = len(EMOTIONS28) + len(GROUP_LOGITS)
"""Multi-label outputs; the network's last output, after them, is satisfaction."""

MEMBER_SHARE: Final = 0.5
"""Of what a group's emotions say in the group's logit; the rest is the network's output for it. Chosen on dev."""

_MEMBERS: Final = membership({name: {**SENTIMENT_GROUPS, **EKMAN_GROUPS}[name] for name in GROUP_LOGITS})
"""Zeros and ones ``[28, 6]``."""

_LEAST_EVIDENCE: Final = 1e-6

_EKMAN_SOURCE: Final = {"joy": "positive", "surprise": "ambiguous"}
_NAMES: Final = (*EMOTIONS28, *(f"group {name}" for name in GROUP_LOGITS))


def _column(label: str) -> int:
    """Which logit speaks for a sentiment or an Ekman label: a group's own where there is one."""
    group = _EKMAN_SOURCE.get(label, label)
    return _NAMES.index(f"group {group}" if group in GROUP_LOGITS else group)


SENTIMENT_COLUMNS: Final = tuple(_column(name) for name in SENTIMENTS)
EKMAN_COLUMNS: Final = tuple(_column(name) for name in EKMAN)


class Probabilities(NamedTuple):
    """Calibrated answers about N texts.

    Attributes:
        emotions28: ``[N, 28]``, each by itself.
        sentiment: ``[N, 4]``, rows sum to 1.
        sentiment_labels: ``[N, 4]``, each by itself.
        ekman: ``[N, 7]``, each by itself.
        satisfaction: ``[N]``.
        confidence: ``[N]``, the chance that the speaker is on the side of 0.5 on which satisfaction is: low where it is
            near, since most who say nothing clear are on neither.
    """

    emotions28: FloatArray
    sentiment: FloatArray
    sentiment_labels: FloatArray
    ekman: FloatArray
    satisfaction: FloatArray
    confidence: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was fitted after training.

    Attributes:
        scale: Divides the multi-label logits.
        sentiment_scale: Divides the four sentiment logits before they share a softmax.
        sentiment_bias: Added to them, ``[4]``.
        satisfaction_bias: Added to the satisfaction logit.
        satisfaction_scale: Multiplies their sum: how far clear words go from 0.5.
        confidence_scale: How fast the confidence grows with the satisfaction logit's distance from 0.
        confidence_bias: The confidence's logit where satisfaction is 0.5.
        thresholds: Task (``emotions28``, ``sentiment``, ``ekman``) -> probability from which each label counts as said.
    """

    scale: float
    sentiment_scale: float
    sentiment_bias: tuple[float, ...]
    satisfaction_bias: float
    satisfaction_scale: float
    confidence_scale: float
    confidence_bias: float
    thresholds: Mapping[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        sizes = {task: len(values) for task, values in self.thresholds.items()}
        expected = {"emotions28": len(EMOTIONS28), "sentiment": len(SENTIMENTS), "ekman": len(EKMAN)}
        if sizes != expected or len(self.sentiment_bias) != len(SENTIMENTS):
            raise ValueError(f"a calibration needs thresholds for {expected} and four biases, got {sizes}")
        if min(self.scale, self.sentiment_scale, self.satisfaction_scale) <= 0:
            raise ValueError(
                f"scales must be positive, got {self.scale}, {self.sentiment_scale} and {self.satisfaction_scale}"
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """Read it from a manifest.

        Raises:
            KeyError: Something is missing.
            ValueError: Something has the wrong size.
        """
        return cls(
            scale=float(values["scale"]),
            sentiment_scale=float(values["sentiment_scale"]),
            sentiment_bias=tuple(float(value) for value in values["sentiment_bias"]),
            satisfaction_bias=float(values["satisfaction_bias"]),
            satisfaction_scale=float(values["satisfaction_scale"]),
            confidence_scale=float(values["confidence_scale"]),
            confidence_bias=float(values["confidence_bias"]),
            thresholds={task: tuple(float(v) for v in own) for task, own in values["thresholds"].items()},
        )

    def as_dict(self) -> dict[str, Any]:
        """For a manifest."""
        return {
            "scale": self.scale,
            "sentiment_scale": self.sentiment_scale,
            "sentiment_bias": list(self.sentiment_bias),
            "satisfaction_bias": self.satisfaction_bias,
            "satisfaction_scale": self.satisfaction_scale,
            "confidence_scale": self.confidence_scale,
            "confidence_bias": self.confidence_bias,
            "thresholds": {task: list(own) for task, own in self.thresholds.items()},
        }

    def apply(self, logits: FloatArray) -> Probabilities:
        """Turn the network's outputs ``[N, 35]`` into probabilities."""
        multi = sigmoid(logits[:, :LOGITS] / self.scale)
        joint = logits[:, SENTIMENT_COLUMNS] / self.sentiment_scale + np.asarray(self.sentiment_bias, np.float32)
        worth = np.float32(self.satisfaction_scale) * (logits[:, LOGITS] + np.float32(self.satisfaction_bias))
        return Probabilities(
            emotions28=multi[:, : len(EMOTIONS28)],
            sentiment=softmax(joint),
            sentiment_labels=multi[:, SENTIMENT_COLUMNS],
            ekman=multi[:, EKMAN_COLUMNS],
            satisfaction=sigmoid(worth),
            confidence=sigmoid(np.float32(self.confidence_scale) * np.abs(worth) + np.float32(self.confidence_bias)),
        )


def pool_groups(logits: FloatArray) -> FloatArray:
    """Let a group's emotions speak for the group: mix its own logit with the log-odds that any of them is there.

    Args:
        logits: The network's outputs ``[N, 35]``.

    Returns:
        The same with other logits of the groups.
    """
    evidence = np.maximum(np.logaddexp(0.0, logits[:, : len(EMOTIONS28)]) @ _MEMBERS, _LEAST_EVIDENCE)  # -log P(none)
    any_of_them = evidence + np.log(-np.expm1(-evidence))
    pooled = logits.copy()
    groups = slice(len(EMOTIONS28), LOGITS)
    pooled[:, groups] = (1.0 - MEMBER_SHARE) * logits[:, groups] + MEMBER_SHARE * any_of_them
    return pooled


def sigmoid(x: FloatArray) -> FloatArray:
    """Logistic function, safe for any size of ``x``."""
    result: FloatArray = (0.5 * (1.0 + np.tanh(0.5 * x))).astype(np.float32)
    return result


def softmax(x: FloatArray) -> FloatArray:
    """Along the last axis."""
    raised = np.exp(x - x.max(axis=-1, keepdims=True))
    result: FloatArray = (raised / raised.sum(axis=-1, keepdims=True)).astype(np.float32)
    return result
