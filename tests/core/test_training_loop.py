"""The loop that trains everything: checkpoints, going on after a kill, patience, schedules, metrics and curves."""

from __future__ import annotations

import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from rich.console import Console

import mien
from mien import InputError, MienError, WeightsError
from mien.training import (
    Checkpoints,
    Curves,
    Decline,
    EpochReport,
    Figures,
    Kind,
    Plateau,
    Schedule,
    Trained,
    shown,
    train,
)


class Numbers:
    """What is learnt from."""

    def __init__(self, count: int = 24) -> None:
        self.values = np.random.default_rng(0).integers(0, 256, (count, 48, 48)).astype(np.float32)

    def digest(self) -> str:
        return str(len(self.values))


class State(NamedTuple):
    weights: dict[str, npt.NDArray[np.float32]]
    means: tuple[npt.NDArray[np.float32], None]
    step: int


class SumLearner:
    """Adds up what it sees, so that order, rate and number of steps all leave a mark; accuracies are given."""

    batch_size = 4
    curves = Curves("a run", "accuracy", {"loss": "loss", "accuracy": "validation_accuracy", "never": "never"})

    def __init__(
        self,
        accuracies: tuple[float, ...] = (0.1, 0.3, 0.2, 0.2),
        *,
        patience: int | None = None,
        schedule: Schedule | None = None,
        best_by: str | None = "accuracy",
        ships_best: bool = True,
    ) -> None:
        self.accuracies = accuracies
        self.epochs = len(accuracies)
        self.patience = patience
        self.schedule = schedule
        self.best_by = best_by
        self.ships_best = ships_best

    def describe(self) -> dict[str, Any]:
        return {"network": "sum", "accuracies": list(self.accuracies)}

    def steps(self, data: Numbers) -> int:
        return len(data.values) // self.batch_size

    def initial(self, seed: int) -> State:
        total = np.random.default_rng(seed).standard_normal((48, 48)).astype(np.float32)
        return State({"a/total": total}, (np.zeros((), np.float32), None), 0)

    def batches(self, data: Numbers, *, state: State, seed: int, epoch: int) -> Iterator[npt.NDArray[np.float32]]:
        order = np.random.default_rng([seed, epoch, state.step]).permutation(len(data.values))
        for start in range(0, self.steps(data) * self.batch_size, self.batch_size):
            yield data.values[order[start : start + self.batch_size]]

    def rate(self, *, step: int, steps: int, reductions: int) -> float:
        return (self.schedule or Schedule(0.1)).at(step=step, steps=steps, reductions=reductions)

    def step(self, state: State, batch: npt.NDArray[np.float32], *, rate: float) -> tuple[State, Figures]:
        total = np.float32(0.9) * state.weights["a/total"] + np.float32(rate) * batch.mean(axis=0)
        mean = np.asarray(total.mean())
        return State({"a/total": total}, (mean, None), state.step + 1), {"loss": mean, "accuracy": 0.5}

    def judge(self, state: State, data: Numbers) -> dict[str, float]:
        accuracy = self.accuracies[state.step // self.steps(data) - 1]
        return {"loss": 1 - accuracy, "accuracy": accuracy, "other_accuracy": 0.25}


def assert_same(found: State, expected: State) -> None:
    assert found.step == expected.step
    assert isinstance(found.step, int)
    np.testing.assert_array_equal(found.weights["a/total"], expected.weights["a/total"])
    np.testing.assert_array_equal(found.means[0], expected.means[0])


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

    def step(self, *, epoch: int, step: int, steps: int, figures: Figures) -> None:
        self._at_step(epoch, step)

    def epoch(self, report: EpochReport) -> None:
        self.reports.append(report)
        self._after_epoch(report.epoch)


@pytest.fixture(autouse=True)
def _without_curves(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than all the rest; one test looks at what is drawn."""
    if "curves" not in request.node.name:
        monkeypatch.setattr("mien.plots.save_curves", lambda *_, **__: None)


def run(out: Path, learner: SumLearner, *, observer: Recorder | None = None, resume: bool = True) -> Trained[State]:
    data = Numbers()
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
    folders = [str(Path(mien.__file__).parents[1]), str(Path(__file__).parent)]
    code = f"import sys; sys.path[:0] = {folders!r}\nfrom pathlib import Path\nimport test_training_loop as own\n"
    code += f"own.kill_in_the_second_epoch(Path({str(tmp_path / 'broken')!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr

    whole = run(tmp_path / "whole", SumLearner(ships_best=False))
    seen = Recorder()
    resumed = run(tmp_path / "broken", SumLearner(ships_best=False), observer=seen)

    assert [report.epoch for report in seen.reports] == [2, 3, 4]
    assert resumed.state.step == 24
    assert_same(resumed.state, whole.state)
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
    assert_same(outcome.state, states[1])
    assert [report.best for report in observer.reports] == [True, True, False, False]


def test_where_none_is_chosen_the_last_epoch_is_the_outcome(tmp_path: Path) -> None:
    observer = Recorder()

    outcome = run(tmp_path, SumLearner(best_by=None, ships_best=False), observer=observer)

    assert outcome.shipped_epoch == 4
    assert not any(report.best for report in observer.reports)
    assert Checkpoints(tmp_path).epoch(Kind.BEST) is None
    assert_same(Checkpoints(tmp_path).load(Kind.LAST, outcome.state)[0], outcome.state)


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

    assert "--resume" in str(caught.value)
    assert Checkpoints(tmp_path).epoch(Kind.LAST) == 2
    resumed = run(tmp_path, learner)
    whole = run(tmp_path.with_name("whole"), learner)
    assert_same(resumed.state, whole.state)


def test_checkpoints_of_other_runs_and_networks_are_refused(tmp_path: Path) -> None:
    run(tmp_path, SumLearner((0.1,)))

    with pytest.raises(InputError, match="add --resume, or choose another --out"):
        run(tmp_path, SumLearner((0.1,)), resume=False)
    with pytest.raises(WeightsError, match="made with another accuracies"):
        run(tmp_path, SumLearner((0.1, 0.2)))
    with pytest.raises(WeightsError, match="made with another data, seed"):
        train(
            SumLearner((0.1,)),
            training=Numbers(28),
            validation=Numbers(),
            seed=2,
            out=tmp_path,
            resume=True,
            observer=Recorder(),
        )
    with pytest.raises(WeightsError, match="its arrays are of another network"):
        Checkpoints(tmp_path).load(Kind.LAST, SumLearner().initial(0)._replace(weights={"a": np.zeros(3, np.float32)}))


def test_damaged_and_missing_checkpoints_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds no checkpoint; expected the folder of an earlier run"):
        Checkpoints(tmp_path).about(Kind.LAST)
    run(tmp_path, SumLearner((0.1,)))
    manifest = tmp_path / "checkpoints" / "last.json"
    unreadable = f"cannot read the checkpoint {re.escape(str(manifest))}: "

    (tmp_path / "checkpoints" / "last-1.safetensors").write_bytes(b"damaged")
    with pytest.raises(WeightsError, match=unreadable + r"last-1\.safetensors is damaged"):
        run(tmp_path, SumLearner((0.1,)))
    (tmp_path / "checkpoints" / "last-1.safetensors").unlink()
    with pytest.raises(WeightsError, match=unreadable):
        run(tmp_path, SumLearner((0.1,)))
    manifest.write_text("[]")
    with pytest.raises(WeightsError, match=unreadable + "expected a manifest of format 1"):
        run(tmp_path, SumLearner((0.1,)))


def test_a_kill_between_arrays_and_manifest_leaves_the_previous_checkpoint(tmp_path: Path) -> None:
    checkpoints, state = Checkpoints(tmp_path), SumLearner().initial(0)
    checkpoints.save(Kind.LAST, state, epoch=1, about={})
    (tmp_path / "checkpoints" / "last-2.safetensors").write_bytes(b"complete, but not named yet")
    (tmp_path / "checkpoints" / ".last.json.x").write_bytes(b"half")

    kept, _ = checkpoints.load(Kind.LAST, state)
    assert_same(kept, state)

    checkpoints.save(Kind.LAST, state, epoch=3, about={})
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {"last.json", "last-3.safetensors"}


def test_a_part_of_a_state_can_be_read_without_the_rest(tmp_path: Path) -> None:
    checkpoints, state = Checkpoints(tmp_path), SumLearner().initial(0)
    checkpoints.save(Kind.LAST, state, epoch=1, about={})

    part = checkpoints.part(Kind.LAST, "weights")

    assert part.keys() == {"a/total"}
    np.testing.assert_array_equal(part["a/total"], state.weights["a/total"])
    with pytest.raises(WeightsError, match="another kind of network: there is nothing called 'averaged'"):
        checkpoints.part(Kind.LAST, "averaged")


def test_metrics_and_curves_are_there_after_every_epoch(tmp_path: Path) -> None:
    def check(epoch: int) -> None:
        assert [line["epoch"] for line in lines(tmp_path)] == list(range(1, epoch + 1))
        assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (tmp_path / "curves.svg").read_text()

    run(tmp_path, SumLearner((0.1, 0.3)), observer=Recorder(after_epoch=check))

    first = lines(tmp_path)[0]
    assert {"loss", "accuracy", "validation_loss", "rate", "examples_per_second"} <= first.keys()
    assert (first["validation_accuracy"], first["validation_other_accuracy"]) == (0.1, 0.25)


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_shows_figures_speed_and_what_is_told_of_an_epoch(tmp_path: Path, terminal: bool) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, width=160)
    data = Numbers()

    def line(report: EpochReport) -> str:
        return f"[{report.epoch} of {report.epochs}] accuracy {report.validation['accuracy']}"

    with shown(console, line, batch_size=4, epochs=4, unit="numbers") as observer:
        train(SumLearner(), training=data, validation=data, seed=1, out=tmp_path, resume=False, observer=observer)

    text = screen.getvalue()
    assert "[4 of 4] accuracy 0.2" in text
    assert ("\x1b[" in text) is terminal
    for shown_on_the_bar in ("epoch 4/4", "loss", "accuracy 0.500", "numbers/s"):
        assert (shown_on_the_bar in text) is terminal
    assert terminal or len(text.splitlines()) == 4
