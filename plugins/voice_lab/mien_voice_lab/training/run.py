"""The whole training of the tone network, from the data's files to the shipped ones. One function a stage."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien.training import Checkpoints, EpochReport, Kind, PlainLines, train
from mien_voice import network
from mien_voice.calibration import LOGITS, Calibration, FloatArray
from mien_voice.featuretable import FeatureTable
from mien_voice.network import NetworkConfig
from mien_voice.tokenizer import SubwordTokenizer, train_tokenizer
from mien_voice.tonenetwork import FEATURE_IDF
from mien_voice_lab.training import deep, fitting, linear
from mien_voice_lab.training.corpus import emotion_targets
from mien_voice_lab.training.data import rated_turns, read_goemotions, satisfaction_targets
from mien_voice_lab.training.learner import Dev, State, ToneLearner, both
from mien_voice_lab.training.ship import dev_metrics, write
from mien_voice_lab.training.synthetic import distinct, generate

SYNTHETIC_SENTENCES: Final = 12_000
SYNTHETIC_WEIGHT: Final = 0.15
"""How much one of our own sentences counts for the emotions, beside one of GoEmotions'."""

SYNTHETIC_WEIGHT_SATISFACTION: Final = 1.0
"""The same for satisfaction, which is about customer service and not about Reddit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a user of the command chooses; ``network`` changes sizes of ``NetworkConfig``."""

    epochs: int = 4
    seed: int = 0
    threads: int = 2
    vocabulary: int = 4_000
    network: Mapping[str, int] = field(default_factory=dict)


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
    config = NetworkConfig(features=known, vocabulary=prepared.vocabulary, **plan.network)
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
    turns = rated_turns(dialogues)
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
    calibration = fitting.fit(logits, prepared.dev.targets, satisfaction_bias=bias)
    metrics = dev_metrics(logits, prepared.dev.targets, calibration)
    say(", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))
    origin = _origin(plan, len(prepared.examples.weight), seconds)
    floats = {network.TABLE: state.wide.table, "wide/bias": state.wide.bias, FEATURE_IDF: prepared.table.idf}
    floats |= network.flatten(state.deep.average)
    write(out, config, floats, prepared.table.hashes, calibration=calibration, metrics=metrics, origin=origin)
    return calibration


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
