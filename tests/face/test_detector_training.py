"""Learning to find faces: both engines, going on after a stop, the command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import typer
from face.support import BOX, CONFIG, ENGINES, POINTS, RECIPE, drawn, encoded, first_batch, made_engine
from typer.testing import CliRunner

from mien import PluginHost, WeightsError, read_manifest
from mien.training import EpochReport, PlainLines, train
from mien_face_lab import commands
from mien_face_lab.commands import train_detector
from mien_face_lab.training.detector.batches import BatchSource
from mien_face_lab.training.detector.jax_engine import JaxEngine
from mien_face_lab.training.detector.learner import DetectorLearner
from mien_face_lab.training.detector.pictures import read_training
from mien_face_lab.training.detector.recipe import Recipe
from mien_face_lab.training.detector.split import Side, part_of
from mien_face_lab.training.detector.step import Engine, TrainState, initial_arrays, initial_state, train_step
from mien_face_lab.training.detector.targets import IGNORED, Batch
from mien_face_lab.training.detector.validation import Validation

PARQUET = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("optax")


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    yield from made_engine("mien_face_lab.training.detector", request.param, CONFIG, RECIPE)


@pytest.fixture(scope="module")
def reference() -> JaxEngine:
    """Compiled once."""
    return JaxEngine(CONFIG, RECIPE)


def test_steps_lower_the_losses(engine: Engine) -> None:
    state, batch = initial_state(CONFIG, RECIPE, 0), first_batch()
    totals = []
    for _ in range(100):
        state, losses = train_step(engine, RECIPE, state._replace(step=1), batch, rate=RECIPE.rate(1))
        totals.append(sum(losses.values()))

    assert totals[-1] < 0.5 * totals[0]


def test_both_engines_compute_the_same_losses_and_gradients(reference: JaxEngine) -> None:
    pytest.importorskip("torch")
    from mien_face_lab.training.detector.torch_engine import TorchEngine

    one_shard = TorchEngine(CONFIG, RECIPE, shards=1)
    generator = np.random.default_rng(0)
    arrays, batch = initial_arrays(CONFIG, 0), first_batch()
    for name, array in arrays.items():  # at zero, parts of the network would not be compared
        if name.endswith((".scale", ".bias")):
            arrays[name] = (array + generator.uniform(0.1, 0.9, array.shape)).astype(np.float32)
    assert (batch.assigned >= 0).any()

    found, expected = (each.gradients(arrays, batch) for each in (one_shard, reference))

    assert found.losses == pytest.approx(expected.losses, rel=1e-4)
    for name, gradient in expected.parameters.items():
        scale = max(float(np.abs(gradient).max()), 1e-3)
        np.testing.assert_allclose(found.parameters[name] / scale, gradient / scale, atol=2e-3, err_msg=name)
    for name, statistic in expected.statistics.items():
        if name.endswith(".mean"):  # PyTorch's variance is the unbiased one
            np.testing.assert_allclose(found.statistics[name], statistic, atol=1e-4, err_msg=name)
    one_shard.close()


def test_compiling_changes_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from mien_face_lab.training.detector.torch_engine import TorchEngine

    compiled: list[Any] = []

    def pretend(function: Any, **_: Any) -> Any:  # as compiling takes minutes
        compiled.append(function)
        return function

    monkeypatch.setattr(torch, "compile", pretend)
    arrays, batch = initial_arrays(CONFIG, 0), first_batch()

    found = []
    for wanted in (False, True):
        engine = TorchEngine(CONFIG, RECIPE, compiled=wanted)
        found.append(engine.gradients(arrays, batch))
        engine.close()

    assert len(compiled) == 1
    assert found[0].losses == found[1].losses
    for name, gradient in found[0].parameters.items():
        np.testing.assert_array_equal(found[1].parameters[name], gradient, err_msg=name)


def test_what_is_ignored_teaches_nothing(reference: JaxEngine) -> None:
    arrays, batch = initial_arrays(CONFIG, 0), first_batch()
    nothing = Batch(batch.images, np.full_like(batch.assigned, IGNORED), batch.boxes, batch.landmarks)

    gradients = reference.gradients(arrays, nothing)

    assert gradients.losses == pytest.approx({"score": 0, "box": 0, "landmark": 0})
    assert all((gradient == 0).all() for gradient in gradients.parameters.values())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a few pictures of each kind, on both sides of the split."""
    import pyarrow

    folder = tmp_path / "faces"
    folder.mkdir()
    for file, faces in (("portraits", 1), ("people", 1), ("scenes", 0)):
        names = [f"{file}{number}.png" for number in range(300)]
        kept = [next(name for name in names if part_of(name=name) is part) for part in Side]
        x, y, right, bottom = BOX.tolist()
        rows = {
            "name": kept,
            "image": [encoded(drawn(seed)) for seed in range(2)],
            "boxes": [[[x, y, right - x, bottom - y]] * faces] * 2,
            "landmarks": [[POINTS.ravel().tolist()] * faces] * 2,
            "scores": [[0.95] * faces] * 2,
            "uncertain_boxes": pyarrow.array([[], []], pyarrow.list_(pyarrow.list_(pyarrow.float32()))),
            "person": ["", ""],
        }
        PARQUET.write_table(pyarrow.table(rows), folder / f"{file}.parquet")
    return folder


def test_a_batch_is_decided_by_its_number(data: Path) -> None:
    source = BatchSource(CONFIG, RECIPE, data, seed=0, workers=0)

    first, later = list(source.batches(0, 7)), list(source.batches(5, 3))

    assert len(first) == 7
    assert len(later) == 3
    np.testing.assert_array_equal(first[5].images, later[0].images)
    np.testing.assert_array_equal(first[6].assigned, later[1].assigned)
    assert (first[4].images != first[5].images).any()
    with pytest.raises(ValueError, match="7 times"):
        BatchSource(CONFIG, Recipe(batch_size=4, side=64, uses=7), data, seed=0, workers=0)


def test_a_resumed_run_ends_where_an_unbroken_one_does(
    data: Path, tmp_path: Path, reference: JaxEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.plots.save_curves", lambda *_, **__: None)

    class StopError(Exception):
        """The run is killed."""

    def stop(report: EpochReport) -> str:
        raise StopError

    told: list[str] = []

    def run(out: Path, line: Callable[[EpochReport], str], recipe: Recipe = RECIPE) -> TrainState:
        source = BatchSource(CONFIG, recipe, data, seed=0, workers=0)
        return train(
            DetectorLearner(reference, CONFIG, recipe, source),
            training=read_training(data),
            validation=Validation.read(data),
            seed=0,
            out=out,
            resume=True,
            observer=PlainLines(told.append, line),
        ).state

    unbroken = run(tmp_path / "whole", train_detector.epoch_line)
    with pytest.raises(StopError):
        run(tmp_path / "broken", stop)
    resumed = run(tmp_path / "broken", train_detector.epoch_line)

    assert [lines.split()[1] for lines in told] == ["1/2", "2/2", "2/2"]
    assert resumed.step == unbroken.step == 4
    for found, expected in zip(jax.tree.leaves(resumed), jax.tree.leaves(unbroken), strict=True):
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(WeightsError, match="made with another recipe"):
        run(tmp_path / "broken", train_detector.epoch_line, Recipe(epochs=3, steps=2, batch_size=4, side=64))


def test_weights_of_another_network_are_no_start() -> None:
    arrays = initial_arrays(CONFIG, 0)
    del arrays["stem.kernel"]

    with pytest.raises(WeightsError, match="another network"):
        initial_state(CONFIG, RECIPE, 0, arrays)


def test_the_command_trains_and_writes_a_manifest(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        train_detector,
        "settings",
        lambda epochs, steps, *_: (CONFIG, Recipe(epochs=epochs, steps=steps, batch_size=2, side=64)),
    )
    app = typer.Typer()
    commands.register(app, PluginHost.from_plugins({}).context)
    out = tmp_path / "out"

    options = ["--data", str(data), "--out", str(out), "--epochs", "1", "--steps", "1", "--workers", "0"]
    result = CliRunner().invoke(app, ["train", "detector", *options])
    again = CliRunner().invoke(app, ["train", "detector", *options])
    from_it = CliRunner().invoke(
        app, ["train", "detector", *options, "--out", str(tmp_path / "second"), "--start", str(out)]
    )

    assert result.exit_code == from_it.exit_code == 0, result.output + from_it.output
    assert "epoch 1/1  box" in result.stdout
    assert "  people: recall" in result.stdout
    assert again.exit_code == 1
    assert "add --resume" in again.stderr
    manifest = read_manifest(out / "detector.json")
    assert 0 < manifest.calibration["threshold"] < 1
    assert manifest.metrics["people_faces"] == 1
    assert "--epochs 1 --steps 1" in manifest.training["command"]


def test_only_torch_can_be_compiled_first(tmp_path: Path) -> None:
    app = typer.Typer()
    commands.register(app, PluginHost.from_plugins({}).context)

    result = CliRunner().invoke(
        app, ["train", "detector", "--data", str(tmp_path), "--out", str(tmp_path), "--compiled"]
    )

    assert result.exit_code == 2
    assert "--engine torch" in result.output
