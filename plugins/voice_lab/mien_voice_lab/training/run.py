"""The whole training of the tone network, from the data's files to the shipped ones. One function a stage."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien import plots, save_weights
from mien_voice import network
from mien_voice.calibration import GROUP_LOGITS, LOGITS, Calibration, FloatArray, pool_groups, sigmoid
from mien_voice.featuretable import FeatureTable
from mien_voice.labels import EKMAN, EMOTIONS28, SENTIMENTS
from mien_voice.network import NetworkConfig, Params
from mien_voice.tokenizer import SubwordTokenizer, train_tokenizer
from mien_voice.tonenetwork import FEATURE_HASHES, FEATURE_IDF, NETWORK
from mien_voice_lab import evaluation
from mien_voice_lab.training import fitting, linear, loop
from mien_voice_lab.training.data import (
    CALIBRATION_SHARE,
    SPLIT_SEED,
    Dialogue,
    read_dialogues,
    read_goemotions,
    satisfaction_targets,
    split_dialogues,
)
from mien_voice_lab.training.synthetic import LabelledText, generate

VERSION: Final = "1"
SYNTHETIC_SENTENCES: Final = 12_000
SYNTHETIC_WEIGHT: Final = 0.15
"""How much one of our own sentences counts for the emotions, beside one of GoEmotions'."""

SYNTHETIC_WEIGHT_SATISFACTION: Final = 1.0
"""The same for satisfaction, which is about customer service and not about Reddit."""

LICENSE: Final = "Apache-2.0"
LICENSE_NOTE: Final = (
    "Trained on GoEmotions (Demszky et al. 2020, CC BY 4.0) and on sentences of our own; the satisfaction output is "
    "calibrated on ratings of the User Satisfaction Simulation data (Sun et al. 2021; texts CC BY-SA 4.0, ratings "
    "without a licence file)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a user of the command chooses."""

    epochs: int = 4
    seed: int = 0
    threads: int = 2
    vocabulary: int = 4_000


@dataclass(slots=True)
class History:
    """One value an epoch."""

    loss: list[float] = field(default_factory=list)
    macro: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything that is learned from or chosen on, as arrays.

    Attributes:
        table: The n-grams that are known.
        examples: The training texts.
        dev: The texts that choices are made on.
        dev_targets: Their emotions, zeros and ones ``[N, 28]``.
        rated: Rated turns that satisfaction is calibrated on.
        ratings: Their mean ratings, 1 to 5.
        vocabulary: Subwords known.
    """

    table: FeatureTable
    examples: loop.Examples
    dev: loop.Texts
    dev_targets: FloatArray
    rated: loop.Texts
    ratings: FloatArray
    vocabulary: int


def train_tone(
    data: Path, out: Path, *, dialogues: Sequence[Path], plan: Plan, say: Callable[[str], None]
) -> Calibration:
    """Train, calibrate and write ``tone.json``, ``tone.safetensors``, ``tokenizer.json`` and ``curves.png``.

    Args:
        data: Folder with ``train.tsv`` and ``dev.tsv``.
        out: Folder to write to.
        dialogues: Files of rated dialogues; without any, satisfaction stays as the network learned it.
        plan: What to do.
        say: Takes a line of progress.

    Returns:
        The calibration that was fitted.

    Raises:
        InputError: A file is missing or not what it should be.
    """
    started = time.monotonic()
    prepared = prepare(data, out, dialogues=dialogues, plan=plan)
    texts, known = prepared.examples.texts.matrix.shape
    say(f"{texts} texts, {known} n-grams, {prepared.vocabulary} subwords, {time.monotonic() - started:.0f} s")
    examples = prepared.examples
    wide = linear.fit(examples.texts.matrix, examples.targets, examples.weight, threads=plan.threads)
    say(f"linear half done, {time.monotonic() - started:.0f} s")
    config = NetworkConfig(features=known, vocabulary=prepared.vocabulary)
    deep, history = fit_deep(config, prepared, wide, plan, say)
    series = {"training loss": history.loss, **history.macro}
    plots.save_curves(out / "curves.png", series, title="Tone network, both halves", measure="macro-F1 on dev")
    return finish(out, config, prepared, wide, deep, plan, seconds=time.monotonic() - started, say=say)


def prepare(data: Path, out: Path, *, dialogues: Sequence[Path], plan: Plan) -> Prepared:
    """Read everything, train the tokenizer, choose the n-grams, and turn texts into arrays.

    Raises:
        InputError: A file is missing or not what it should be.
    """
    corpus, dev = read_goemotions(data / "train.tsv"), read_goemotions(data / "dev.tsv")
    turns = [turn for path in dialogues for dialogue in _calibration_part(path) for turn in dialogue.turns]
    made = distinct(generate(SYNTHETIC_SENTENCES, seed=plan.seed + 1))
    texts = corpus.texts + [one.text for one in made]
    train_tokenizer(texts, out / "tokenizer.json", size=plan.vocabulary)
    tokenizer = SubwordTokenizer(out / "tokenizer.json")
    hashed = linear.hash_texts(texts)
    table = linear.select_features(hashed)
    satisfaction = np.concatenate(
        [satisfaction_targets(corpus.targets), np.array([one.satisfaction for one in made], np.float32)]
    )
    labels = fitting.logit_targets(np.concatenate([corpus.targets, emotion_targets(made)]))
    weight = np.ones((len(texts), LOGITS + 1), np.float32)
    weight[len(corpus.texts) :, :LOGITS] = SYNTHETIC_WEIGHT
    weight[len(corpus.texts) :, LOGITS] = SYNTHETIC_WEIGHT_SATISFACTION
    return Prepared(
        table=table,
        examples=loop.Examples(
            loop.Texts(linear.matrix(table, hashed), tokenizer.encode(texts)),
            np.concatenate([labels, satisfaction[:, None]], axis=1),
            weight,
        ),
        dev=_texts(dev.texts, table, tokenizer),
        dev_targets=dev.targets,
        rated=_texts([turn.text for turn in turns], table, tokenizer),
        ratings=np.array([turn.rating for turn in turns], np.float32),
        vocabulary=tokenizer.size,
    )


def fit_deep(
    config: NetworkConfig, prepared: Prepared, wide: linear.Linear, plan: Plan, say: Callable[[str], None]
) -> tuple[Params, History]:
    """The deep half; a line and a point of the curves each epoch, of both halves together on dev."""
    history = History()

    def report(epoch: int, loss: float, params: Params) -> None:
        logits = both(config, wide, params, prepared.dev)
        thresholds = fitting.fit_thresholds(logits, prepared.dev_targets, 1.0)
        truth = evaluation.truths(prepared.dev_targets)
        history.loss.append(loss)
        for task, columns in fitting.TASK_COLUMNS.items():
            said = sigmoid(logits[:, columns]) >= np.asarray(thresholds[task], np.float32)
            history.macro.setdefault(task, []).append(evaluation.macro_f1(said, truth[task])[0])
        latest = ", ".join(f"{task} {values[-1]:.4f}" for task, values in history.macro.items())
        say(f"epoch {epoch + 1} of {plan.epochs}: loss {loss:.4f}, {latest}")

    settings = loop.Settings(epochs=plan.epochs, seed=plan.seed)
    return loop.train(config, prepared.examples, settings, on_epoch=report), history


def both(config: NetworkConfig, wide: linear.Linear, deep: Params, texts: loop.Texts) -> FloatArray:
    """Logits of both halves together, groups pooled, ``[N, outputs]``."""
    share = config.linear_share
    return pool_groups(share * wide.logits(texts.matrix) + (1.0 - share) * loop.predict(config, deep, texts))


def finish(
    out: Path,
    config: NetworkConfig,
    prepared: Prepared,
    wide: linear.Linear,
    deep: Params,
    plan: Plan,
    *,
    seconds: float,
    say: Callable[[str], None],
) -> Calibration:
    """Calibrate, measure on dev, and write the weights."""
    bias = 0.0
    if len(prepared.ratings):
        bias = fitting.fit_satisfaction_bias(both(config, wide, deep, prepared.rated)[:, LOGITS], prepared.ratings)
    logits = both(config, wide, deep, prepared.dev)
    calibration = fitting.fit(logits[:, :LOGITS], prepared.dev_targets, satisfaction_bias=bias)
    metrics = dev_metrics(logits, prepared.dev_targets, calibration)
    say(", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))
    origin = _origin(plan, len(prepared.examples.weight), seconds)
    _write(out, config, prepared.table, wide, deep, calibration, metrics, origin)
    return calibration


def distinct(made: Sequence[LabelledText]) -> list[LabelledText]:
    """Each text once, with its last labels."""
    return list({one.text: one for one in made}.values())


def emotion_targets(made: Sequence[LabelledText]) -> FloatArray:
    """Zeros and ones ``[N, 28]``."""
    targets = np.zeros((len(made), len(EMOTIONS28)), np.float32)
    for row, one in zip(targets, made, strict=True):
        row[[EMOTIONS28.index(name) for name in one.emotions]] = 1.0
    return targets


def dev_metrics(logits: FloatArray, targets: FloatArray, calibration: Calibration) -> dict[str, float]:
    """Macro-F1 with the thresholds fitted here and with those of the other half, and the calibration error."""
    probabilities = calibration.apply(logits)
    said, truth = evaluation.said_labels(probabilities, calibration), evaluation.truths(targets)
    crossed = fitting.crossed_predictions(logits, targets)
    figures: dict[str, float] = {}
    for task in evaluation.TASK_LABELS:
        figures[f"dev_macro_f1_{task}"] = evaluation.macro_f1(said[task], truth[task])[0]
        figures[f"dev_macro_f1_{task}_crossed"] = evaluation.macro_f1(crossed[task], truth[task])[0]
    figures["dev_ece"] = evaluation.sentiment_calibration_error(probabilities, targets)
    return figures


def _calibration_part(path: Path) -> list[Dialogue]:
    part, _ = split_dialogues(read_dialogues(path), share=CALIBRATION_SHARE, seed=SPLIT_SEED)
    return part


def _texts(texts: Sequence[str], table: FeatureTable, tokenizer: SubwordTokenizer) -> loop.Texts:
    return loop.Texts(linear.matrix(table, linear.hash_texts(texts)), tokenizer.encode(texts))


def _origin(plan: Plan, texts: int, seconds: float) -> dict[str, Any]:
    """How the weights were made, for the manifest."""
    return {
        "command": f"mien train tone --epochs {plan.epochs} --seed {plan.seed}",
        "data": "GoEmotions train and our own sentences; choices on GoEmotions dev; rated dialogues to calibrate",
        "texts": texts,
        "seed": plan.seed,
        "epochs": plan.epochs,
        "seconds": round(seconds),
        "host": f"{platform.system()} {platform.machine()}, {plan.threads} threads",
    }


def _write(
    out: Path,
    config: NetworkConfig,
    table: FeatureTable,
    wide: linear.Linear,
    deep: Params,
    calibration: Calibration,
    metrics: dict[str, float],
    origin: dict[str, Any],
) -> None:
    """The weights, half precision but for the hashes, with their manifest."""
    floats = {network.TABLE: wide.table, "wide/bias": wide.bias, FEATURE_IDF: table.idf, **network.flatten(deep)}
    arrays = {name: np.asarray(array).astype(np.float16) for name, array in floats.items()}
    save_weights(
        out / "tone.json",
        {**arrays, FEATURE_HASHES: table.hashes},
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
        training=origin,
        metrics={**metrics, "parameters": float(sum(array.size for array in floats.values()))},
    )
