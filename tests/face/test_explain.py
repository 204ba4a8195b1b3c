"""``mien explain``: the maps say what the network goes by, and the picture shows them for every face."""

from __future__ import annotations

from pathlib import Path

import cv2
import jax
import numpy as np
import numpy.typing as npt
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from mien import ConfigError, ImageFrame
from mien_face.commands.explain import Emotion
from mien_face.explain.faces import ExplainedFace, explain_crops, find_crops, whole_crop
from mien_face.explain.picture import draw
from mien_face.explain.saliency import Saliency, guided_relu, saliency
from mien_face.factory import EXPRESSION_MANIFEST
from mien_face.inference import ExpressionNetwork, load_folded
from mien_face.labels import FER2013_LABELS
from mien_face.settings import FaceSettings

HAPPY, SURPRISE = FER2013_LABELS.index("happy"), FER2013_LABELS.index("surprise")

Crops = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def smile(astronaut: Crops) -> Crops:
    (crop,) = find_crops(ImageFrame(astronaut), FaceSettings())
    return crop


@pytest.fixture(scope="module")
def maps(smile: Crops) -> Saliency:
    """Of a smile as happy, of the same as surprise, and of a grey nothing."""
    network = load_folded(EXPRESSION_MANIFEST)
    crops = np.stack([smile, smile, np.full((48, 48), 90, np.uint8)])
    return saliency(network.config, network.arrays, crops, np.array([HAPPY, SURPRISE, HAPPY]))


def test_hiding_what_the_map_shows_costs_more_than_hiding_what_it_leaves_out(smile: Crops, maps: Saliency) -> None:
    hidden = [smile]
    order = maps.grad_cam[0].ravel().argsort()
    half = len(order) // 2  # the network learnt from covered faces: it sees through less
    for part in (order[half:], order[:half]):
        crop = smile.copy()
        crop.ravel()[part] = round(float(smile.mean()))
        hidden.append(crop)

    whole, without_most, without_least = ExpressionNetwork.load(EXPRESSION_MANIFEST).classify(np.stack(hidden))[
        :, HAPPY
    ]

    assert whole - without_most > 5 * abs(whole - without_least)


def test_maps_have_their_ranges_and_finer_places_than_the_last_stage(maps: Saliency) -> None:
    cam, guided = maps.grad_cam[0], maps.guided[0]

    assert cam.shape == guided.shape == (48, 48)
    assert (cam.min(), cam.max()) == (pytest.approx(0, abs=0.05), pytest.approx(1))
    assert np.abs(guided).max() == pytest.approx(1)
    cells = cv2.resize(cv2.resize(cam, (6, 6), interpolation=cv2.INTER_AREA), (48, 48), interpolation=cv2.INTER_CUBIC)
    assert np.abs(cam - cells).max() > 0.1, "six by six cells would say the same"


def test_the_map_is_that_of_the_emotion_that_was_asked_for(maps: Saliency) -> None:
    assert np.corrcoef(maps.grad_cam[0].ravel(), maps.grad_cam[1].ravel())[0, 1] < 0.9
    assert not np.allclose(maps.guided[0], maps.guided[1], atol=0.01)


def test_a_constant_picture_has_maps_without_nan(maps: Saliency) -> None:
    assert np.isfinite(maps.grad_cam[2]).all()
    assert np.isfinite(maps.guided[2]).all()


def test_the_guided_nonlinearity_passes_positive_gradients_of_positive_inputs_only() -> None:
    inputs = np.array([-2.0, 3.0, 4.0], np.float32)
    weights = np.array([1.0, -1.0, 2.0], np.float32)

    assert guided_relu(inputs).tolist() == [0, 3, 4]
    assert jax.grad(lambda x: (guided_relu(x) * weights).sum())(inputs).tolist() == [0, 0, 2]


def test_a_class_that_does_not_exist_is_refused(smile: Crops) -> None:
    network = load_folded(EXPRESSION_MANIFEST)

    with pytest.raises(ValueError, match=r"classes must be 1 numbers in \[0, 7\)"):
        saliency(network.config, network.arrays, smile[np.newaxis], np.array([7]))


def test_the_most_probable_emotion_is_explained_unless_another_is_named(smile: Crops) -> None:
    (found,) = explain_crops(smile[np.newaxis], FaceSettings())
    (asked,) = explain_crops(smile[np.newaxis], FaceSettings(), emotion="fear")

    assert (found.emotion, asked.emotion) == ("happy", "fear")
    assert found.probabilities == asked.probabilities
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-3)


def test_a_picture_that_is_nothing_but_a_face_is_taken_as_it_is(smile: Crops) -> None:
    wide = np.full((48, 60, 3), 255, np.uint8)
    wide[:, 6:54] = smile[..., np.newaxis]

    assert np.array_equal(whole_crop(ImageFrame(wide)), smile[np.newaxis])
    assert whole_crop(ImageFrame(np.zeros((300, 200, 3), np.uint8))).shape == (1, 48, 48)


def test_every_face_has_a_row_and_the_heat_lies_where_the_map_is() -> None:
    cam = np.zeros((48, 48), np.float32)
    cam[:, :24] = 1
    face = ExplainedFace(
        crop=np.full((48, 48), 128, np.uint8),
        probabilities=dict.fromkeys(FER2013_LABELS, 1 / 7),
        emotion="sad",
        grad_cam=cam,
        guided=np.zeros((48, 48), np.float32),
    )

    one, three = draw([face]), draw([face] * 3)

    assert three.shape[0] - one.shape[0] == 2 * (34 + 264 + 24)
    heat = one[46:310, 600:864].astype(int)
    colourful = np.abs(heat[..., 0] - heat[..., 2])
    assert colourful[:, :100].min() > 40
    assert colourful[:, -100:].max() < 10


def test_the_emotions_to_choose_from_are_the_networks() -> None:
    assert tuple(Emotion) == FER2013_LABELS


def test_a_photograph_of_two_is_explained_face_by_face(app: typer.Typer, astronaut: Crops, tmp_path: Path) -> None:
    Image.fromarray(np.hstack([astronaut, astronaut[:, ::-1]])).save(tmp_path / "two.png")
    out = tmp_path / "new/why.png"

    result = CliRunner().invoke(app, ["explain", str(tmp_path / "two.png"), "--out", str(out)])

    assert result.exit_code == 0, result.output
    assert [line.split(":")[0] for line in result.stdout.splitlines()[:2]] == ["face 1", "face 2"]
    with Image.open(out) as picture:
        assert picture.height > 2 * 264


def test_faces_are_those_that_the_configuration_asks_for(app: typer.Typer, astronaut: Crops, tmp_path: Path) -> None:
    Image.fromarray(np.hstack([astronaut, astronaut[:, ::-1]])).save(tmp_path / "two.png")
    config = tmp_path / "mien.toml"
    config.write_text("[plugins.face]\nmax_faces = 1\n")
    arguments = ["--config", str(config), "explain", str(tmp_path / "two.png"), "--out", str(tmp_path / "why.png")]

    found = CliRunner().invoke(app, arguments)
    config.write_text(f"[plugins.face]\nweights = '{tmp_path / 'none.json'}'\n")
    without_weights = CliRunner().invoke(app, arguments)
    other_weights = CliRunner().invoke(app, [*arguments, "--weights", str(tmp_path / "others.json")])
    config.write_text("[plugins.face]\nmax_facs = 1\n")
    misspelt = CliRunner().invoke(app, arguments)

    assert [line.split(":")[0] for line in found.stdout.splitlines()] == ["face 1", f"wrote {tmp_path / 'why.png'}"]
    assert without_weights.exit_code == 1
    assert "none.json" in without_weights.stderr
    assert other_weights.exit_code == 1
    assert "others.json" in other_weights.stderr
    assert isinstance(misspelt.exception, ConfigError)  # for the command line to tell, with exit code 2
    assert "max_facs: there is no such key" in str(misspelt.exception)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing.png", "there is no file"),
        (".", "is a folder; name one picture"),
        ("words.png", "not a JPEG, PNG or WebP picture"),
        ("grey.png", "no face was found"),
    ],
)
def test_what_cannot_be_explained_is_a_plain_message(app: typer.Typer, tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "words.png").write_text("no picture")
    Image.new("RGB", (80, 80), "grey").save(tmp_path / "grey.png")

    result = CliRunner().invoke(app, ["explain", str(tmp_path / name), "--out", str(tmp_path / "out.png")])

    assert result.exit_code == 1
    assert message in result.stderr
    assert isinstance(result.exception, SystemExit)
    assert not (tmp_path / "out.png").exists()


def test_an_unknown_kind_of_picture_is_refused_before_anything_is_computed(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["explain", str(tmp_path / "a.png"), "--out", str(tmp_path / "out.gif")])

    assert result.exit_code == 1
    assert "can be written as .png or .jpg" in result.stderr
