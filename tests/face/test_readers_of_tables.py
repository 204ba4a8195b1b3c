"""Reading labelled faces from parquet and from Kaggle's CSV, and what each says of bad input."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien import InputError
from mien_face_lab.training.data import VOTE_COLUMNS, FaceData, read_faces
from mien_face_lab.training.readers import fer_csv
from mien_face_lab.training.readers.fer_csv import VOTES, WrongRowError, parse_row

PARQUET = pytest.importorskip("pyarrow.parquet")


def columns(count: int = 2, **changed: Any) -> dict[str, Any]:
    picture = cv2.imencode(".png", np.full((48, 48), 90, np.uint8))[1].tobytes()
    plain = {"image": [picture] * count, "emotion": [3] * count, **{name: [1] * count for name in VOTE_COLUMNS}}
    return plain | changed


def write(path: Path, table: dict[str, Any]) -> Path:
    import pyarrow

    PARQUET.write_table(pyarrow.table(table), path)
    return path


def test_faces_are_read_from_a_file_or_its_folder(tmp_path: Path) -> None:
    path = write(tmp_path / "validation.parquet", columns())

    for place in (path, tmp_path):
        faces = read_faces(place, part="validation")
        assert (len(faces), faces.crops.shape, faces.labels.tolist()) == (2, (2, 48, 48), [3, 3])
        assert faces.votes.shape == (2, 10)
    assert len(faces.take(np.arange(1))) == 1


def small_picture() -> bytes:
    encoded: bytes = cv2.imencode(".png", np.zeros((24, 24), np.uint8))[1].tobytes()
    return encoded


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"emotion": [3, 7]}, r"row 1: emotion must be 0-6, got 7"),
        ({"emotion": [None, 3]}, r"row 0: emotion is empty"),
        ({"image": [b"", b""]}, r"row 0: the picture cannot be decoded"),
        ({"image": [b"noise", b"noise"]}, r"row 0: the picture cannot be decoded"),
        ({"image": [small_picture()] * 2}, r"row 0: the picture must be 48x48, got \(24, 24\)"),
        ({"votes_fear": [1, -1]}, r"row 1: a count of votes is negative"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    file = write(tmp_path / "faces.parquet", columns(**changed))

    with pytest.raises(InputError, match=f"^{re.escape(str(file))}, {message}"):
        read_faces(file)


def test_what_is_no_file_of_faces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_faces(tmp_path)
    with pytest.raises(InputError, match="lacks the columns image, votes_neutral"):
        read_faces(write(tmp_path / "other.parquet", {"emotion": [3]}))
    with pytest.raises(InputError, match="holds no faces"):
        read_faces(write(tmp_path / "empty.parquet", columns(0)))
    (tmp_path / "text.parquet").write_text("not parquet")
    with pytest.raises(InputError, match="not a readable parquet file"):
        read_faces(tmp_path / "text.parquet")


def grey(value: int) -> str:
    return " ".join([str(value)] * 2304)


def write_csv(
    path: Path, rows: list[tuple[Any, ...]], columns: tuple[str, ...] = ("emotion", "pixels", "Usage")
) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def whys(data: FaceData) -> list[str]:
    return [each.why for each in data.skipped]


def test_kaggles_csv_is_read_by_its_usage(tmp_path: Path) -> None:
    rows = [
        (0, grey(10), "Training"),
        (3, grey(20), "PublicTest"),
        (6, grey(30), "PrivateTest"),
        (5, grey(40), "Training"),
    ]
    file = write_csv(tmp_path / "fer2013.csv", rows)

    for place in (file, tmp_path):
        train = read_faces(place)
        assert train.labels.tolist() == [0, 5]
        assert train.crops[:, 0, 0].tolist() == [10, 40]
        assert read_faces(place, part="validation").labels.tolist() == [3]
        assert read_faces(place, part="test").labels.tolist() == [6]


def test_pixels_go_by_rows() -> None:
    row = parse_row(
        0, {"emotion": "1", "pixels": " ".join(str(index % 256) for index in range(2304)), "Usage": "Training"}
    )

    assert row.crop[0, :3].tolist() == [0, 1, 2]
    assert row.crop[1, 0] == 48


def test_without_usage_the_csv_is_split_the_same_way_each_time(tmp_path: Path) -> None:
    write_csv(tmp_path / "faces.csv", [(3, grey(number)) for number in range(60)], ("emotion", "pixels"))

    train, held_out = (read_faces(tmp_path / "faces.csv", part=part, seed=4) for part in ("train", "validation"))
    other = read_faces(tmp_path / "faces.csv", part="validation", seed=5)

    found = sorted([*train.crops[:, 0, 0], *held_out.crops[:, 0, 0]])
    assert found == list(range(60))
    assert 0 < len(held_out) < 30
    assert held_out.crops[:, 0, 0].tolist() != other.crops[:, 0, 0].tolist()


def test_wrong_rows_are_skipped_and_named(tmp_path: Path) -> None:
    rows = [
        (3, grey(1), "Training"),
        (3, grey(1).removesuffix(" 1"), "Training"),
        (3, grey(256), "Training"),
        (7, grey(1), "Training"),
        ("happy", grey(1), "Training"),
        (3, grey(1), "Holiday"),
        (3, grey(1).replace("1", "-1", 1), "Training"),
    ]
    data = read_faces(write_csv(tmp_path / "fer2013.csv", rows))

    assert len(data) == 1
    assert whys(data) == [
        "expected 2304 values (48x48), got 2303",
        "values must be whole numbers from 0 to 255, got '256'",
        "the emotion must be 0-6, got '7'",
        "the emotion must be 0-6, got 'happy'",
        "the usage must be Training, PublicTest, PrivateTest, got 'Holiday'",
        "values must be whole numbers from 0 to 255, got '-1'",
    ]
    file = tmp_path / "fer2013.csv"
    assert [each.where for each in data.skipped] == [f"{file}, row {row} (line {row + 2})" for row in range(1, 7)]


def test_a_csv_without_a_usable_row_says_what_is_wrong_with_the_first(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "fer2013.csv", [(3, "1 2 3", "Training")])

    with pytest.raises(
        InputError, match=r"no faces of the part 'train'.*fer2013\.csv, row 0 \(line 2\): expected 2304 values"
    ):
        read_faces(file)


def test_another_csv_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lacks the columns emotion, pixels"):
        read_faces(write_csv(tmp_path / "other.csv", [(1, 2)], ("a", "b")))
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(InputError, match="lacks the columns"):
        read_faces(tmp_path / "empty.csv")


VOTE_HEADING = ("Usage", "Image name", *VOTES)


def test_votes_beside_the_csv_are_joined_and_what_is_no_face_is_skipped(tmp_path: Path) -> None:
    write_csv(tmp_path / "fer2013.csv", [(3, grey(1), "Training"), (4, grey(2), "Training")])
    votes = [("Training", "fer0.png", 1, 9, *[0] * 8), ("Training", "", *[0] * 9, 10)]
    write_csv(tmp_path / "fer2013new.csv", votes, VOTE_HEADING)

    data = read_faces(tmp_path)

    assert data.votes.tolist() == [[1, 9, 0, 0, 0, 0, 0, 0, 0, 0]]
    assert whys(data) == ["fer2013new.csv says that it is not a face"]


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        ([("Training", "a.png", *[1] * 10)], "has 1 rows, .* has 2"),
        (
            [("Training", "a.png", *["x"] * 10)] * 2,
            r"fer2013new\.csv, row 0 \(line 2\): votes must be whole numbers",
        ),
    ],
)
def test_votes_that_do_not_fit_are_refused(tmp_path: Path, votes: list[tuple[Any, ...]], message: str) -> None:
    write_csv(tmp_path / "fer2013.csv", [(3, grey(1), "Training"), (4, grey(2), "PublicTest")])
    write_csv(tmp_path / "fer2013new.csv", votes, VOTE_HEADING)

    with pytest.raises(InputError, match=message):
        read_faces(tmp_path)


crops = st.binary(min_size=2304, max_size=2304).map(lambda raw: np.frombuffer(raw, np.uint8).reshape(48, 48))


@given(crop=crops, emotion=st.integers(0, 6), usage=st.sampled_from(sorted(fer_csv.USAGES)))
def test_every_face_survives_being_written_as_kaggle_does(
    crop: npt.NDArray[np.uint8], emotion: int, usage: str
) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([("emotion", "pixels", "Usage"), (emotion, " ".join(map(str, crop.ravel())), usage)])
    file.seek(0)

    row = parse_row(0, next(csv.DictReader(file)))

    assert (row.label, row.usage) == (emotion, usage)
    np.testing.assert_array_equal(row.crop, crop)


@given(count=st.integers(0, 2400).filter(lambda count: count != 2304))
def test_no_other_number_of_values_is_a_face(count: int) -> None:
    with pytest.raises(WrongRowError, match=f"got {count}$"):
        parse_row(0, {"emotion": "0", "pixels": " ".join(["7"] * count), "Usage": "Training"})


@given(
    word=st.one_of(
        st.integers(max_value=-1).map(str),
        st.integers(min_value=256).map(str),
        st.floats().map(str),
        st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1).filter(
            lambda text: len(text.split()) == 1 and not text.isdigit()
        ),
        st.sampled_from(["²", "٣", "1_0", "0x1", "9" * 5000]),
    ),
    place=st.integers(0, 2303),
)
def test_no_value_but_a_grey_level_is_taken(word: str, place: int) -> None:
    words = ["7"] * 2304
    words[place] = word

    with pytest.raises(WrongRowError, match="whole numbers from 0 to 255"):
        parse_row(0, {"emotion": "0", "pixels": " ".join(words), "Usage": "Training"})


@given(emotion=st.one_of(st.none(), st.text(), st.integers(min_value=7).map(str), st.integers(max_value=-1).map(str)))
def test_no_emotion_but_those_of_fer2013_is_taken(emotion: str | None) -> None:
    if emotion in {"0", "1", "2", "3", "4", "5", "6"}:
        return
    with pytest.raises(WrongRowError, match="the emotion must be 0-6"):
        parse_row(0, {"emotion": emotion, "pixels": grey(1), "Usage": "Training"})
