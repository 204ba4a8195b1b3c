"""Which faces ``mien evaluate face`` judges, and how it tells them by group."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from mien import InputError
from mien_face_lab.bygroup import by_group
from mien_face_lab.training.data import VOTE_COLUMNS, part_to_judge, read_faces

PARQUET = pytest.importorskip("pyarrow.parquet")


def write_pictures(folder: Path, count: int) -> None:
    for name in ("happy", "sad"):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            assert cv2.imwrite(str(folder / name / f"{index}.png"), np.full((48, 48), 20 * index, np.uint8))


def write_table(path: Path, count: int, **more: Any) -> None:
    import pyarrow

    picture = cv2.imencode(".png", np.full((48, 48), 90, np.uint8))[1].tobytes()
    votes = {name: [1] * count for name in VOTE_COLUMNS}
    PARQUET.write_table(
        pyarrow.table({"image": [picture] * count, "emotion": [index % 7 for index in range(count)], **votes, **more}),
        path,
    )


def test_a_folder_that_is_not_split_is_judged_whole(tmp_path: Path) -> None:
    write_pictures(tmp_path, 10)

    assert part_to_judge(tmp_path) == "all"
    assert len(read_faces(tmp_path, part="all")) == 20
    assert len(read_faces(tmp_path, part="validation")) == 4


@pytest.mark.parametrize(
    ("parts", "judged"), [(("train", "val", "test"), "validation"), (("train", "test"), "test"), (("train",), "all")]
)
def test_parts_of_folders_are_kept(parts: tuple[str, ...], judged: str, tmp_path: Path) -> None:
    for count, part in enumerate(parts, start=1):
        write_pictures(tmp_path / part, count)

    assert part_to_judge(tmp_path) == judged
    assert len(read_faces(tmp_path, part="all")) == 2 * sum(range(1, len(parts) + 1))


def test_parts_of_tables_are_kept_and_can_be_joined(tmp_path: Path) -> None:
    write_table(tmp_path / "train.parquet", 5)
    write_table(tmp_path / "validation.parquet", 3)

    assert part_to_judge(tmp_path) == "validation"
    assert part_to_judge(tmp_path / "train.parquet") == "all"
    assert len(read_faces(tmp_path, part="all")) == 8


@pytest.mark.parametrize("usage", [None, ("Training", "PublicTest", "PrivateTest")])
def test_rows_without_a_usage_are_judged_whole(usage: tuple[str, ...] | None, tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "age", *(["Usage"] if usage else [])])
        for index in range(3):
            writer.writerow([index, " ".join(["7"] * 2304), 20 + index, *([usage[index]] if usage else [])])

    assert part_to_judge(path) == ("validation" if usage else "all")
    faces = read_faces(path, part="all", group="age")
    assert faces.groups is not None
    assert faces.groups.tolist() == ["20", "21", "22"]
    assert len(read_faces(path, part="all").take(np.array([1]))) == 1


def test_folders_have_no_columns(tmp_path: Path) -> None:
    write_pictures(tmp_path, 2)

    with pytest.raises(InputError, match="no column 'age': use a parquet or CSV file"):
        read_faces(tmp_path, part="all", group="age")


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    write_table(tmp_path / "faces.parquet", 2)

    with pytest.raises(InputError, match="lacks the columns age"):
        read_faces(tmp_path / "faces.parquet", group="age")


def test_groups_are_judged_alone_with_intervals() -> None:
    labels = np.array([0, 1] * 50 + [0] * 10)
    answers = np.array([0, 1] * 50 + [1] * 10)
    groups = np.array(["young"] * 100 + ["old"] * 10)

    young, old = by_group(answers, labels, groups)

    assert (young.group, young.n, young.accuracy, young.interval) == ("young", 100, 1.0, (1.0, 1.0))
    assert (old.group, old.n, old.accuracy, old.balanced_accuracy) == ("old", 10, 0.0, 0.0)


def test_the_command_says_what_it_judged_and_by_group(app: typer.Typer, tmp_path: Path) -> None:
    write_table(tmp_path / "train.parquet", 4, site=["a", "b", "a", "a"])
    write_table(tmp_path / "validation.parquet", 2, site=["a", "b"])

    def run(*options: str) -> tuple[dict[str, Any], str]:
        command = ["evaluate", "face", "--data", str(tmp_path), "--json", "-", "--group", "site", *options]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout), result.stderr

    found, told = run()
    assert (found["n"], [each["group"] for each in found["groups"]]) == (2, ["a", "b"])
    assert f"the part validation of {tmp_path}: 2 faces" in told
    found, told = run("--split", "all")
    assert [(each["group"], each["n"]) for each in found["groups"]] == [("a", 4), ("b", 2)]
    assert f"all of {tmp_path}: 6 faces" in told
