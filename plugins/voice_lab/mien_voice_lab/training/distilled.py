"""The whole distillation, from texts to the arrays of both halves, within a given time; one function a stage.

It imports nothing of ``mien`` but what reads texts, so that it runs on a machine with PyTorch and scikit-learn alone.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from mien_voice.calibration import LOGITS, FloatArray, pool_groups
from mien_voice.featuretable import FeatureTable
from mien_voice.network import NetworkConfig
from mien_voice_lab.training import corpus as corpora
from mien_voice_lab.training import distil, fitting, linear, vocabulary
from mien_voice_lab.training.corpus import Mixture
from mien_voice_lab.training.data import Corpus, Turn, satisfaction_targets
from mien_voice_lab.training.distil import Recipe, Table, Task
from mien_voice_lab.training.speechlike import contrasts
from mien_voice_lab.training.synthetic import distinct, generate
from mien_voice_lab.training.torchnet import Weights

MIN_TEXTS: Final = (6, 8, 3)
"""A feature is known if so many texts have it, by block; fewer than for the linear half alone, for size."""

COUNTED_SENTENCES: Final = 12_000
"""Of our own sentences that count for it, so that templates do not fill the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is made and how large the networks are."""

    sentences: int = 40_000
    contrasts: int = 12_000
    copies: int = 2
    pieces: int = 4_000
    student: dict[str, Any] = field(default_factory=dict)
    teacher: dict[str, Any] = field(
        default_factory=lambda: {"bag": 48, "width": 320, "blocks": 5, "heads": 5, "hidden": 192, "dropout": 0.35}
    )
    pretraining_steps: int = 4_000
    teacher_steps: int = 1_000
    rounds: int = 6
    students: tuple[tuple[int, float], ...] = ((2_000, 0.5), (3_600, 0.7))
    batch_size: int = 512
    workers: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What is learned from: labelled texts, those to choose on, rated turns, texts without labels, words' vectors."""

    train: Corpus
    dev: Corpus
    rated: Sequence[Turn]
    spare: Sequence[str]
    words: vocabulary.WordVectors


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """All of it as arrays."""

    mixture: Mixture
    features: FeatureTable
    vectors: FloatArray
    table: Table
    dev: Table
    spare: Tensor
    wide: Future[tuple[linear.Linear, FloatArray]]
    tokenizer: Path


def run(
    sources: Sources, out: Path, *, seconds: float, device: str, sizes: Sizes, seed: int, say: Callable[[str], None]
) -> None:
    """Train within the time given, and write ``student_0.npz`` and ``student_1.npz``, arrays with what was measured.

    Args:
        sources: What to learn from.
        out: Folder to write to.
        seconds: Most that it may take.
        device: PyTorch's name of it.
        sizes: Of texts and networks.
        seed: Of everything.
        say: Takes a line of progress.
    """
    begun = time.monotonic()
    report: dict[str, Any] = {"sizes": asdict(sizes), "seed": seed, "lines": []}

    def told(line: str) -> None:
        report["lines"].append(f"{time.monotonic() - begun:.0f} s: {line}")
        say(report["lines"][-1])

    def at(share: float) -> float:
        return begun + share * seconds

    out.mkdir(parents=True, exist_ok=True)
    ready = prepare(sources, sizes=sizes, seed=seed, device=device)
    told(f"{len(ready.mixture.targets)} texts, {len(ready.features.hashes)} n-grams, {len(ready.vectors)} subwords")
    shape = {"features": len(ready.features.hashes), "vocabulary": len(ready.vectors), "vector": ready.vectors.shape[1]}
    student, teacher = NetworkConfig(**shape, **sizes.student), NetworkConfig(**shape, **sizes.teacher)
    task = Task(torch.from_numpy(ready.mixture.targets).to(device), torch.from_numpy(ready.mixture.weight).to(device))
    keep = Keeper(out, report, ready, student, sources.dev, told)

    begin = distil.started(teacher, ready.vectors, seed=seed, device=device)
    slow = Recipe(steps=sizes.pretraining_steps, batch_size=sizes.batch_size, rate=1e-3, vector_rate=0.3)
    distil.pretrain(teacher, begin, ready.spare, recipe=slow, seed=seed, deadline=at(0.22), say=told)
    heard = teach(teacher, begin, ready, task, sizes=sizes, seed=seed, keep=keep, deadline=at(0.58))

    own = distil.started(student, ready.vectors, seed=seed + 1, device=device)
    fast = replace(slow, rate=2e-3)
    distil.pretrain(student, own, ready.spare, recipe=fast, seed=seed + 1, deadline=at(0.68), say=told)
    for number, (steps, share) in enumerate(sizes.students):
        left = (at(0.93) - time.monotonic()) / (len(sizes.students) - number)
        mixed = distil.soft_targets(task, *heard, soft=share)
        found = study(
            student,
            own,
            ready,
            mixed,
            steps=steps,
            batch_size=sizes.batch_size,
            seconds=left,
            seed=seed + number,
            keep=keep,
        )
        keep.student(found, f"student_{number}", wait=max(at(0.97) - time.monotonic(), 0.0) if number else 0.0)
    told("done")


def prepare(sources: Sources, *, sizes: Sizes, seed: int, device: str) -> Ready:
    """Make sentences and copies, the tokenizer, the n-grams and the arrays; the linear half begins to be fitted."""
    made = distinct(generate(sizes.sentences, seed=seed + 1))
    values = satisfaction_targets(sources.train.targets)
    joined = contrasts(sources.train.texts, [float(value) for value in values], sizes.contrasts, seed=seed + 2)
    mixture = corpora.mix(sources.train, made, joined, sources.rated, copies=sizes.copies, seed=seed + 3)
    path = Path(tempfile.mkdtemp()) / "tokenizer.json"
    entries = vocabulary.build_tokenizer(
        [*sources.train.texts, *(one.text for one in made)], sources.words.words, path, pieces=sizes.pieces
    )
    counted = mixture.labelled + min(COUNTED_SENTENCES, len(made))
    features = corpora.count_features(mixture.forms[0][:counted], minimum=MIN_TEXTS, workers=sizes.workers)
    matrices = [corpora.matrix_of(features, form, workers=sizes.workers) for form in mixture.forms]
    dev = corpora.matrix_of(features, sources.dev.texts, workers=sizes.workers)
    pool = ThreadPoolExecutor(1)
    wide = pool.submit(_fit_wide, matrices, mixture, dev, sizes.workers)
    pool.shutdown(wait=False)
    spare = subword_numbers([*(text for form in mixture.forms[:2] for text in form), *sources.spare], path)
    return Ready(
        mixture,
        features,
        vocabulary.starting_vectors(entries, sources.words, seed=seed),
        _table(matrices, [subword_numbers(form, path) for form in mixture.forms], device),
        _table([dev], [subword_numbers(sources.dev.texts, path)], device),
        torch.from_numpy(corpora.padded_subwords([ids for ids in spare if len(ids) > 2])).to(device),
        wide,
        path,
    )


def study(
    config: NetworkConfig,
    begin: Weights,
    ready: Ready,
    task: Task,
    *,
    steps: int,
    batch_size: int,
    seconds: float,
    seed: int,
    keep: Keeper,
) -> Weights:
    """Train one student in the time given; of its running means the best on dev is returned."""
    ends = time.monotonic() + seconds
    rows = torch.arange(len(task.targets), device=task.targets.device)
    recipe = Recipe(steps=steps, batch_size=batch_size, rate=2e-3)
    each = distil.timed(config, begin, ready.table, task, rows, recipe)
    recipe = replace(recipe, steps=max(min(steps, int(0.9 * (ends - time.monotonic()) / each)), 1))
    keep.say(f"student: {recipe.steps} steps of {each * 1e3:.1f} ms")
    best: list[tuple[float, Weights]] = []

    def observe(step: int, average: Weights) -> None:
        figures = keep.look(average, f"step {step}")
        if not best or sum(figures.values()) > best[0][0]:
            best[:] = [(sum(figures.values()), distil.copied(average))]

    last = distil.train(
        config, distil.fresh(begin), ready.table, task, rows, recipe=recipe, seed=seed, deadline=ends, observe=observe
    )
    return best[0][1] if best else last


def teach(
    config: NetworkConfig,
    begin: Weights,
    ready: Ready,
    task: Task,
    *,
    sizes: Sizes,
    seed: int,
    keep: Keeper,
    deadline: float,
) -> tuple[Tensor, Tensor]:
    """Train teachers, each without one fold, as long as time is left.

    Returns:
        The sum of what they said of texts that they had not seen ``[N, O]``, and how many spoke of each ``[N]``.
    """
    size, device = len(task.targets), ready.table.tokens.device
    said, times = torch.zeros_like(task.targets), torch.zeros(size, device=device)
    judged: list[FloatArray] = []
    spent, begun = 0.0, time.monotonic()

    def watch(step: int, found: Weights) -> None:
        keep.look(found, f"first teacher, step {step}", config)

    for number in range(distil.FOLDS * sizes.rounds):
        if judged and time.monotonic() + 1.1 * spent > deadline:
            break
        if number % distil.FOLDS == 0:
            part = torch.from_numpy(distil.folds(size, seed=seed + number)).to(device)
        weights, unseen = distil.fresh(begin), torch.nonzero(part == number % distil.FOLDS)[:, 0]
        seen = torch.nonzero(part != number % distil.FOLDS)[:, 0]
        recipe = Recipe(steps=sizes.teacher_steps, batch_size=sizes.batch_size, rate=1e-3)
        average = distil.train(
            config,
            weights,
            ready.table,
            task,
            seen,
            recipe=recipe,
            seed=seed + number,
            deadline=deadline + 30.0,
            observe=None if number else watch,
        )
        for form in range(min(2, len(ready.table.tokens))):
            said[unseen] += torch.sigmoid(distil.predict(config, average, ready.table, form, unseen)) / 2.0
        times[unseen] += 1.0
        judged.append(distil.predict(config, average, ready.dev, 0).cpu().numpy())
        spent = (time.monotonic() - begun) / len(judged)
        keep.teachers(judged)
    return said, times


class Keeper:
    """Writes what there is, and says how good it is on the texts that choices are made on."""

    def __init__(
        self,
        out: Path,
        report: dict[str, Any],
        ready: Ready,
        config: NetworkConfig,
        dev: Corpus,
        say: Callable[[str], None],
    ) -> None:
        self._out, self._report, self._ready = out, report, ready
        self._config, self._dev, self.say = config, dev, say
        self._teachers: FloatArray | None = None

    def teachers(self, logits: Sequence[FloatArray]) -> None:
        """Tell of the last teacher and of their mean."""
        self._teachers = np.mean(logits, axis=0, dtype=np.float32)
        self.say(
            f"teacher {len(logits)}: {_told(self._figures(logits[-1]))}; all: {_told(self._figures(self._teachers))}"
        )

    def look(self, weights: Weights, what: str, config: NetworkConfig | None = None) -> dict[str, float]:
        """Figures of a network on dev, told too."""
        figures = self._figures(self._on_dev(weights, config or self._config))
        self.say(f"  {what}: {_told(figures)}")
        return figures

    def student(self, weights: Weights, name: str, *, wait: float) -> None:
        """Write a network under this name, with the linear half if it is ready in time."""
        deep = self._on_dev(weights, self._config)
        self.say(f"{name}: {_told(self._figures(deep))}")
        held: dict[str, Any] = dict(distil.arrays(weights))
        held |= {"dev/deep": deep.astype(np.float16)}
        if self._teachers is not None:
            held["dev/teachers"] = self._teachers.astype(np.float16)
        held["features/hashes"] = self._ready.features.hashes
        held["features/idf"] = self._ready.features.idf.astype(np.float16)
        held["tokenizer"] = np.frombuffer(self._ready.tokenizer.read_bytes(), np.uint8)
        self._report["config"] = self._config.as_dict()
        self._write(held, name)
        try:
            wide, logits = self._ready.wide.result(timeout=wait)
        except TimeoutError:
            self.say("the linear half is not ready")
            return
        for share in (0.2, 0.3, 0.4, 0.5, 0.6):
            self.say(f"with {share} of the linear half: {_told(self._figures(share * logits + (1.0 - share) * deep))}")
        self.say(f"linear half alone: {_told(self._figures(logits))}")
        held |= {"wide/table": wide.table.astype(np.float16), "wide/bias": wide.bias.astype(np.float16)}
        held["dev/wide"] = logits.astype(np.float16)
        self._write(held, name)

    def _on_dev(self, weights: Weights, config: NetworkConfig) -> FloatArray:
        logits: FloatArray = distil.predict(config, weights, self._ready.dev, 0).cpu().numpy()
        return logits

    def _write(self, held: dict[str, Any], name: str) -> None:
        begun = self._out / f"{name}.part.npz"
        told = np.frombuffer(json.dumps(self._report).encode(), np.uint8)
        np.savez_compressed(begun, **held, report=told)
        begun.replace(self._out / f"{name}.npz")

    def _figures(self, logits: FloatArray) -> dict[str, float]:
        return crossed_figures(pool_groups(logits.astype(np.float32)), self._dev.targets)


def _told(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in figures.items())


def crossed_figures(logits: FloatArray, targets: FloatArray) -> dict[str, float]:
    """Macro-F1 of each task by thresholds of the other half."""
    said, truth = fitting.crossed_predictions(logits[:, :LOGITS], targets), fitting.task_targets(targets)
    found = {}
    for task, own in said.items():
        hits = (own & (truth[task] > 0)).sum(axis=0)
        found[task] = float((2.0 * hits / np.maximum(own.sum(axis=0) + truth[task].sum(axis=0), 1)).mean())
    return found


def subword_numbers(texts: Sequence[str], path: Path) -> list[list[int]]:
    """The subwords of each text, as the runtime's tokenizer gives them."""
    from tokenizers import Tokenizer

    from mien_voice import features

    tokenizer: Any = Tokenizer.from_file(str(path))
    normal = [" ".join(features.tokenise(features.normalise(text))) for text in texts]
    return [one.ids[: corpora.SUBWORDS] for one in tokenizer.encode_batch(normal, add_special_tokens=False)]


def _table(matrices: Sequence[Any], subwords: Sequence[list[list[int]]], device: str) -> Table:
    rows = [corpora.padded_rows(matrix) for matrix in matrices]
    return Table(
        torch.from_numpy(np.stack([ids for ids, _ in rows])).to(device),
        torch.from_numpy(np.stack([values for _, values in rows])).to(device),
        torch.from_numpy(np.stack([corpora.padded_subwords(own) for own in subwords])).to(device),
    )


def _fit_wide(matrices: Sequence[Any], mixture: Mixture, dev: Any, threads: int) -> tuple[linear.Linear, FloatArray]:
    """The linear half, and its logits on dev.

    Emotions are learned from texts as they were written, and from some of our sentences; satisfaction from every text,
    GoEmotions' also without signs.
    """
    from scipy.sparse import vstack

    some = mixture.labelled + COUNTED_SENTENCES
    targets, weight = mixture.targets, mixture.weight
    emotions = linear.fit(matrices[0][:some], targets[:some, :LOGITS], weight[:some, :LOGITS], threads=threads)
    inputs = vstack([matrices[0], matrices[1][: mixture.labelled]]).tocsr()
    worth = np.concatenate([targets[:, LOGITS:], targets[: mixture.labelled, LOGITS:]])
    counts = np.concatenate([weight[:, LOGITS:], weight[: mixture.labelled, LOGITS:]])
    counts[: mixture.labelled] *= 0.5
    counts[len(targets) :] *= 0.5
    satisfaction = linear.fit(inputs, worth, counts, threads=1)
    found = linear.Linear(
        np.concatenate([emotions.table, satisfaction.table], axis=1), np.concatenate([emotions.bias, satisfaction.bias])
    )
    return found, found.logits(dev)
