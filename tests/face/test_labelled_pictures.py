"""Labelled pictures are read from Parquet and from a folder; what is wrong in them is named with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mien import Box, InputError
from mien_face_lab.detection.labelled import POINT_COLUMNS, LabelledFace, read_pictures

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

NUMBERS = [float(number) for number in range(10)]
POINTS = ((0.0, 1.0), (2.0, 3.0), (4.0, 5.0), (6.0, 7.0), (8.0, 9.0))


def encoded() -> bytes:
    red = np.zeros((20, 30, 3), np.uint8)
    red[..., 2] = 255  # OpenCV writes blue, green, red
    return bytes(cv2.imencode(".png", red)[1].tobytes())


def table(path: Path, **columns: list[Any]) -> Path:
    parquet.write_table(arrow.table(columns), path)
    return path


def folder(path: Path, *lines: str) -> Path:
    (path / "a.png").write_bytes(encoded())
    (path / "boxes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_row_becomes_a_picture_with_its_faces(tmp_path: Path) -> None:
    path = table(
        tmp_path / "p.parquet",
        image=[encoded()],
        boxes=[[[1, 2, 3, 4]]],
        landmarks=[[NUMBERS]],
        uncertain_boxes=[[[5, 6, 7, 8]]],
        person=["Ann"],
    )
    (picture,) = read_pictures(path)
    assert picture.faces == (LabelledFace(Box(1, 2, 3, 4), POINTS),)
    assert picture.uncertain == (Box(5, 6, 7, 8),)
    assert (picture.name, picture.person) == ("", "Ann")
    assert picture.decode().shape == (20, 30, 3)
    assert tuple(picture.decode()[0, 0]) == (255, 0, 0)


def test_images_and_boxes_are_enough(tmp_path: Path) -> None:
    (picture,) = read_pictures(table(tmp_path / "p.parquet", image=[encoded()], boxes=[[[1, 2, 3, 4]]]))
    assert picture.faces == (LabelledFace(Box(1, 2, 3, 4)),)


def test_a_column_says_to_which_group_a_picture_belongs(tmp_path: Path) -> None:
    path = table(tmp_path / "p.parquet", image=[encoded()] * 2, boxes=[[], [[1, 2, 3, 4]]], site=["north", None])
    lines = ("file,x,y,width,height,site", "a.png,1,2,3,4,north")

    assert [each.group for each in read_pictures(path, group="site")] == ["north", "unknown"]
    assert [each.group for each in read_pictures(path)] == ["", ""]
    assert [each.group for each in read_pictures(folder(tmp_path, *lines), group="site")] == ["north"]
    with pytest.raises(InputError, match="lacks the columns age"):
        read_pictures(path, group="age")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"boxes": [[[1, 2, 3, 4]]]}, "lacks the columns image; expected image and boxes"),
        ({"image": [b"x"], "boxes": [[[1, 2, 3]]]}, r"row 0: boxes: expected 4 numbers, got \[1, 2, 3\]"),
        ({"image": [b"x", b"x"], "boxes": [[], [[1.0, 2, 0, 4]]]}, "row 1: boxes: a box needs a width and a height"),
        ({"image": [b"x"], "boxes": [[[1.0, float("nan"), 3, 4]]]}, "row 0: boxes: expected 4 numbers"),
        ({"image": [b"x"], "boxes": [[[1, 2, 3, 4]]], "landmarks": [[[1.0]]]}, "row 0: landmarks: expected 10 numbers"),
        ({"image": [b"x"], "boxes": [[]], "landmarks": [[NUMBERS]]}, "row 0: 0 boxes but 1 sets of landmarks"),
        ({"image": ["words"], "boxes": [[]]}, "row 0: image must be the bytes of a picture, got str"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(tmp_path: Path, columns: dict[str, list[Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_pictures(table(tmp_path / "p.parquet", **columns))


@pytest.mark.parametrize("content", [b"", b"no picture at all"])
def test_a_picture_that_cannot_be_decoded_is_named(tmp_path: Path, content: bytes) -> None:
    (picture,) = read_pictures(table(tmp_path / "p.parquet", image=[content], boxes=[[]]))
    with pytest.raises(InputError, match=r"p\.parquet, row 0: the picture cannot be decoded"):
        picture.decode()


def test_lines_of_one_file_are_one_picture(tmp_path: Path) -> None:
    points = ",".join(map(str, NUMBERS))
    path = folder(
        tmp_path,
        f"file,x,y,width,height,uncertain,person,{','.join(POINT_COLUMNS)}",
        f"a.png,1,2,3,4,0,Ann,{points}",
        f"a.png,5,6,7,8,1,Ann,{',' * 9}",
        f"b.png,,,,,,,{',' * 9}",
    )
    first, second = read_pictures(path)
    assert first.faces == (LabelledFace(Box(1, 2, 3, 4), POINTS),)
    assert first.uncertain == (Box(5, 6, 7, 8),)
    assert (first.name, first.person) == ("a.png", "Ann")
    assert first.decode().shape == (20, 30, 3)
    assert (second.name, second.faces) == ("b.png", ())
    with pytest.raises(InputError, match=r"boxes\.csv, line 4: cannot read .*b\.png"):
        second.decode()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["file,x,y,w,h"], "lacks the columns width, height"),
        (["file,x,y,width,height"], "names no picture"),
        (["file,x,y,width,height", "a.png,1,2,three,4"], "line 2: x, y, width, height: expected 4 numbers"),
        (["file,x,y,width,height", "a.png,1,2,,4"], "line 2: x, y, width, height: expected 4 numbers"),
        (["file,x,y,width,height", "a.png,1,2,-3,4"], "line 2: .*a width and a height over 0"),
        (["file,x,y,width,height", ",1,2,3,4"], "line 2: file is empty"),
        (["file,x,y,width,height,uncertain", "a.png,1,2,3,4,perhaps"], "line 2: uncertain must be 0 or 1"),
    ],
)
def test_what_is_wrong_in_a_csv_file_is_named(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_pictures(folder(tmp_path, *lines))


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file .*boxes\.csv"):
        read_pictures(tmp_path)
    with pytest.raises(InputError, match=r"there is no file .*nothing\.parquet"):
        read_pictures(tmp_path / "nothing.parquet")
    (tmp_path / "words.parquet").write_text("words")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        read_pictures(tmp_path / "words.parquet")
