"""From trained arrays to the files that ship: calibrated and measured on dev, with a manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import InputError, save_weights
from mien_voice.calibration import GROUP_LOGITS, LOGITS, Calibration, FloatArray, pool_groups
from mien_voice.labels import EKMAN, EMOTIONS28, SENTIMENTS
from mien_voice.network import NetworkConfig
from mien_voice.tonenetwork import FEATURE_HASHES, FEATURE_IDF, NETWORK, ToneNetwork
from mien_voice_lab import evaluation
from mien_voice_lab.training import fitting
from mien_voice_lab.training.data import Corpus, Turn

VERSION: Final = "2"
LICENSE: Final = "Apache-2.0"
LICENSE_NOTE: Final = (
    "Trained on GoEmotions (Demszky et al. 2020, CC BY 4.0), on sentences of our own, on word pairs of PocketSphinx's "
    "English language model (BSD), and on half of the rated turns of User Satisfaction Simulation (Sun et al. 2021; "
    "texts CC BY-SA 4.0, ratings without a licence file)."
)

SHARES: Final = (0.2, 0.3, 0.4, 0.5, 0.6)
"""Of the linear half, among which dev chooses."""

MOST_RATED: Final = 1_500
"""Rated turns that are enough for a mean."""

_NEUTRAL: Final = Calibration(
    scale=1.0,
    sentiment_scale=1.0,
    sentiment_bias=(0.0,) * len(SENTIMENTS),
    satisfaction_bias=0.0,
    satisfaction_scale=1.0,
    confidence_scale=1.0,
    confidence_bias=0.0,
    thresholds={"emotions28": (0.5,) * 28, "sentiment": (0.5,) * len(SENTIMENTS), "ekman": (0.5,) * len(EKMAN)},
)
"""Before anything is fitted."""


def ship(arrays: Path, out: Path, *, dev: Corpus, rated: Sequence[Turn], origin: Mapping[str, Any]) -> dict[str, float]:
    """Turn what ``distilled.run`` wrote into ``tone.json``, ``tone.safetensors`` and ``tokenizer.json``.

    Args:
        arrays: A ``student_*.npz`` with both halves.
        out: Folder to write to.
        dev: Labelled texts to choose and calibrate on.
        rated: Rated turns to fit the bias of satisfaction on.
        origin: How the arrays were made, for the manifest.

    Returns:
        What was measured on dev.

    Raises:
        InputError: There is no such file, or a half is missing.
    """
    held = _read(arrays)
    report = json.loads(held.pop("report").tobytes())
    deep, wide = (held.pop(name).astype(np.float32) for name in ("dev/deep", "dev/wide"))
    held.pop("dev/teachers", None)
    share = max(SHARES, key=lambda own: _promise(_joined(own, wide, deep), dev))
    config = NetworkConfig(**{**report["config"], "linear_share": share})
    out.mkdir(parents=True, exist_ok=True)
    (out / "tokenizer.json").write_bytes(held.pop("tokenizer").tobytes())
    hashes = held.pop(FEATURE_HASHES)
    write(out, config, held, hashes, calibration=_NEUTRAL, metrics={}, origin=origin)
    bias = 0.0
    if rated:
        some = rated[:MOST_RATED]
        worth = ToneNetwork(out / "tone.json").logits([turn.text for turn in some])[:, LOGITS]
        bias = fitting.fit_satisfaction_bias(worth, np.array([turn.rating for turn in some], np.float32))
    logits = _joined(share, wide, deep)
    calibration = fitting.fit(logits, dev.targets, satisfaction_bias=bias)
    metrics = dev_metrics(logits, dev.targets, calibration)
    write(out, config, held, hashes, calibration=calibration, metrics=metrics, origin=origin)
    return metrics


def dev_metrics(logits: FloatArray, targets: FloatArray, calibration: Calibration) -> dict[str, float]:
    """Macro-F1 with the thresholds fitted here and with those of the other half, and the calibration errors."""
    probabilities = calibration.apply(logits)
    said, truth = evaluation.said_labels(probabilities, calibration), evaluation.truths(targets)
    crossed = fitting.crossed_predictions(logits, targets)
    figures: dict[str, float] = {}
    for task in evaluation.TASK_LABELS:
        figures[f"dev_macro_f1_{task}"] = evaluation.macro_f1(said[task], truth[task])[0]
        figures[f"dev_macro_f1_{task}_crossed"] = evaluation.macro_f1(crossed[task], truth[task])[0]
    figures["dev_ece"] = evaluation.sentiment_calibration_error(probabilities, targets)
    figures["dev_confidence_ece"] = evaluation.confidence_calibration_error(probabilities, targets)
    return figures


def write(
    out: Path,
    config: NetworkConfig,
    floats: Mapping[str, npt.NDArray[Any]],
    hashes: npt.NDArray[np.uint32],
    *,
    calibration: Calibration,
    metrics: Mapping[str, float],
    origin: Mapping[str, Any],
) -> None:
    """The weights, half precision but for the hashes, with their manifest."""
    arrays = {name: np.asarray(array).astype(np.float16) for name, array in floats.items()}
    save_weights(
        out / "tone.json",
        {**arrays, FEATURE_HASHES: hashes},
        labels={
            "outputs": [*EMOTIONS28, *GROUP_LOGITS, "satisfaction"],
            "emotions28": list(EMOTIONS28),
            "sentiment": list(SENTIMENTS),
            "ekman": list(EKMAN),
        },
        name="tone",
        version=VERSION,
        network=NETWORK,
        license=LICENSE,
        license_note=LICENSE_NOTE,
        config=config.as_dict(),
        calibration=calibration.as_dict(),
        training=dict(origin),
        metrics={**metrics, "parameters": float(sum(array.size for array in floats.values()))},
    )


def _joined(share: float, wide: FloatArray, deep: FloatArray) -> FloatArray:
    """Both halves' logits as one, groups pooled."""
    return pool_groups(np.float32(share) * wide + np.float32(1.0 - share) * deep)


def _promise(logits: FloatArray, dev: Corpus) -> float:
    """Macro-F1 of the groupings by thresholds of the other half, summed."""
    said = fitting.crossed_predictions(logits[:, :LOGITS], dev.targets)
    truth = evaluation.truths(dev.targets)
    return sum(evaluation.macro_f1(said[task], truth[task])[0] for task in ("sentiment", "ekman"))


def _read(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with np.load(path) as held:
            arrays = dict(held)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path} as arrays: {error}") from error
    missing = [
        name for name in ("wide/table", "dev/wide", "dev/deep", FEATURE_HASHES, FEATURE_IDF) if name not in arrays
    ]
    if missing:
        raise InputError(f"{path} lacks {', '.join(missing)}: the run that wrote it had too little time")
    return arrays
