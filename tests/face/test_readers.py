"""Reading labelled faces: four layouts found by looking, and what each says of bad input."""

from __future__ import annotations

import csv
import io
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien import InputError
from mien_face.labels import EXPRESSIONS, FER2013_LABELS
from mien_face.training.data import VOTE_COLUMNS, FaceData, read_faces
from mien_face.training.names import Crop
from mien_face.training.prepare import Preparation
from mien_face.training.readers import fer_csv
from mien_face.training.readers.fer_csv import VOTES, WrongRowError, parse_row
from mien_face.training.splitting import validation_names

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


def picture(path: Path, value: int = 100, size: tuple[int, int] = (30, 40)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((*size, 3), value, np.uint8))
    return path


def class_folders(root: Path, names: tuple[str, ...], count: int = 5) -> Path:
    for index, name in enumerate(names):
        for number in range(count):
            picture(root / name / f"{number}.png", 20 * index + number, (20 + 30 * index, 40 + number))
    return root


def test_a_folder_for_each_class_is_split_without_overlap(tmp_path: Path) -> None:
    names = ("anger", "Happy", "sadness", "surprise")
    class_folders(tmp_path, names, count=5)

    train, held_out = (read_faces(tmp_path, part=part) for part in ("train", "validation"))

    assert train.names == FER2013_LABELS
    assert sorted(train.labels.tolist()) == [0] * 4 + [3] * 4 + [4] * 4 + [5] * 4
    assert sorted(held_out.labels.tolist()) == [0, 3, 4, 5]
    assert train.crops.shape == (16, 48, 48)
    means = {
        (int(label), int(crop[0, 0]))
        for data in (train, held_out)
        for label, crop in zip(data.labels, data.crops, strict=True)
    }
    assert len(means) == 20
    with pytest.raises(InputError, match="not split on the disk, so there is no part 'test'"):
        read_faces(tmp_path, part="test")


def test_eight_classes_bring_contempt(tmp_path: Path) -> None:
    train = read_faces(class_folders(tmp_path, EXPRESSIONS, count=2))

    assert train.names == EXPRESSIONS
    assert sorted(train.labels.tolist()) == list(range(8))
    seven = train.within(FER2013_LABELS)
    assert (len(seven), seven.names) == (7, FER2013_LABELS)
    assert "contempt" in seven.skipped[-1].why


def test_part_folders_are_taken_as_they_are(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", ("happy", "sad"), count=3)
    class_folders(tmp_path / "val", ("happy", "sad"), count=1)

    assert len(read_faces(tmp_path)) == 6
    assert len(read_faces(tmp_path, part="validation")) == 2
    with pytest.raises(InputError, match="no folder for the part 'test'"):
        read_faces(tmp_path, part="test")


def test_without_a_validation_folder_the_training_folder_is_split_for_both(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", ("happy", "sad"), count=5)
    class_folders(tmp_path / "test", ("happy", "sad"), count=1)

    train, held_out = (read_faces(tmp_path, part=part) for part in ("train", "validation"))

    assert (len(train), len(held_out)) == (8, 2)
    pictures = {
        (int(label), int(crop[0, 0]))
        for data in (train, held_out)
        for label, crop in zip(data.labels, data.crops, strict=True)
    }
    assert len(pictures) == 10


def png_heading(width: int, height: int) -> bytes:
    """The start of a PNG of this size, without its pixels."""
    content = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + content + struct.pack(">I", zlib.crc32(content))


def test_what_cannot_be_read_is_listed(tmp_path: Path) -> None:
    class_folders(tmp_path, ("happy", "sad"), count=4)
    (tmp_path / "happy" / "noise.png").write_bytes(b"no picture")
    (tmp_path / "happy" / "nothing.jpg").write_bytes(b"")
    (tmp_path / "happy" / "huge.png").write_bytes(png_heading(100_000, 100_000))
    (tmp_path / "happy" / "notes.txt").write_text("not looked at")
    (tmp_path / "bored").mkdir()

    skipped = [each for part in ("train", "validation") for each in read_faces(tmp_path, part=part).skipped]

    happy = tmp_path / "happy"
    assert {Path(each.where) for each in skipped} == {
        happy / "noise.png",
        happy / "nothing.jpg",
        happy / "huge.png",
        tmp_path / "bored",
    }
    assert {each.why.split(";")[0] for each in skipped} == {
        "the picture cannot be decoded",
        "the folder is named after no class",
    }


def test_empty_and_single_picture_classes_are_refused(tmp_path: Path) -> None:
    class_folders(tmp_path, ("happy", "sad"), count=3)
    (tmp_path / "fear").mkdir()
    with pytest.raises(InputError, match=r"the class folder .*fear is empty"):
        read_faces(tmp_path)
    picture(tmp_path / "fear" / "only.png")
    with pytest.raises(InputError, match=r"the class fear has one picture, .*only\.png: at least two"):
        read_faces(tmp_path)


def sequence(root: Path, person: str, number: str, code: str | None, frames: int = 10) -> None:
    for frame in range(frames):
        picture(root / "cohn-kanade-images" / person / number / f"{person}_{number}_{frame + 1:08}.png", 10 + frame)
    folder = root / "Emotion" / person / number
    folder.mkdir(parents=True, exist_ok=True)
    if code is not None:
        (folder / f"{person}_{number}_{frames:08}_emotion.txt").write_text(f"   {code}\n")


WHOLE = Preparation(crop=Crop.WHOLE)


def test_sequences_give_their_last_and_first_frames(tmp_path: Path) -> None:
    sequence(tmp_path, "S005", "001", "5.0000000e+00")
    sequence(tmp_path, "S010", "002", "1.0000000e+00", frames=6)

    both = [read_faces(tmp_path, part=part, preparation=WHOLE) for part in ("train", "validation")]

    found = {
        (int(crop[0, 0]), EXPRESSIONS[label])
        for data in both
        for crop, label in zip(data.crops, data.labels, strict=True)
    }
    ten = {(value, "neutral") for value in (10, 11, 12, 13)} | {(value, "happy") for value in (16, 17, 18, 19)}
    six = {(value, "neutral") for value in (10, 11)} | {(value, "angry") for value in (12, 13, 14, 15)}
    assert found == ten | six
    assert sum(len(data) for data in both) == 14


def test_disgust_contempt_and_unlabelled_sequences_are_skipped(tmp_path: Path) -> None:
    for person, code in (("S1", "7"), ("S2", "6"), ("S3", "2"), ("S4", "3"), ("S5", None)):
        sequence(tmp_path, person, "001", code)

    data = read_faces(tmp_path, preparation=WHOLE)

    assert {(Path(each.where).parent.name, each.why) for each in data.skipped} == {
        ("S3", "sequences of contempt are dropped"),
        ("S4", "sequences of disgust are dropped"),
        ("S5", "the sequence has no label"),
    }


def test_no_person_is_on_both_sides(tmp_path: Path) -> None:
    for person in range(6):
        for number in range(2):
            for frame in range(8):
                path = tmp_path / "images" / f"S{person}" / f"{number:03}" / f"{frame}.png"
                picture(path, 10 * person + 5)
            label = tmp_path / "labels" / f"S{person}" / f"{number:03}" / "x_emotion.txt"
            label.parent.mkdir(parents=True)
            label.write_text("4")

    train, held_out = (read_faces(tmp_path, part=part, preparation=WHOLE, seed=3) for part in ("train", "validation"))

    persons = [{int(crop[0, 0]) for crop in data.crops} for data in (train, held_out)]
    assert persons[0].isdisjoint(persons[1])
    assert (len(persons[0]), len(persons[1])) == (5, 1)


def test_sequences_need_two_persons_codes_and_a_face_in_each_frame(tmp_path: Path) -> None:
    sequence(tmp_path, "S1", "001", "7", frames=8)
    with pytest.raises(InputError, match="usable sequences of 1 person: at least two"):
        read_faces(tmp_path)
    sequence(tmp_path, "S2", "001", "7", frames=8)
    with pytest.raises(InputError, match="the Haar cascade finds no face in it"):
        read_faces(tmp_path)  # grey frames, cropped unless told otherwise
    sequence(tmp_path, "S3", "001", "9")
    with pytest.raises(InputError, match=r"_emotion\.txt: the emotion's code must be 0-7, got '9'"):
        read_faces(tmp_path)


@given(names=st.sets(st.text(min_size=1), min_size=2, max_size=30), seed=st.integers(0, 5))
def test_a_split_keeps_about_a_fifth_and_never_all(names: set[str], seed: int) -> None:
    kept = validation_names(sorted(names), seed=seed)

    assert 1 <= len(kept) < len(names)
    assert abs(len(kept) - len(names) / 5) <= 1
    assert kept == validation_names(sorted(names, reverse=True), seed=seed)


def test_an_unknown_layout_is_told_the_four_that_are_known(tmp_path: Path) -> None:
    (tmp_path / "something").mkdir()
    (tmp_path / "faces.zip").write_bytes(b"")

    for place in (tmp_path, tmp_path / "faces.zip", tmp_path / "nowhere"):
        with pytest.raises(InputError) as caught:
            read_faces(place)
        for known in ("parquet", "fer2013.csv", "folder of pictures for each class", "Cohn-Kanade"):
            assert known in str(caught.value)


def test_a_fingerprint_tells_data_apart() -> None:
    data = FaceData(np.zeros((2, 48, 48), np.uint8), np.array([0, 1]), np.zeros((2, len(VOTE_COLUMNS)), np.float32))
    other = FaceData(data.crops, data.labels[::-1].copy(), data.votes)

    assert data.digest() == data.take(np.arange(2)).digest() != other.digest()
