"""The shipped weights and what runs them."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mien import WeightsError, read_manifest
from mien_face.factory import EXPRESSION_MANIFEST
from mien_face.inference import BUCKETS, Calibration, ExpressionNetwork, combine, softmax, split
from mien_face.labels import FER2013_LABELS, HEAD_LABELS
from mien_face.preprocess import normalise

VALIDATION = Path(__file__).resolve().parents[3] / "shared" / "data" / "fer2013" / "validation.parquet"
LARGEST_FILE = 8 << 20
Crops = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def network() -> ExpressionNetwork:
    return ExpressionNetwork.load(EXPRESSION_MANIFEST)


@pytest.fixture(scope="module")
def crops() -> Crops:
    return np.random.default_rng(0).integers(0, 256, (19, 48, 48), np.uint8)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for suffix in (".json", ".safetensors"):
        shutil.copy(EXPRESSION_MANIFEST.with_suffix(suffix), tmp_path)
    return tmp_path / EXPRESSION_MANIFEST.name


def test_a_batch_answers_as_its_faces_one_by_one(network: ExpressionNetwork, crops: Crops) -> None:
    single = np.concatenate([network.classify(crop[np.newaxis]) for crop in crops])

    for count in (2, 3, 7, len(crops)):  # a bucket, padded ones, and one over the largest
        np.testing.assert_allclose(network.classify(crops[:count]), single[:count], atol=1e-5)


def test_answers_are_distributions(network: ExpressionNetwork, crops: Crops) -> None:
    answer = network.probabilities(crops)

    assert network.labels == FER2013_LABELS
    assert (answer.combined.shape, answer.fer2013.shape, answer.ferplus.shape) == ((19, 7), (19, 7), (19, 8))
    for rows in (answer.combined, answer.fer2013, answer.ferplus):
        assert rows.min() >= 0
        np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)


def test_the_same_faces_get_the_same_answer_in_any_thread(network: ExpressionNetwork, crops: Crops) -> None:
    expected = network.classify(crops)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(network.classify, [crops] * 8))

    for answer in answers:
        np.testing.assert_array_equal(answer, expected)


def test_with_a_second_look_logits_are_the_mean_of_a_face_and_its_mirror_image(
    network: ExpressionNetwork, crops: Crops
) -> None:
    twice = ExpressionNetwork.load(EXPRESSION_MANIFEST, mirror=True)
    mirrored = np.ascontiguousarray(crops[:, :, ::-1])

    assert twice.classify(crops[:0]).shape == (0, 7)
    expected = (network.logits(crops) + network.logits(mirrored)) / 2
    np.testing.assert_allclose(twice.logits(crops), expected, atol=1e-4)


def test_no_faces_get_no_answers(network: ExpressionNetwork) -> None:
    assert network.classify(np.zeros((0, 48, 48), np.uint8)).shape == (0, 7)


def test_warming_up_compiles_every_bucket() -> None:
    compiled = []

    class Recorder:
        def logits(self, images: Floats) -> Floats:
            raise AssertionError("warming up classifies nothing")

        def compile(self, count: int) -> None:
            compiled.append(count)

    ExpressionNetwork(Recorder(), Calibration(), read_manifest(EXPRESSION_MANIFEST)).warm_up()

    assert tuple(compiled) == BUCKETS


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 48, 48), np.float32), np.zeros((48, 48), np.uint8), np.zeros((1, 64, 64), np.uint8)]
)
def test_crops_of_another_form_are_refused(network: ExpressionNetwork, wrong: npt.NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"crops must be uint8 \[count, 48, 48\]"):
        network.classify(wrong)


def test_brightness_and_contrast_change_nothing(crops: Crops) -> None:
    dark = (crops // 4).astype(np.uint8)

    np.testing.assert_allclose(normalise(dark * np.uint8(2) + np.uint8(10)), normalise(dark), atol=1e-4)


def test_a_flat_crop_is_not_blown_up() -> None:
    assert not normalise(np.full((1, 48, 48), 200, np.uint8)).any()


def test_batches_are_cut_at_the_largest_bucket() -> None:
    assert split(0) == []
    assert split(16) == [(0, 16)]
    assert split(35) == [(0, 16), (16, 32), (32, 35)]


def test_a_higher_temperature_is_less_sure_and_keeps_the_order() -> None:
    logits = np.array([[2.0, 1.0, 0.0]], np.float32)

    cool, warm = softmax(logits, temperature=1), softmax(logits, temperature=2)

    assert cool.max() > warm.max()
    assert cool.argmax() == warm.argmax()


def test_the_share_mixes_both_heads() -> None:
    logits = np.zeros((1, 15), np.float32)
    logits[0, 0] = 20  # the first head says angry, the second happiness
    logits[0, 7 + 1] = 20

    combined = combine(logits, Calibration(ferplus_share=0.25)).combined

    assert dict(zip(FER2013_LABELS, combined[0], strict=True))["angry"] == pytest.approx(0.75, abs=1e-4)
    assert dict(zip(FER2013_LABELS, combined[0], strict=True))["happy"] == pytest.approx(0.25, abs=1e-4)


def test_a_bias_raises_its_label_and_probabilities_still_sum_to_one() -> None:
    logits = np.random.default_rng(0).normal(size=(5, 15)).astype(np.float32)

    plain = combine(logits, Calibration()).combined
    raised = combine(logits, Calibration(combined_bias=(0, 0.5, 0, 0, 0, 0, 0))).combined

    np.testing.assert_allclose(raised.sum(axis=1), 1, rtol=1e-6)
    assert (raised[:, 1] > plain[:, 1]).all()
    np.testing.assert_allclose(raised[:, 2] / raised[:, 3], plain[:, 2] / plain[:, 3], rtol=1e-5)


@pytest.mark.parametrize("bias", [[0.0] * 6, [0.0] * 8])
def test_a_bias_of_another_number_of_labels_is_refused(bias: list[float]) -> None:
    with pytest.raises(ValueError, match="7 values"):
        Calibration.from_json({"combined_bias": bias})


def test_the_manifest_says_what_the_weights_are() -> None:
    manifest = read_manifest(EXPRESSION_MANIFEST)

    assert manifest.labels == {str(head): list(labels) for head, labels in HEAD_LABELS.items()}
    assert manifest.license == "Apache-2.0"
    assert "FER+" in manifest.license_note
    assert manifest.training["command"].startswith("mien train students")
    assert EXPRESSION_MANIFEST.with_suffix(".safetensors").stat().st_size <= LARGEST_FILE


def test_damaged_weights_are_refused(copied: Path) -> None:
    weights = copied.with_suffix(".safetensors")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)

    with pytest.raises(WeightsError, match="sha256"):
        ExpressionNetwork.load(copied)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": "something-else"}, "needs 'mien-face-resnet'"),
        ({"labels": {"fer2013": ["happy"]}}, "names the labels"),
        ({"config": {}}, "not a network configuration"),
        ({"calibration": {"fer2013_temperature": 0.0}}, "temperatures must be over 0"),
        ({"calibration": {"warmth": 1.0}}, "warmth"),
        ({"config": {"stem": 8, "widths": [8], "depths": [1], "dropout": 0.0}}, "do not fit its config"),
    ],
)
def test_weights_that_do_not_fit_are_refused(copied: Path, change: dict[str, object], message: str) -> None:
    copied.write_text(json.dumps(json.loads(copied.read_text()) | change))

    with pytest.raises(WeightsError, match=message):
        ExpressionNetwork.load(copied)


def test_shipped_weights_recognise_held_out_faces(network: ExpressionNetwork) -> None:
    if not VALIDATION.exists():
        pytest.skip(f"needs the FER2013 validation faces at {VALIDATION}")
    pytest.importorskip("pyarrow")
    from mien_face_lab.training.data import read_faces

    faces = read_faces(VALIDATION).take(np.arange(600))

    assert np.mean(network.classify(faces.crops).argmax(axis=1) == faces.labels) >= 0.6


def test_it_says_what_it_runs_on(network: ExpressionNetwork) -> None:
    runtime = network.runtime()
    assert runtime.weights_sha256 == {network.manifest.name: network.manifest.sha256}
    assert runtime.backend == "jax"
    assert runtime.batch_sizes[0] == 1
