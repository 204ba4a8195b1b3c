"""Reading labelled faces from class folders and sequences, how they are split, and what is said of bad input."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien import InputError
from mien_face.labels import EXPRESSIONS, FER2013_LABELS
from mien_face_lab.training.data import VOTE_COLUMNS, FaceData, read_faces
from mien_face_lab.training.names import Crop
from mien_face_lab.training.prepare import Preparation
from mien_face_lab.training.splitting import validation_names


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
