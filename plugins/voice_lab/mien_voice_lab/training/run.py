"""The whole training of the tone network, from the data's files to the shipped ones. One function a stage."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien import save_weights
from mien.training import Checkpoints, EpochReport, Kind, PlainLines, train
from mien_voice import network
from mien_voice.calibration import GROUP_LOGITS, LOGITS, Calibration, FloatArray
from mien_voice.featuretable import FeatureTable
from mien_voice.labels import EKMAN, EMOTIONS28, SENTIMENTS
from mien_voice.network import NetworkConfig
from mien_voice.tokenizer import SubwordTokenizer, train_tokenizer
from mien_voice.tonenetwork import FEATURE_HASHES, FEATURE_IDF, NETWORK
from mien_voice_lab import evaluation
from mien_voice_lab.training import deep, fitting, linear
from mien_voice_lab.training.data import (
    CALIBRATION_SHARE,
    SPLIT_SEED,
    Dialogue,
    read_dialogues,
    read_goemotions,
    satisfaction_targets,
    split_dialogues,
)
from mien_voice_lab.training.learner import Dev, State, ToneLearner, both
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


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything that is learned from or chosen on, as arrays.

    Attributes:
        table: The n-grams that are known.
        examples: The training texts.
        dev: The texts that choices are made on.
        rated: Rated turns that satisfaction is calibrated on.
        ratings: Their mean ratings, 1 to 5.
        vocabulary: Subwords known.
    """

    table: FeatureTable
    examples: deep.Examples
    dev: Dev
    rated: deep.Texts
    ratings: FloatArray
    vocabulary: int


def train_tone(
    data: Path, out: Path, *, dialogues: Sequence[Path], plan: Plan, say: Callable[[str], None], resume: bool = False
) -> Calibration:
    """Train, calibrate and write ``tone.json``, ``tone.safetensors`` and ``tokenizer.json``.

    Args:
        data: Folder with ``train.tsv`` and ``dev.tsv``.
        out: Folder to write to; checkpoints, metrics and curves go there too.
        dialogues: Files of rated dialogues; without any, satisfaction stays as the network learned it.
        plan: What to do.
        say: Takes a line of progress.
        resume: Go on from the folder's checkpoint where there is one.

    Returns:
        The calibration that was fitted.

    Raises:
        InputError: A file is missing or not what it should be, or the folder holds another run's checkpoint.
        WeightsError: The checkpoint is damaged or of another run.
    """
    started = time.monotonic()
    checkpoints = Checkpoints(out)
    goes_on = checkpoints.goes_on(resume=resume)
    prepared = prepare(data, out, dialogues=dialogues, plan=plan, goes_on=goes_on)
    examples = prepared.examples
    texts, known = examples.texts.matrix.shape
    say(f"{texts} texts, {known} n-grams, {prepared.vocabulary} subwords, {time.monotonic() - started:.0f} s")
    if goes_on:
        wide = linear.Linear(**checkpoints.part(Kind.LAST, "wide"))
    else:
        wide = linear.fit(examples.texts.matrix, examples.targets, examples.weight, threads=plan.threads)
        say(f"linear half done, {time.monotonic() - started:.0f} s")
    config = NetworkConfig(features=known, vocabulary=prepared.vocabulary)
    outcome = train(
        ToneLearner(config, deep.Recipe(epochs=plan.epochs), wide),
        training=examples,
        validation=prepared.dev,
        seed=plan.seed,
        out=out,
        resume=resume,
        observer=PlainLines(say, epoch_line),
    )
    return finish(out, config, prepared, outcome.state, plan, seconds=time.monotonic() - started, say=say)


def epoch_line(report: EpochReport) -> str:
    """What is told of an epoch."""
    latest = ", ".join(f"{task} {value:.4f}" for task, value in report.validation.items())
    return f"epoch {report.epoch} of {report.epochs}: loss {report.training['loss']:.4f}, {latest}"


def prepare(data: Path, out: Path, *, dialogues: Sequence[Path], plan: Plan, goes_on: bool) -> Prepared:
    """Read everything, train the tokenizer, choose the n-grams, and turn texts into arrays.

    A run that goes on keeps its tokenizer, since another one, trained on the same texts, may differ.

    Raises:
        InputError: A file is missing or not what it should be.
    """
    corpus, dev = read_goemotions(data / "train.tsv"), read_goemotions(data / "dev.tsv")
    turns = [turn for path in dialogues for dialogue in _calibration_part(path) for turn in dialogue.turns]
    made = distinct(generate(SYNTHETIC_SENTENCES, seed=plan.seed + 1))
    texts = corpus.texts + [one.text for one in made]
    vocabulary = out / "tokenizer.json"
    if not (goes_on and vocabulary.exists()):
        train_tokenizer(texts, vocabulary, size=plan.vocabulary)
    tokenizer = SubwordTokenizer(vocabulary)
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
        examples=deep.Examples(
            deep.Texts(linear.matrix(table, hashed), tokenizer.encode(texts)),
            np.concatenate([labels, satisfaction[:, None]], axis=1),
            weight,
        ),
        dev=Dev(_texts(dev.texts, table, tokenizer), dev.targets),
        rated=_texts([turn.text for turn in turns], table, tokenizer),
        ratings=np.array([turn.rating for turn in turns], np.float32),
        vocabulary=tokenizer.size,
    )


def finish(
    out: Path,
    config: NetworkConfig,
    prepared: Prepared,
    state: State,
    plan: Plan,
    *,
    seconds: float,
    say: Callable[[str], None],
) -> Calibration:
    """Calibrate, measure on dev, and write the weights."""
    bias = 0.0
    if len(prepared.ratings):
        bias = fitting.fit_satisfaction_bias(both(config, state, prepared.rated)[:, LOGITS], prepared.ratings)
    logits = both(config, state, prepared.dev.texts)
    calibration = fitting.fit(logits[:, :LOGITS], prepared.dev.targets, satisfaction_bias=bias)
    metrics = dev_metrics(logits, prepared.dev.targets, calibration)
    say(", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))
    origin = _origin(plan, len(prepared.examples.weight), seconds)
    _write(out, config, prepared.table, state, calibration, metrics, origin)
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


def _texts(texts: Sequence[str], table: FeatureTable, tokenizer: SubwordTokenizer) -> deep.Texts:
    return deep.Texts(linear.matrix(table, linear.hash_texts(texts)), tokenizer.encode(texts))


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
    state: State,
    calibration: Calibration,
    metrics: dict[str, float],
    origin: dict[str, Any],
) -> None:
    """The weights, half precision but for the hashes, with their manifest."""
    wide, average = state.wide, network.flatten(state.deep.average)
    floats = {network.TABLE: wide.table, "wide/bias": wide.bias, FEATURE_IDF: table.idf, **average}
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
