"""Runs an expression network on labelled faces and collects everything that is told of it.

What the figures are is ``evaluation`` and ``robustness``; how they are shown is ``reportpage``, ``modelcard`` and the
command. ``Report.to_json`` is the one form in which figures are kept.
"""

from __future__ import annotations

import hashlib
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from mien import InputError, Manifest
from mien_face.evaluation import Evaluation, Intervals, evaluate, intervals
from mien_face.labels import LabelSet, majority_labels
from mien_face.robustness import CONDITIONS, Degradation, degradation

if TYPE_CHECKING:
    from mien_face.inference import ExpressionProbabilities
    from mien_face.training.data import FaceData

SEED: Final = 0
"""Of everything here that is left to chance: bootstrap, disturbances, samples of faces."""

SPEED_BATCHES: Final = (1, 4, 16)
"""Faces in a call whose time is taken."""

_SPEED_CALLS: Final = 50
_DIGEST_LENGTH: Final = 16


class Network(Protocol):
    """What can be judged: ``mien_face.inference.ExpressionNetwork``."""

    @property
    def manifest(self) -> Manifest:
        """What its weights are."""

    def probabilities(self, crops: npt.NDArray[np.uint8]) -> ExpressionProbabilities:
        """Classify grey faces, uint8 ``[n, 48, 48]``."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How the network fares against one set of labels.

    Attributes:
        labels: Which.
        evaluation: The figures.
        intervals: Where they lie.
        robustness: What poor pictures cost; empty where that was not measured.
    """

    labels: LabelSet
    evaluation: Evaluation
    intervals: Intervals
    robustness: tuple[Degradation, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        plain = {
            "labels": str(self.labels),
            **self.evaluation.to_json(),
            "intervals": self.intervals.to_json(),
        }
        if self.robustness:
            plain["robustness"] = [each.to_json() for each in self.robustness]
        return plain


@dataclass(frozen=True, slots=True)
class Speed:
    """How long a call takes, from crops to probabilities, without finding faces.

    Attributes:
        batch: Faces in the call.
        median: Milliseconds a face, of many calls.
        fastest: The same of the fastest call, which other programs disturbed least.
    """

    batch: int
    median: float
    fastest: float


@dataclass(frozen=True, slots=True)
class Report:
    """All figures about one network on one set of faces.

    Attributes:
        weights: ``name``, ``version``, ``network`` and ``sha256`` of what was measured.
        data: ``name`` as it was given, ``faces``, their number, and ``digest`` of pictures and labels.
        judgements: One or more.
        speed: By batch; empty where it was not measured.
        host: Where it was measured, in words.
    """

    weights: dict[str, str]
    data: dict[str, Any]
    judgements: tuple[Judgement, ...]
    speed: tuple[Speed, ...] = ()
    host: str = ""

    def led_by(self, labels: LabelSet) -> Report:
        """The same with the judgement by these labels, which must be among them, in the first place."""
        return replace(self, judgements=tuple(sorted(self.judgements, key=lambda each: each.labels is not labels)))

    def to_json(self) -> dict[str, Any]:
        """As plain data, each judgement under the name of its labels."""
        return {
            "weights": self.weights,
            "data": self.data,
            "host": self.host,
            "speed": [asdict(each) for each in self.speed],
            "judgements": {str(each.labels): each.to_json() for each in self.judgements},
        }


def measure(
    network: Network,
    faces: FaceData,
    *,
    name: str,
    label_sets: Sequence[LabelSet],
    robustness: bool = False,
    speed: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Judge a network.

    Args:
        network: Loaded.
        faces: Labelled.
        name: What to call the faces.
        label_sets: To judge by, at least one.
        robustness: Whether to measure on spoilt pictures too, which takes nine times as long.
        speed: Whether to take the time of calls.
        say: Called with what is being done.

    Raises:
        InputError: No face has a label of the set.
    """
    truths = {labels: _truth(faces, labels, name) for labels in label_sets}
    say(f"judging {len(faces)} faces")
    clean = network.probabilities(faces.crops)
    spoilt: dict[str, ExpressionProbabilities] = {}
    for condition in CONDITIONS if robustness else ():
        say(f"judging them with {condition.description}")
        spoilt[condition.name] = network.probabilities(condition.apply(faces.crops, seed=SEED))
    judgements = tuple(_judge(labels, truths[labels], clean, spoilt) for labels in label_sets)
    manifest = network.manifest
    return Report(
        weights={each: getattr(manifest, each) for each in ("name", "version", "network", "sha256")},
        data={"name": name, "faces": len(faces), "digest": _digest(faces)},
        judgements=judgements,
        speed=tuple(_speed(network, faces.crops, batch) for batch in SPEED_BATCHES) if speed else (),
        host=host(),
    )


def sample(faces: FaceData, count: int) -> FaceData:
    """Some of the faces, drawn by the seed, in their order; all where there are no more.

    Args:
        faces: To draw from.
        count: How many.
    """
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(faces))[:count])
    return type(faces)(faces.crops[chosen], faces.labels[chosen], faces.votes[chosen])


def host() -> str:
    """This machine, in words that identify nobody."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def _truth(faces: FaceData, labels: LabelSet, name: str) -> npt.NDArray[np.int64]:
    """Positions in the set's classes, ``[n]``; -1 where a face does not count."""
    if labels is LabelSet.FER:
        return faces.labels
    truth = majority_labels(faces.votes)
    if not (truth >= 0).any():
        raise InputError(f"no face of {name} has an emotion with more than half of its FER+ votes; use --labels fer")
    return truth


def _judge(
    labels: LabelSet,
    truth: npt.NDArray[np.int64],
    clean: ExpressionProbabilities,
    spoilt: dict[str, ExpressionProbabilities],
) -> Judgement:
    counted = truth >= 0
    right = truth[counted]

    def answers(probabilities: ExpressionProbabilities) -> npt.NDArray[np.float32]:
        return (probabilities.combined if labels is LabelSet.FER else probabilities.ferplus)[counted]

    def hits(probabilities: ExpressionProbabilities) -> npt.NDArray[np.bool_]:
        return np.asarray(answers(probabilities).argmax(axis=1) == right)

    by_name = {condition.name: condition for condition in CONDITIONS}
    return Judgement(
        labels=labels,
        evaluation=evaluate(answers(clean), right, labels.classes),
        intervals=intervals(answers(clean), right, labels.classes, seed=SEED),
        robustness=tuple(
            degradation(by_name[each], clean=hits(clean), spoilt=hits(answer), seed=SEED)
            for each, answer in spoilt.items()
        ),
    )


def _speed(network: Network, crops: npt.NDArray[np.uint8], batch: int) -> Speed:
    faces = np.resize(crops, (batch, *crops.shape[1:]))
    network.probabilities(faces)  # compiles
    times = []
    for _ in range(_SPEED_CALLS):
        started = time.perf_counter()
        network.probabilities(faces)
        times.append((time.perf_counter() - started) * 1000 / batch)
    return Speed(batch, statistics.median(times), min(times))


def _digest(faces: FaceData) -> str:
    """The beginning of the SHA-256 of pictures and labels, which tells whether others judged the same faces."""
    digest = hashlib.sha256()
    for values in (faces.crops, faces.labels, faces.votes):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:_DIGEST_LENGTH]
