"""``mien evaluate detector``: figures as JSON or as a table, for each detector and kind of data."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import typer
from typer.testing import CliRunner

pytest.importorskip("pyarrow")


@pytest.fixture
def folder(tmp_path: Path, astronaut: npt.NDArray[np.uint8]) -> Path:
    """The astronaut, and a picture without a face."""
    cv2.imwrite(str(tmp_path / "astronaut.png"), cv2.cvtColor(astronaut, cv2.COLOR_RGB2BGR))
    cv2.imwrite(str(tmp_path / "nobody.png"), np.full((240, 320, 3), 120, np.uint8))
    (tmp_path / "boxes.csv").write_text("file,x,y,width,height\nastronaut.png,178,62,92,112\nnobody.png,,,,\n")
    return tmp_path


@pytest.mark.parametrize("detector", ["mien", "haar"])
def test_json_to_stdout_is_only_json(app: typer.Typer, folder: Path, detector: str) -> None:
    asked = ["evaluate", "detector", "--data", str(folder), "--detector", detector, "--json", "-"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["detector"] == detector
    assert (figures["pictures"], figures["faces"], figures["recall"]) == (2, 1, 1.0)
    assert (figures["face_free_pictures"], figures["face_free_with_false"]) == (1, 0.0)
    assert {"precision", "false_positives_per_image", "ap50", "landmark_error", "by_size"} <= figures.keys()


def test_the_table_has_the_figures_and_json_goes_to_a_file(app: typer.Typer, folder: Path) -> None:
    path = folder / "figures.json"
    asked = ["evaluate", "detector", "--data", str(folder), "--detector", "haar", "--json", str(path)]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    assert "average precision" in result.stdout
    assert "64 - 96" in result.stdout
    assert json.loads(path.read_text())["faces"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--detector", "mtcnn"], "there is no detector 'mtcnn'; registered are: haar, mien"),
        (["--data", "nothing.parquet"], "there is no file nothing.parquet"),
        (["--weights", "nothing.json"], "nothing.json"),
    ],
)
def test_what_is_missing_is_a_plain_message(app: typer.Typer, folder: Path, options: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["evaluate", "detector", "--data", str(folder), *options])
    assert result.exit_code == 1
    assert message in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_pictures_of_nobody_held_back_are_no_validation(app: typer.Typer, folder: Path) -> None:
    result = CliRunner().invoke(app, ["evaluate", "detector", "--data", str(folder), "--split", "validation"])
    assert result.exit_code == 1
    assert "none of the pictures" in result.stderr
