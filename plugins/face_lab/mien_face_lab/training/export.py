"""Turns averaged weights into the files that ship: folded, stored as float16, calibrated and measured on validation."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import Manifest, save_weights
from mien_face.config import Arrays, NetworkConfig
from mien_face.inference import NETWORK_NAME, Calibration, ExpressionNetwork, combine, softmax
from mien_face.labels import FER2013_LABELS, FERPLUS_LABELS, HEAD_LABELS, majority_labels
from mien_face_lab.evaluation import Evaluation, evaluate, negative_log_likelihood
from mien_face_lab.folding import fold
from mien_face_lab.training.data import FaceData

VERSION: Final = "1.7.0"
"""Of the weights that this code makes."""

LICENSE_NOTE: Final = (
    "Trained on the FER2013 pictures of the Kaggle challenge (Goodfellow et al. 2013) with its labels and the FER+ "
    "votes (Barsoum et al. 2016, MIT), and, where the training says so, on portraits (muxspace/facial_expressions, "
    "Apache-2.0). FER2013's pictures come from web searches and are meant for research; they are not distributed here."
)

COUNTER_BIAS: Final = MappingProxyType({"angry": 0.7, "disgust": 0.7, "sad": 0.7})
"""Twice the odds for what speaks against the service: FER+'s annotators saw little of it in quiet faces. Chosen on
portraits of the training persons with everyday expressions; see TRAINING.md for what it gives."""


def export(
    config: NetworkConfig, arrays: Arrays, *, validation: FaceData, manifest_path: Path, training: Mapping[str, Any]
) -> Manifest:
    """Write weights and manifest.

    Args:
        config: The network.
        arrays: Parameters and running statistics, not folded.
        validation: Calibration is fitted and figures are taken on it.
        manifest_path: Where the manifest goes; the weights go beside it.
        training: How the weights were made, for the manifest.
    """
    stored = {name: array.astype(np.float16) for name, array in fold(config, arrays).items()}
    about: dict[str, Any] = {
        "name": manifest_path.stem,
        "version": VERSION,
        "network": NETWORK_NAME,
        "labels": {str(head): list(labels) for head, labels in HEAD_LABELS.items()},
        "license": "Apache-2.0",
        "license_note": LICENSE_NOTE,
        "config": config.to_json(),
        "training": dict(training),
    }
    with tempfile.TemporaryDirectory() as folder:  # the figures are those of the stored weights, run as they will be
        draft = Path(folder) / manifest_path.name
        save_weights(draft, stored, **about)
        logits = ExpressionNetwork.load(draft).logits(validation.crops)
    calibration = fit_calibration(logits, validation)
    return save_weights(
        manifest_path,
        stored,
        **about,
        calibration={name: getattr(calibration, name) for name in Calibration.__slots__},
        metrics=figures(logits, calibration, validation),
    )


def fit_calibration(logits: npt.NDArray[np.float32], validation: FaceData) -> Calibration:
    """Fit both temperatures; where there are votes, the FER+ head alone speaks in the combined answer.

    FER2013's labels come from web searches for emotions, and a head that learnt them calls most people at rest sad or
    angry. So which head answers is not asked of validation faces from the same searches.

    Args:
        logits: Of both heads side by side, ``[n, 15]``.
        validation: The faces that they are of.
    """
    width = len(FER2013_LABELS)
    first = fit_temperature(logits[:, :width], validation.labels)
    majority = majority_labels(validation.votes)
    counted = majority >= 0
    if not counted.any():
        return Calibration(first)
    return Calibration(
        fer2013_temperature=first,
        ferplus_temperature=fit_temperature(logits[counted, width:], majority[counted]),
        ferplus_share=1.0,
        combined_bias=tuple(COUNTER_BIAS.get(label, 0.0) for label in FER2013_LABELS),
    )


def fit_temperature(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> float:
    """The temperature with the best likelihood, by golden-section search over its logarithm.

    Args:
        logits: ``[n, k]``.
        labels: ``[n]``.
    """

    def cost(log_temperature: float) -> float:
        return negative_log_likelihood(softmax(logits, temperature=float(np.exp(log_temperature))), labels)

    golden = (np.sqrt(5) - 1) / 2
    low, high = float(np.log(0.2)), float(np.log(5.0))
    while high - low > 1e-4:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if cost(left) < cost(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def figures(logits: npt.NDArray[np.float32], calibration: Calibration, data: FaceData) -> dict[str, float]:
    """The figures that a manifest quotes: each head by its own labels, from calibrated probabilities."""
    answer = combine(logits, calibration)
    majority = majority_labels(data.votes)
    counted = majority >= 0
    fer2013 = evaluate(answer.fer2013, data.labels, FER2013_LABELS)
    ferplus = (
        _quote("ferplus", evaluate(answer.ferplus[counted], majority[counted], FERPLUS_LABELS)) if counted.any() else {}
    )
    return {
        **_quote("fer2013", fer2013),
        **{f"fer2013_recall_{label}": each.recall for label, each in fer2013.per_class.items()},
        **ferplus,
    }


def _quote(prefix: str, evaluation: Evaluation) -> dict[str, float]:
    names = ("n", "accuracy", "balanced_accuracy", "macro_f1", "ece", "nll")
    return {f"{prefix}_{name}": float(getattr(evaluation, name)) for name in names}
