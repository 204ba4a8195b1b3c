"""Runs a classifier of faces on labelled ones and collects everything that is told of it.

What the figures are is ``evaluation`` and ``robustness``; how they are shown is ``reportpage``, ``modelcard`` and the
command. ``Report.to_json`` is the one form in which figures are kept.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from mien import InputError
from mien_face.labels import FER2013_LABELS, FERPLUS_LABELS, LabelSet, majority_labels
from mien_face_lab.asking import People, find_people, judge_people, size_of
from mien_face_lab.bygroup import by_group
from mien_face_lab.counter import CounterFigures
from mien_face_lab.evaluation import evaluate, intervals
from mien_face_lab.judgement import Judgement
from mien_face_lab.robustness import ALL, degradation
from mien_face_lab.sizes import Size

if TYPE_CHECKING:
    from mien_face_lab.classifiers import FaceClassifier
    from mien_face_lab.portraits import Portraits
    from mien_face_lab.training.data import FaceData

Answers = dict[LabelSet, npt.NDArray[np.float32]]
"""Probabilities by each set of labels, ``[n, classes]``."""

SEED: Final = 0
"""Of everything here that is left to chance: bootstrap, disturbances, samples of faces."""

SPEED_BATCHES: Final = (1, 4, 16)
"""Faces in a call whose time is taken."""

_SPEED_CALLS: Final = 50


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
class Mirrored:
    """What is gained and lost where each face is looked at twice, as it is and mirrored.

    Attributes:
        accuracy: Name of a set of labels -> accuracy with both looks.
        speed: By batch.
    """

    accuracy: Mapping[str, float]
    speed: tuple[Speed, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All figures about one network on one set of faces.

    Attributes:
        weights: ``name``, ``version``, ``network`` and ``sha256`` of what was measured.
        data: ``name`` as it was given, ``faces``, their number, and ``digest`` of pictures and labels.
        judgements: One or more.
        speed: By batch; empty where it was not measured.
        host: Where it was measured, in words.
        counter: How people at a counter are read; None where it was not measured.
        mirrored: What a second look at each face's mirror image brings; None where it was not measured.
        sizes: This network beside others; empty where there are none.
    """

    weights: dict[str, str]
    data: dict[str, Any]
    judgements: tuple[Judgement, ...]
    speed: tuple[Speed, ...] = ()
    host: str = ""
    counter: CounterFigures | None = None
    mirrored: Mirrored | None = None
    sizes: tuple[Size, ...] = ()

    def led_by(self, labels: LabelSet) -> Report:
        """The same with the judgement by these labels, which must be among them, in the first place."""
        return replace(self, judgements=tuple(sorted(self.judgements, key=lambda each: each.labels is not labels)))

    def to_json(self) -> dict[str, Any]:
        """As plain data, each judgement under the name of its labels."""
        return {
            "weights": self.weights,
            "data": self.data,
            "counter": None if self.counter is None else self.counter.to_json(),
            "host": self.host,
            "speed": [asdict(each) for each in self.speed],
            "mirrored": None if self.mirrored is None else asdict(self.mirrored),
            "sizes": [each.to_json() for each in self.sizes],
            "judgements": {str(each.labels): each.to_json() for each in self.judgements},
        }


def measure(
    classifier: FaceClassifier,
    faces: FaceData,
    *,
    name: str,
    label_sets: Sequence[LabelSet],
    robustness: bool = False,
    speed: bool = False,
    portraits: Portraits | None = None,
    mirrored: FaceClassifier | None = None,
    beside: Sequence[FaceClassifier] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Judge a network.

    Args:
        classifier: Loaded.
        faces: Labelled; those of other classes than FER2013's are left out.
        name: What to call the faces.
        label_sets: To judge by, at least one.
        robustness: Whether to measure on spoilt and otherwise cut pictures too, which takes 26 times as long.
        speed: Whether to take the time of calls.
        portraits: To judge by how people at a counter are read.
        mirrored: The same network, which looks at each face and its mirror image, to be told beside.
        beside: Networks of other sizes, to be told beside.
        say: Called with what is being done.

    Raises:
        InputError: No face has a label of the set, or no portrait one that is judged by.
    """
    faces = faces.within(FER2013_LABELS)
    if not len(faces):
        raise InputError(f"no face of {name} is of a class that can be judged: {', '.join(FER2013_LABELS)}")
    truths = {labels: _truth(faces, labels, name) for labels in label_sets}
    say(f"judging {len(faces)} faces")
    clean = _answers(classifier, faces.crops)
    spoilt: dict[str, Answers] = {}
    for condition in ALL if robustness else ():
        say(f"again: {condition.description}")
        spoilt[condition.name] = _answers(classifier, condition.apply(faces.crops, seed=SEED))
    judgements = tuple(
        _judge(
            labels, truths[labels], clean[labels], {name: each[labels] for name, each in spoilt.items()}, faces.groups
        )
        for labels in label_sets
    )
    people = None
    if portraits is not None:
        say(f"looking at {portraits.name} as at a counter")
        people = find_people([classifier, *beside], portraits)
    manifest = classifier.manifest
    return Report(
        weights={each: getattr(manifest, each) for each in ("name", "version", "network", "sha256")},
        data={"name": name, "faces": len(faces), "digest": faces.digest()},
        judgements=judgements,
        speed=tuple(_speed(classifier, faces.crops, batch) for batch in SPEED_BATCHES) if speed else (),
        host=host(),
        counter=None if people is None else judge_people(classifier, people, seed=SEED),
        mirrored=None if mirrored is None else _mirrored(mirrored, faces, truths),
        sizes=_sizes(classifier, beside, faces, people, say) if beside else (),
    )


def sample(faces: FaceData, count: int) -> FaceData:
    """Some of the faces, drawn by the seed, in their order; all where there are no more.

    Args:
        faces: To draw from.
        count: How many.
    """
    return faces.take(np.sort(np.random.default_rng(SEED).permutation(len(faces))[:count]))


def host() -> str:
    """This machine, in words that identify nobody."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def _truth(faces: FaceData, labels: LabelSet, name: str) -> npt.NDArray[np.int64]:
    """Positions in the set's classes, ``[n]``; -1 where a face does not count."""
    if labels is LabelSet.FER:
        return faces.labels
    truth = majority_labels(faces.votes)
    if not (truth >= 0).any():
        raise InputError(
            f"no face of {name} has an emotion with more than half of its FER+ votes; judge by --labels fer"
        )
    return truth


def _answers(classifier: FaceClassifier, crops: npt.NDArray[np.uint8]) -> Answers:
    """Each head by its own labels."""
    answers = classifier.probabilities(crops)
    return {LabelSet.FER: answers.fer2013, LabelSet.FERPLUS: answers.ferplus}


def _judge(
    labels: LabelSet,
    truth: npt.NDArray[np.int64],
    clean: npt.NDArray[np.float32],
    spoilt: dict[str, npt.NDArray[np.float32]],
    groups: npt.NDArray[np.str_] | None,
) -> Judgement:
    classes = FER2013_LABELS if labels is LabelSet.FER else FERPLUS_LABELS
    counted = truth >= 0
    right, answers = truth[counted], clean[counted]
    hits = answers.argmax(axis=1) == right
    by_name = {condition.name: condition for condition in ALL}
    return Judgement(
        labels=labels,
        evaluation=evaluate(answers, right, classes),
        intervals=intervals(answers, right, classes, seed=SEED),
        robustness=tuple(
            degradation(by_name[name], clean=hits, spoilt=each[counted].argmax(axis=1) == right, seed=SEED)
            for name, each in spoilt.items()
        ),
        groups=() if groups is None else by_group(answers.argmax(axis=1), right, groups[counted], seed=SEED),
    )


def _mirrored(
    classifier: FaceClassifier, faces: FaceData, truths: Mapping[LabelSet, npt.NDArray[np.int64]]
) -> Mirrored:
    answers = _answers(classifier, faces.crops)
    return Mirrored(
        {str(s): float(np.mean((answers[s].argmax(axis=1) == truth)[truth >= 0])) for s, truth in truths.items()},
        tuple(_speed(classifier, faces.crops, batch) for batch in SPEED_BATCHES),
    )


def _sizes(
    classifier: FaceClassifier,
    beside: Sequence[FaceClassifier],
    faces: FaceData,
    people: People | None,
    say: Callable[[str], None],
) -> tuple[Size, ...]:
    measured = []
    for each in (classifier, *beside):
        say(f"beside each other: {each.manifest.name}")
        measured.append(size_of(each, faces, people))
    return tuple(measured)


def _speed(classifier: FaceClassifier, crops: npt.NDArray[np.uint8], batch: int) -> Speed:
    faces = np.resize(crops, (batch, *crops.shape[1:]))
    classifier.probabilities(faces)  # compiles
    times = []
    for _ in range(_SPEED_CALLS):
        started = time.perf_counter()
        classifier.probabilities(faces)
        times.append((time.perf_counter() - started) * 1000 / batch)
    return Speed(batch, statistics.median(times), min(times))
