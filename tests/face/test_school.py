"""Students taught on one device: views are the same for whoever asks, targets as they should be, and all can learn."""

from __future__ import annotations

import json
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import typer
from typer.testing import CliRunner

pytest.importorskip("torch")

import torch

from mien import InputError
from mien_face.backends.reference import reference_logits
from mien_face.config import NetworkConfig
from mien_face.inference import load_folded
from mien_face.labels import FERPLUS_LABELS, Head
from mien_face.preprocess import normalise
from mien_face_lab.folding import fold
from mien_face_lab.portraits import CutPortraits, is_kept_back
from mien_face_lab.training.faces import VOTE_COLUMNS, FaceData
from mien_face_lab.training.school import curriculum, storing, term
from mien_face_lab.training.school.course import Course, Trainee, by_steps, epoch_views
from mien_face_lab.training.school.gathering import gather_exam, gather_pool
from mien_face_lab.training.school.graduating import graduate
from mien_face_lab.training.school.pool import Lessons, Pool, Shares
from mien_face_lab.training.school.views import Spoiling, ViewSettings, spoil, standardise
from mien_face_lab.training.state import initial_arrays

CONFIG = NetworkConfig(stem=4, widths=(4, 8), depths=(1, 1), dropout=0.1)
CPU = torch.device("cpu")
SHARES = Shares(teacher={Head.FER2013: 0.7, Head.FERPLUS: 0.5}, votes=0.3)


@pytest.fixture(scope="module")
def faces() -> FaceData:
    """Bright and dark halves that say which of two labels it is."""
    generator = np.random.default_rng(0)
    labels = np.arange(48) % 2 * 3  # angry, happy
    crops = generator.integers(90, 130, (48, 48, 48))
    crops[labels == 0, :24] += 60
    crops[labels == 3, 24:] += 60
    votes = np.zeros((48, 10), np.float32)
    votes[labels == 0, FERPLUS_LABELS.index("anger")] = 9
    votes[labels == 3, FERPLUS_LABELS.index("happiness")] = 9
    votes[0] = 0
    return FaceData(crops.astype(np.uint8), labels.astype(np.int64), votes)


@pytest.fixture(scope="module")
def portraits(faces: FaceData) -> CutPortraits:
    persons = [f"person {index}" for index in range(24)]
    return CutPortraits(faces.crops[:24], persons, ["anger", "happiness", "neutral", ""] * 6)


@pytest.fixture(scope="module")
def pool(faces: FaceData, portraits: CutPortraits) -> Pool:
    return gather_pool(faces, portraits)


def test_persons_that_are_kept_back_are_in_the_exam_and_nowhere_else(
    faces: FaceData, portraits: CutPortraits, pool: Pool
) -> None:
    kept = sum(is_kept_back(person) for person in portraits.persons)
    exam = gather_exam(faces, portraits)

    assert 0 < kept < 12
    assert len(pool) == len(faces) + 24 - kept
    assert len(exam.labels) == len(faces) + kept
    assert set(exam.kinds[: len(faces)]) == {-1}
    assert (exam.labels[len(faces) :] == -1).all()


def test_a_portrait_counts_by_its_coarse_label_with_one_head_only(faces: FaceData, pool: Pool) -> None:
    portraits = slice(len(faces), None)

    assert not pool.weights[Head.FER2013][portraits].any()
    assert set(pool.weights[Head.FERPLUS][portraits]) == {0.0, 1.0}, "those without a label are the teachers' alone"
    assert np.allclose(pool.values[Head.FERPLUS].sum(axis=1), 1)
    assert pool.shown[portraits].max() == 4.0, "discontent is rare, and shown more often"


def test_an_epoch_shows_each_face_as_often_as_it_should(pool: Pool) -> None:
    counts = np.bincount(pool.order(np.random.default_rng(0)), minlength=len(pool))

    assert ((counts == np.floor(pool.shown)) | (counts == np.ceil(pool.shown))).all()


def test_targets_are_the_labels_where_nobody_teaches_and_the_teachers_where_nothing_is_known(pool: Pool) -> None:
    lessons = Lessons(pool, SHARES, CPU)
    every = torch.arange(len(pool))
    said = {
        head: torch.log_softmax(torch.arange(count, dtype=torch.float32).repeat(len(pool), 1), 1)
        for head, count in ((Head.FER2013, 7), (Head.FERPLUS, 8))
    }

    alone, taught = lessons.targets(every, None), lessons.targets(every, said)

    unknown = torch.from_numpy(pool.weights[Head.FERPLUS] == 0)
    assert not alone[Head.FERPLUS][unknown].any()
    assert torch.allclose(taught[Head.FERPLUS][unknown], said[Head.FERPLUS][unknown].exp())
    known = torch.from_numpy(pool.weights[Head.FERPLUS] == 1)
    values = torch.from_numpy(pool.values[Head.FERPLUS])
    assert torch.allclose(taught[Head.FERPLUS][known], 0.5 * values[known] + 0.5 * said[Head.FERPLUS][known].exp())


def test_a_view_is_the_same_for_whoever_asks_and_odd_ones_are_milder(pool: Pool) -> None:
    crops = torch.from_numpy(pool.crops)
    far = ViewSettings(mild=0.0)

    first, again = epoch_views(crops, far, 2), epoch_views(crops, far, 2)
    mild = epoch_views(crops, far, 3)

    assert torch.equal(first, again)
    assert torch.equal(epoch_views(crops, far, 0)[:, 0], crops)

    def moved(views: torch.Tensor) -> float:
        return float((views[:, 0].float() - crops.float()).abs().mean())

    assert 0 < moved(mild) < moved(first)


def test_half_of_the_faces_are_mirrored_and_the_rest_left_alone_where_nothing_spoils_them(pool: Pool) -> None:
    faces = torch.from_numpy(pool.crops)[:, None].float()
    nothing = Spoiling().scaled(0.0)

    shown = spoil(faces, nothing, torch.Generator().manual_seed(0))

    mirrored = (shown == faces.flip(3)).flatten(1).all(1)
    assert ((shown == faces).flatten(1).all(1) | mirrored).all()
    assert 0.2 < mirrored.float().mean() < 0.8


def test_everything_that_spoils_a_face_keeps_it_a_picture(pool: Pool) -> None:
    faces = torch.from_numpy(pool.crops)[:, None].float()

    spoilt = spoil(faces, Spoiling(1.0, 0.0, 1.0, 1.0, 1.0), torch.Generator().manual_seed(0))

    assert spoilt.shape == faces.shape
    assert 0 <= float(spoilt.min()) <= float(spoilt.max()) <= 255
    assert not (spoilt == faces).flatten(1).all(1).any()


def test_crops_are_standardised_as_the_product_does_it(pool: Pool) -> None:
    ours = standardise(torch.from_numpy(pool.crops)[:, None].float())

    assert np.allclose(ours.numpy()[:, 0], normalise(pool.crops)[..., 0], atol=1e-4)


def test_a_trainee_answers_as_the_folded_network_that_is_exported(pool: Pool) -> None:
    trainee = Trainee(CONFIG, initial_arrays(CONFIG, 0), Course(), device=CPU, seed=0)

    said = trainee.logits(torch.from_numpy(pool.crops)[:, None])

    folded = reference_logits(CONFIG, fold(CONFIG, trainee.arrays()), normalise(pool.crops))
    assert np.allclose(torch.cat([said[head] for head in Head], 1).numpy(), folded, atol=1e-4)


@pytest.mark.parametrize("radius", [0.0, 0.05])
def test_a_trainee_learns(pool: Pool, radius: float) -> None:
    trainee = Trainee(CONFIG, initial_arrays(CONFIG, 0), Course(average_decay=0.5), device=CPU, seed=0)
    lessons = Lessons(pool, SHARES, CPU)
    images = standardise(lessons.crops[:48, None].float())
    targets = lessons.targets(torch.arange(48), None)

    losses = [float(trainee.step(images, targets, rate=0.05, radius=radius)) for _ in range(40)]

    assert losses[-1] < 0.6 * losses[0]
    assert (trainee.logits(lessons.crops[:48, None])[Head.FER2013].argmax(1) == torch.tensor([0, 3] * 24)).all()


def test_the_rate_rises_and_falls_to_nothing() -> None:
    course, progress = Course(), by_steps(200)
    rates = [course.rate(progress(step)) for step in range(201)]

    assert max(rates) == pytest.approx(course.peak_rate, rel=1e-3)
    assert rates[0] < 0.1 * course.peak_rate
    assert rates[-1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("quality", "off"), [(storing.LOSSLESS, 0.0), (95, 4.0)])
def test_a_pool_can_be_carried(pool: Pool, tmp_path: Path, quality: int, off: float) -> None:
    storing.save_pool(tmp_path, pool, quality=quality)
    found = storing.load_pool(tmp_path)

    assert np.abs(found.crops.astype(float) - pool.crops).mean() <= off
    assert found.crops.shape == pool.crops.shape
    assert np.allclose(found.values[Head.FERPLUS], pool.values[Head.FERPLUS], atol=1e-3)
    assert np.array_equal(found.shown, pool.shown)


def test_a_term_leaves_students_that_were_taught_by_all_teachers(
    monkeypatch: pytest.MonkeyPatch, faces: FaceData, portraits: CutPortraits, pool: Pool, tmp_path: Path
) -> None:
    course = Course(batch_size=16, peak_rate=0.05)
    for module in (term, curriculum):
        monkeypatch.setattr(module, "TEACHERS", {"young": CONFIG})
        monkeypatch.setattr(module, "VIEWS", 2)
        for name in ("TEACHING", "LEARNING", "WARM"):
            monkeypatch.setattr(module, name, course)
    from mien_face_lab.training.school import graduating

    for module in (term, graduating, curriculum):
        monkeypatch.setattr(module, "STUDENTS", {"small": CONFIG, term.LARGE: CONFIG})
    storing.save_pool(tmp_path, pool)
    storing.save_exam(tmp_path, gather_exam(faces, portraits))
    storing.save_start(tmp_path, initial_arrays(CONFIG, 1))
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    place = term.Place(tmp_path, scratch, CPU, time.time(), 2.0)
    for teacher in (term.GIVEN, "young"):
        term.run_teacher(place, teacher)
    place = term.Place(tmp_path, scratch, CPU, time.time(), 2.0)
    for student in ("small", term.LARGE):
        term.run_student(place, student)
    term.collect(place, tmp_path / "out")

    report = json.loads((tmp_path / "out" / storing.REPORT_FILE).read_text())
    assert report["small"][0]["taught_by"] == [term.GIVEN, "young"]
    assert report["small"][0]["views"] == [0, 1, 2]
    manifests = graduate(tmp_path / "out", tmp_path / "made", validation=faces, about={"seed": 0})
    assert set(manifests) == {"small", term.LARGE}
    made = load_folded(tmp_path / "made" / "small" / "expression.json")
    assert (made.config, made.manifest.training["teachers"]) == (CONFIG, [term.GIVEN, "young"])


def test_a_folder_that_is_no_terms_is_refused(tmp_path: Path, faces: FaceData) -> None:
    with pytest.raises(InputError, match=r"is not the folder of a term: it has no report\.json"):
        graduate(tmp_path, tmp_path, validation=faces, about={})
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(InputError, match=r"holds no student: expected students\.npz"):
        graduate(tmp_path, tmp_path, validation=faces, about={})


def test_views_move_faces_within_their_settings() -> None:
    spot: npt.NDArray[np.uint8] = np.zeros((64, 48, 48), np.uint8)
    spot[:, 22:26, 22:26] = 255
    still = ViewSettings(scale=0, shift=0.1, rotation=0, contrast=0, brightness=0, gradient=0, mild=0)

    seen = epoch_views(torch.from_numpy(spot), still, 2)[:, 0].float()

    columns = (seen.sum(1) * torch.arange(48)).sum(1) / seen.sum((1, 2))
    assert float((columns - 23.5).abs().max()) <= 0.1 * 48 + 0.1
    assert float(columns.std()) > 1


def test_the_command_packs_what_is_learnt_from_with_portraits_as_the_product_cuts_them(
    app: typer.Typer, tmp_path: Path, faces: FaceData, astronaut: npt.NDArray[np.uint8]
) -> None:
    data = parquet_folder(tmp_path / "data", faces)
    portraits = portrait_file(tmp_path / "people.parquet", astronaut[20:260, 110:340])

    options = ["--data", str(data), "--portraits", str(portraits), "--out", str(tmp_path / "run"), "--pack"]
    ran = CliRunner().invoke(app, ["train", "students", *options])

    assert ran.exit_code == 0, ran.output
    packed = storing.load_pool(tmp_path / "run" / "pool")
    assert len(packed) == len(faces) + 1, "one of both persons is kept back"
    assert len(storing.load_exam(tmp_path / "run" / "pool").labels) == len(faces) + 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without a GPU")
def test_without_a_gpu_the_command_says_what_can_be_done(app: typer.Typer, tmp_path: Path) -> None:
    options = ["--data", str(tmp_path), "--portraits", str(tmp_path / "people.parquet"), "--out", str(tmp_path / "run")]
    ran = CliRunner().invoke(app, ["train", "students", *options])

    assert ran.exit_code == 1
    assert "PyTorch finds no GPU here: --device cpu" in " ".join(ran.output.split())


def parquet_folder(folder: Path, faces: FaceData) -> Path:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    folder.mkdir()
    columns = {
        "row": list(range(len(faces))),
        "image": [cv2.imencode(".png", crop)[1].tobytes() for crop in faces.crops],
        "emotion": faces.labels.tolist(),
        **{name: faces.votes[:, index].astype(np.int8) for index, name in enumerate(VOTE_COLUMNS)},
    }
    for part in ("train", "validation"):
        parquet.write_table(arrow.table(columns), folder / f"{part}.parquet")
    return folder


def portrait_file(path: Path, face: npt.NDArray[np.uint8]) -> Path:
    """A portrait of somebody who is kept back and one of somebody who is not."""
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    image = cv2.imencode(".png", face[..., ::-1])[1].tobytes()
    columns = {"image": [image] * 2, "person": ["Ann", "Cem"], "expression": ["happiness"] * 2}
    parquet.write_table(arrow.table(columns), path)
    return path
