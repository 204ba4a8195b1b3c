"""A training run: checkpoints, going on after a kill, patience, schedules, metrics and curves."""

from __future__ import annotations

import gc
import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from rich.console import Console

from mien import InputError, Manifest, MienError, WeightsError
from mien_face_lab.training import journal
from mien_face_lab.training.checkpoint import Checkpoints, Kind
from mien_face_lab.training.faces import FaceData
from mien_face_lab.training.journal import EpochReport
from mien_face_lab.training.learner import Judgement, StepFigures
from mien_face_lab.training.progress import shown
from mien_face_lab.training.run import Outcome, train
from mien_face_lab.training.schedule import Decline, Plateau, Schedule
from mien_face_lab.training.weighing import class_weights


def made_up(count: int = 24) -> FaceData:
    generator = np.random.default_rng(0)
    labels = np.arange(count) % 7
    crops = generator.integers(0, 256, (count, 48, 48)).astype(np.uint8)
    return FaceData(crops, labels.astype(np.int64), np.zeros((count, 10), np.float32))


class State(NamedTuple):
    weights: dict[str, Any]
    step: int


class SumLearner:
    """Adds up what it sees, so that order, rate and number of steps all leave a mark; accuracies are given."""

    name = "sum"
    batch_size = 4

    def __init__(
        self,
        accuracies: tuple[float, ...] = (0.1, 0.3, 0.2, 0.2),
        *,
        patience: int | None = None,
        schedule: Schedule | None = None,
        ships_best: bool = True,
    ) -> None:
        self.accuracies = accuracies
        self.epochs = len(accuracies)
        self.patience = patience
        self.schedule = schedule
        self.ships_best = ships_best

    def describe(self) -> dict[str, Any]:
        return {"network": self.name, "accuracies": list(self.accuracies)}

    def select(self, data: FaceData) -> FaceData:
        return data

    def steps(self, data: FaceData) -> int:
        return len(data) // self.batch_size

    def initial(self, seed: int) -> State:
        return State({"total": np.random.default_rng(seed).standard_normal((48, 48)).astype(np.float32)}, 0)

    def batches(self, data: FaceData, *, seed: int, epoch: int) -> Iterator[Any]:
        order = np.random.default_rng([seed, epoch]).permutation(len(data))
        for start in range(0, self.steps(data) * self.batch_size, self.batch_size):
            yield data.crops[order[start : start + self.batch_size]]

    def rate(self, *, step: int, steps: int, reductions: int) -> float:
        return (self.schedule or Schedule(0.1)).at(step=step, steps=steps, reductions=reductions)

    def step(self, state: State, batch: Any, *, rate: float) -> tuple[State, StepFigures]:
        total = np.float32(0.9) * state.weights["total"] + np.float32(rate) * batch.mean(axis=0).astype(np.float32)
        return State({"total": total}, state.step + 1), StepFigures(float(total.mean()), 0.5)

    def judge(self, state: State, data: FaceData) -> Judgement:
        accuracy = self.accuracies[state.step // self.steps(data) - 1]
        return Judgement(1 - accuracy, accuracy, {"other_accuracy": 0.25})

    def finish(self, state: State, data: FaceData) -> State:
        return state

    def export(self, state: State, *, validation: FaceData, out: Path, training: Mapping[str, Any]) -> Manifest:
        raise NotImplementedError

    def close(self) -> None:
        pass


class Recorder:
    """Keeps reports; may do something at a step or after an epoch."""

    def __init__(
        self,
        at_step: Callable[[int, int], None] = lambda epoch, step: None,
        after_epoch: Callable[[int], None] = lambda epoch: None,
    ) -> None:
        self.reports: list[EpochReport] = []
        self._at_step = at_step
        self._after_epoch = after_epoch

    def step(self, *, epoch: int, step: int, steps: int, figures: StepFigures) -> None:
        self._at_step(epoch, step)

    def epoch(self, report: EpochReport) -> None:
        self.reports.append(report)
        self._after_epoch(report.epoch)


@pytest.fixture(autouse=True)
def _without_curves(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than all the rest; one test looks at what is drawn."""
    if "curves" not in request.node.name:
        monkeypatch.setattr(journal, "save_curves", lambda *_, **__: None)


def run(out: Path, learner: SumLearner, *, observer: Recorder | None = None, resume: bool = True) -> Outcome:
    data = made_up()
    watcher = observer or Recorder()
    return train(learner, training=data, validation=data, seed=1, out=out, resume=resume, observer=watcher)


def kill_in_the_second_epoch(out: Path) -> None:
    """For a process of its own: dies like one that is killed, in the middle of an epoch."""

    def die(epoch: int, step: int) -> None:
        if (epoch, step) == (2, 3):
            os.kill(os.getpid(), signal.SIGKILL)

    run(out, SumLearner(ships_best=False), observer=Recorder(die))


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_a_killed_run_goes_on_to_the_weights_of_an_unbroken_one(tmp_path: Path) -> None:
    folders = [str(Path(__file__).parents[2] / part) for part in ("core", "plugins/face", "tests/face")]
    code = f"import sys; sys.path[:0] = {folders!r}\nfrom pathlib import Path\nimport test_training_run as own\n"
    code += f"own.kill_in_the_second_epoch(Path({str(tmp_path / 'broken')!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr

    whole = run(tmp_path / "whole", SumLearner(ships_best=False))
    seen = Recorder()
    resumed = run(tmp_path / "broken", SumLearner(ships_best=False), observer=seen)

    assert [report.epoch for report in seen.reports] == [2, 3, 4]
    assert resumed.state.step == whole.state.step == 24
    np.testing.assert_array_equal(resumed.state.weights["total"], whole.state.weights["total"])
    timeless = [
        [{key: value for key, value in line.items() if "second" not in key} for line in lines(tmp_path / name)]
        for name in ("whole", "broken")
    ]
    assert timeless[0] == timeless[1]
    assert [line["epoch"] for line in timeless[0]] == [1, 2, 3, 4]


def test_the_best_epoch_is_what_is_exported(tmp_path: Path) -> None:
    states: list[Any] = []
    learner = SumLearner()
    observer = Recorder(
        after_epoch=lambda epoch: states.append(Checkpoints(tmp_path).load(Kind.LAST, learner.initial(0))[0])
    )

    outcome = run(tmp_path, learner, observer=observer)

    assert (outcome.epochs, outcome.shipped_epoch, outcome.stopped_early) == (4, 2, False)
    assert Checkpoints(tmp_path).epoch(Kind.BEST) == 2
    np.testing.assert_array_equal(outcome.state.weights["total"], states[1].weights["total"])
    assert [report.best for report in observer.reports] == [True, True, False, False]


def test_what_is_exported_is_finished_once_and_what_is_gone_on_from_is_not(tmp_path: Path) -> None:
    class Finishing(SumLearner):
        def finish(self, state: State, data: FaceData) -> State:
            return State({"total": state.weights["total"] + np.float32(1000)}, state.step)

    outcome = run(tmp_path, Finishing(ships_best=False))

    kept = Checkpoints(tmp_path).load(Kind.LAST, SumLearner().initial(0))[0]
    np.testing.assert_array_equal(outcome.state.weights["total"], kept.weights["total"] + np.float32(1000))


def test_patience_ends_a_run_and_a_resumed_one_stays_ended(tmp_path: Path) -> None:
    learner = SumLearner((0.1, 0.3, 0.2, 0.2, 0.2, 0.2), patience=2)

    outcome = run(tmp_path, learner)
    again = Recorder()
    resumed = run(tmp_path, learner, observer=again)

    assert (outcome.epochs, outcome.stopped_early) == (4, True)
    assert (resumed.epochs, again.reports) == (4, [])


def test_a_plateau_lowers_the_rate(tmp_path: Path) -> None:
    schedule = Schedule(0.1, Decline.PLATEAU, factor=0.1, patience=2, floor=0.005)
    seen = Recorder()

    run(tmp_path, SumLearner((0.3, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2), schedule=schedule), observer=seen)

    assert [report.rate for report in seen.reports] == pytest.approx([0.1, 0.1, 0.1, 0.01, 0.01, 0.005, 0.005])


def test_a_lower_loss_starts_the_waiting_anew() -> None:
    plateau = Plateau().after(1.0, patience=2).after(1.0, patience=2).after(0.5, patience=2).after(0.6, patience=2)

    assert (plateau.lowest, plateau.waited, plateau.reductions) == (0.5, 1, 0)


@pytest.mark.parametrize(
    ("decline", "expected"),
    [
        (Decline.CONSTANT, [1, 1, 1, 1]),
        (Decline.COSINE, [1, 0.854, 0.5, 0]),
        (Decline.ONE_CYCLE, [0.1, 1, 0.75, 0]),
        (Decline.PLATEAU, [1, 1, 1, 1]),
    ],
)
def test_schedules_go_where_they_say(decline: Decline, expected: list[float]) -> None:
    schedule = Schedule(1.0, decline)

    assert [schedule.at(step=step, steps=4) for step in (0, 1, 2, 4)] == pytest.approx(expected, abs=1e-3)


def test_decay_divides_by_the_steps_made() -> None:
    assert Schedule(1.0, decay=0.5).at(step=2, steps=10) == pytest.approx(0.5)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_full_disk_leaves_the_previous_checkpoint(tmp_path: Path) -> None:
    learner = SumLearner(ships_best=False)
    unlimited, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_the_disk(epoch: int) -> None:
        if epoch == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))  # a state takes over 9,000 bytes

    try:
        with pytest.raises(MienError, match=r"cannot write the checkpoint of epoch 3.*is the disk full\?") as caught:
            run(tmp_path, learner, observer=Recorder(after_epoch=fill_the_disk))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, hard))
    gc.collect()  # Orbax leaves a coroutine of the failed write; it shall complain here, not in another test

    assert "--resume" in str(caught.value)
    assert Checkpoints(tmp_path).epoch(Kind.LAST) == 2
    resumed = run(tmp_path, learner)
    whole = run(tmp_path.with_name("whole"), learner)
    np.testing.assert_array_equal(resumed.state.weights["total"], whole.state.weights["total"])


def test_checkpoints_of_other_runs_and_networks_are_refused(tmp_path: Path) -> None:
    run(tmp_path, SumLearner((0.1,)))

    with pytest.raises(InputError, match="add --resume, or choose another --out"):
        run(tmp_path, SumLearner((0.1,)), resume=False)
    with pytest.raises(WeightsError, match="made with another accuracies"):
        run(tmp_path, SumLearner((0.1, 0.2)))
    folder = re.escape(str(tmp_path / "checkpoints" / "last"))
    with pytest.raises(WeightsError, match=f"cannot read the checkpoint in {folder}: "):
        Checkpoints(tmp_path).load(Kind.LAST, State({"another": np.zeros(3, np.float32)}, 0))
    for file in (tmp_path / "checkpoints" / "last" / "1" / "state").rglob("*"):
        if file.is_file():
            file.write_bytes(b"damaged")
    with pytest.raises(WeightsError, match=f"cannot read the checkpoint in {folder}: "):
        run(tmp_path, SumLearner((0.1,)))


def test_metrics_and_curves_are_there_after_every_epoch(tmp_path: Path) -> None:
    def check(epoch: int) -> None:
        assert [line["epoch"] for line in lines(tmp_path)] == list(range(1, epoch + 1))
        assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (tmp_path / "curves.svg").read_text()

    run(tmp_path, SumLearner((0.1, 0.3)), observer=Recorder(after_epoch=check))

    first = lines(tmp_path)[0]
    assert {"loss", "accuracy", "validation_loss", "validation_accuracy", "rate", "images_per_second"} <= first.keys()
    assert first["others"] == {"other_accuracy": 0.25}


def test_fewer_faces_than_a_batch_are_refused(tmp_path: Path) -> None:
    data = made_up(3)

    with pytest.raises(InputError, match="3 faces are fewer than one batch of 4"):
        train(SumLearner(), training=data, validation=data, seed=0, out=tmp_path, resume=False, observer=Recorder())


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_shows_loss_accuracy_speed_and_time(tmp_path: Path, terminal: bool) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, width=160)
    data = made_up()

    with shown(console, batch_size=4, epochs=4) as observer:
        train(SumLearner(), training=data, validation=data, seed=1, out=tmp_path, resume=False, observer=observer)

    text = screen.getvalue()
    assert "epoch 4/4" in text
    for figure in ("loss", "accuracy 0.5", "images/s", "other accuracy 0.2500", "(best)"):
        assert figure in text
    assert ("\x1b[" in text) is terminal
    assert terminal or len(text.splitlines()) == 4


def test_class_weights_are_inverse_to_class_sizes() -> None:
    labels = np.array([0] * 6 + [1] * 3 + [3] * 1)

    weights = class_weights(labels, 4)

    assert weights[1] == pytest.approx(2 * weights[0])
    assert weights[3] == pytest.approx(6 * weights[0])
    assert weights[2] == 0
    assert weights[labels].mean() == pytest.approx(1)
