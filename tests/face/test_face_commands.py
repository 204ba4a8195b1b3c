"""``mien train face`` and ``mien evaluate face``."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from mien.training import Checkpoints, Kind
from mien_face.inference import load_folded
from mien_face_lab.robustness import ALL

PARQUET = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    import pyarrow

    from mien_face_lab.training.data import VOTE_COLUMNS

    generator = np.random.default_rng(0)
    pictures = [cv2.imencode(".png", crop)[1].tobytes() for crop in generator.integers(0, 256, (7, 48, 48), np.uint8)]
    votes = {name: [10 if name == "votes_happiness" else 0] * 7 for name in VOTE_COLUMNS}
    table = pyarrow.table({"image": pictures, "emotion": list(range(7)), **votes})
    for part in ("train", "validation"):
        PARQUET.write_table(table, tmp_path / f"{part}.parquet")
    return tmp_path


@pytest.fixture
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of the shipped kind are trained by their recipes, but have hardly any channels."""
    from mien_face.config import NetworkConfig
    from mien_face_lab.training import networks

    recipe = networks.resnet_recipe
    small = NetworkConfig(stem=4, widths=(4,), depths=(1,))
    monkeypatch.setattr(networks, "resnet_recipe", lambda name, changes: (small, recipe(name, changes)[1]))


@pytest.mark.parametrize(("labels", "classes"), [("fer", 7), ("ferplus", 8)])
def test_json_to_stdout_is_only_json(app: typer.Typer, faces: Path, labels: str, classes: int) -> None:
    result = CliRunner().invoke(app, ["evaluate", "face", "--data", str(faces), "--labels", labels, "--json", "-"])

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {"accuracy", "macro_f1", "ece", "per_class", "n"} <= found.keys()
    assert (found["n"], len(found["per_class"])) == (7, classes)


def test_the_table_names_every_emotion_and_json_goes_to_a_file(app: typer.Typer, faces: Path, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"

    result = CliRunner().invoke(app, ["evaluate", "face", "--data", str(faces), "--json", str(path)])

    assert result.exit_code == 0, result.output
    assert "happy" in result.stdout
    assert "7 faces: accuracy" in result.stdout
    assert json.loads(path.read_text())["n"] == 7


def test_a_page_robustness_and_a_sample_can_be_asked_for(app: typer.Typer, faces: Path, tmp_path: Path) -> None:
    page, figures = tmp_path / "new/page.html", tmp_path / "figures.json"
    options = ["--robustness", "--sample", "5", "--html", str(page), "--json", str(figures)]

    result = CliRunner().invoke(app, ["evaluate", "face", "--data", str(faces), *options])

    assert result.exit_code == 0, result.output
    assert "upper face covered" in result.stdout
    found = json.loads(figures.read_text())
    assert (found["n"], len(found["robustness"])) == (5, len(ALL))
    assert page.read_text().startswith("<!doctype html>")


def test_a_file_that_cannot_be_written_is_a_plain_message(app: typer.Typer, faces: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    result = CliRunner().invoke(
        app, ["evaluate", "face", "--data", str(faces), "--html", str(tmp_path / "file/page.html")]
    )

    assert result.exit_code == 1
    assert "mien: cannot use" in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_a_folder_that_cannot_be_made_is_a_plain_message(app: typer.Typer, faces: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "out"

    result = CliRunner().invoke(app, ["train", "face", "--data", str(faces), "--network", "knn", "--out", str(out)])

    assert result.exit_code == 1
    assert f"mien: cannot use {out}" in result.stderr
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_missing_data_is_a_plain_message(app: typer.Typer, command: str, tmp_path: Path) -> None:
    options = ["--out", str(tmp_path / "out")] if command == "train" else []

    result = CliRunner().invoke(app, [command, "face", "--data", str(tmp_path / "nothing"), *options])

    assert result.exit_code == 1
    assert "there is no file" in result.stderr
    assert isinstance(result.exception, SystemExit)


@pytest.mark.usefixtures("small_networks")
def test_training_writes_weights_that_can_be_evaluated(app: typer.Typer, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    options = ["train", "face", "--data", str(faces), "--out", str(out), "--epochs", "1", "--batch-size", "4"]
    trained = CliRunner().invoke(app, options)
    again = CliRunner().invoke(app, options)
    judged = CliRunner().invoke(
        app, ["evaluate", "face", "--data", str(faces), "--weights", str(out / "expression.json"), "--json", "-"]
    )

    assert trained.exit_code == 0, trained.output
    assert "epoch 1/1  loss" in trained.stdout
    assert {
        "checkpoints",
        "curves.png",
        "curves.svg",
        "expression.json",
        "expression.safetensors",
        "metrics.jsonl",
    } == {path.name for path in out.iterdir()}
    assert again.exit_code == 1
    assert "add --resume" in again.stderr
    assert json.loads(judged.stdout)["n"] == 7


@pytest.mark.usefixtures("small_networks")
def test_training_goes_on_from_exported_weights_and_learns_from_them(
    app: typer.Typer, faces: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    options = ["train", "face", "--data", str(faces), "--batch-size", "4"]
    assert CliRunner().invoke(app, [*options, "--out", str(first), "--epochs", "1"]).exit_code == 0
    exported = first / "expression.json"

    result = CliRunner().invoke(
        app,
        [
            *(*options, "--out", str(second), "--epochs", "2", "--refine", "--peak-rate", "0.01"),
            *("--start", str(exported), "--teacher", str(exported), "--teacher", "shipped", "--teacher-share", "0.7"),
        ],
    )

    assert result.exit_code == 0, result.output
    assert "first 2 teacher(s) look at 7 faces" in result.stdout
    about = json.loads((second / "expression.json").read_text())["training"]
    assert about["recipe"]["teacher_shares"] == {"fer2013": 0.7, "ferplus": 0.7}
    assert about["recipe"]["phases"][0]["rates"][0] == pytest.approx(0.01)
    assert about["teachers"][0] == json.loads(exported.read_text())["sha256"]
    assert len(about["teachers"]) == 2


@pytest.mark.usefixtures("small_networks")
def test_finishing_refits_the_heads(app: typer.Typer, faces: Path, tmp_path: Path) -> None:
    """What is exported has other heads than the checkpoint, and a run resumed with the same start ends the same."""
    train = ["train", "face", "--data", str(faces), "--batch-size", "4"]
    assert CliRunner().invoke(app, [*train, "--out", str(tmp_path / "start"), "--epochs", "1"]).exit_code == 0
    options = [*train, "--finish", "--out", str(tmp_path / "out"), "--epochs", "2"]
    started = [*options, "--start", str(tmp_path / "start")]

    first = CliRunner().invoke(app, started)
    exported = load_folded(tmp_path / "out" / "expression.json")
    again = CliRunner().invoke(app, [*started, "--resume"])
    without = CliRunner().invoke(app, [*options, "--resume"])

    assert first.exit_code == again.exit_code == 0, first.output + again.output
    assert without.exit_code == 1
    assert "start" in without.stderr
    kept = Checkpoints(tmp_path / "out").part(Kind.LAST, "averaged")
    assert not np.allclose(exported.arrays["fer2013.bias"], kept["fer2013.bias"], atol=1e-3)
    resumed = load_folded(tmp_path / "out" / "expression.json")
    np.testing.assert_array_equal(resumed.arrays["fer2013.bias"], exported.arrays["fer2013.bias"])
    about = json.loads((tmp_path / "out" / "expression.json").read_text())["training"]
    assert about["recipe"]["refit"]["penalty"] > 0
    assert about["recipe"]["sharpness_radius"] > 0


def test_fewer_faces_than_a_batch_are_refused(app: typer.Typer, faces: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "face", "--data", str(faces), "--out", str(tmp_path / "out")])

    assert result.exit_code == 1
    assert "7 faces are fewer than one batch of 64" in result.stderr


def test_nearest_neighbours_are_fitted_and_evaluated_by_the_same_commands(
    app: typer.Typer, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    fitted = CliRunner().invoke(app, ["train", "face", "--data", str(faces), "--network", "knn", "--out", str(out)])

    assert fitted.exit_code == 0, fitted.output
    assert "accuracy 1.0000 on 7 faces" in fitted.stdout  # the same faces are in both parts
    about = json.loads((out / "knn.json").read_text())
    assert about["network"] == "knn"
    assert about["training"]["preparation"]["equalise"] == "none"
    options = ["evaluate", "face", "--data", str(faces), "--weights", str(out / "knn.json"), "--json", "-"]
    judged = CliRunner().invoke(app, options)
    assert json.loads(judged.stdout)["accuracy"] == 1.0
    (out / "knn.safetensors").write_bytes(b"damaged")
    refused = CliRunner().invoke(app, options)
    assert refused.exit_code == 1
    assert "its sha256 is" in refused.stderr


def test_pictures_are_prepared_for_evaluation_as_they_were_for_training(
    app: typer.Typer, faces: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "out" / "knn.json"
    training = ["train", "face", "--data", str(faces), "--network", "knn", "--out", str(manifest.parent)]
    assert CliRunner().invoke(app, training).exit_code == 0
    about = json.loads(manifest.read_text())
    about["training"]["preparation"]["crop"] = "haar"
    manifest.write_text(json.dumps(about))

    judged = CliRunner().invoke(app, ["evaluate", "face", "--data", str(faces), "--weights", str(manifest)])

    assert judged.exit_code == 1
    assert "the Haar cascade finds no face in any of the 7 pictures" in judged.stderr


def test_what_was_skipped_is_shown_and_written(app: typer.Typer, tmp_path: Path) -> None:
    for name, value in (("happy", 50), ("sad", 200)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(3):
            assert cv2.imwrite(
                str(tmp_path / "data" / name / f"{number}.png"), np.full((9, 9), value + number, np.uint8)
            )
    (tmp_path / "data" / "happy" / "noise.jpg").write_bytes(b"noise")
    out = tmp_path / "out"

    result = CliRunner().invoke(
        app, ["train", "face", "--data", str(tmp_path / "data"), "--network", "knn", "--out", str(out)]
    )

    assert result.exit_code == 0, result.output
    assert "noise.jpg: the picture cannot be decoded" in result.stdout
    assert "noise.jpg" in (out / "skipped.txt").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--network", "vgg"], "no network 'vgg'; known are resnet"),
        (["--equalise", "clahe"], "resnet takes light and contrast out by itself"),
        (["--start", "nowhere"], "nowhere holds no checkpoint; expected the folder of an earlier run"),
        (["--start", "nowhere.json"], "cannot read the weight manifest nowhere.json"),
        (["--teacher", "nowhere.json"], "cannot read the weight manifest nowhere.json"),
        (["--network", "knn", "--start", "shipped"], "leave them away for knn"),
        (["--teacher-share", "0.3"], "name one with --teacher"),
        (
            ["--network", "ward2018", "--refine"],
            "--start, --refine, --finish and --teacher are for resnet, resnet-wide, resnet-deep",
        ),
        (["--network", "resnet-deep", "--refine", "--finish"], "--refine and --finish are two recipes"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    app: typer.Typer, faces: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    result = CliRunner().invoke(app, ["train", "face", "--data", str(faces), "--out", str(tmp_path / "out"), *options])

    assert result.exit_code == 1
    assert message in result.stderr
