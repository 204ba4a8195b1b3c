"""What is measured of a network, and how it is told: as data, as a page, as a model card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mien import InputError, Manifest, read_manifest
from mien_face.inference import ExpressionProbabilities
from mien_face.labels import EXPRESSIONS, FERPLUS_LABELS, LabelSet
from mien_face_lab.modelcard import card, rounded, write_card
from mien_face_lab.report import Report, measure, sample
from mien_face_lab.reportpage import build_page
from mien_face_lab.robustness import ALL
from mien_face_lab.sizes import Size
from mien_face_lab.training.data import FaceData

PLUGIN = Path(__file__).parents[2] / "plugins/face"
SHIPPED = PLUGIN / "mien_face/weights/expression.json"
CARD = PLUGIN / "MODEL_CARD.md"

pytest.importorskip("matplotlib")


class BrightnessNetwork:
    """Says a class by how bright the face is, and is not too sure."""

    def __init__(self) -> None:
        self.manifest: Manifest = read_manifest(SHIPPED)

    def probabilities(self, crops: npt.NDArray[np.uint8]) -> ExpressionProbabilities:
        said = (crops.mean(axis=(1, 2)) / 32).astype(int)
        combined, ferplus = (
            (0.6 * np.eye(count)[np.minimum(said, count - 1)] + 0.4 / count).astype(np.float32) for count in (7, 8)
        )
        return ExpressionProbabilities(combined, combined, ferplus)


def judged(faces: FaceData, *, name: str = "made-up", **options: Any) -> Report:
    return measure(BrightnessNetwork(), faces, name=name, **options)


def faces_of(count: int = 80) -> FaceData:
    """Faces whose brightness is their label, but for every tenth; every fifth has no majority."""
    labels = np.arange(count) % 7
    crops = np.clip(np.random.default_rng(0).normal(16, 4, (count, 48, 48)) + 32 * labels[:, None, None], 0, 255)
    votes = np.zeros((count, 10), np.float32)
    votes[np.arange(count), labels] = 10
    votes[::5] = 1
    wrong = np.where(np.arange(count) % 10 == 3, (labels + 1) % 7, labels)
    return FaceData(crops.astype(np.uint8), wrong.astype(np.int64), votes)


@pytest.fixture(scope="module")
def report() -> Report:
    return judged(faces_of(), label_sets=tuple(LabelSet), robustness=True, speed=True)


def test_both_label_sets_are_judged_by_their_own_faces_and_classes(report: Report) -> None:
    fer, ferplus = report.judgements

    assert (fer.evaluation.n, fer.evaluation.accuracy) == (80, pytest.approx(0.9))
    assert (ferplus.evaluation.n, ferplus.evaluation.accuracy) == (64, 1.0)
    assert tuple(ferplus.evaluation.per_class) == FERPLUS_LABELS


def test_poor_pictures_are_held_against_the_clean_ones(report: Report) -> None:
    judgement = report.judgements[0]
    lost = {each.condition: each for each in judgement.robustness}

    assert lost.keys() == {condition.name for condition in ALL}
    assert lost["brightness_0.4"].drop > 0.5, "this network goes by brightness"
    assert lost["blur_1.5"].drop == pytest.approx(0, abs=0.05)
    assert all(each.accuracy == pytest.approx(judgement.evaluation.accuracy - each.drop) for each in lost.values())


def test_the_same_faces_and_network_give_the_same_figures(report: Report) -> None:
    again = judged(faces_of(), label_sets=tuple(LabelSet), robustness=True)

    assert again.judgements == report.judgements
    assert again.data == report.data


def test_other_faces_have_another_digest(report: Report) -> None:
    other = judged(faces_of(79), label_sets=[LabelSet.FER])

    assert other.data["digest"] != report.data["digest"]


def test_faces_without_a_majority_are_refused_by_name() -> None:
    faces = faces_of()
    undecided = FaceData(faces.crops, faces.labels, np.ones_like(faces.votes))

    with pytest.raises(InputError, match=r"no face of made-up .* judge by --labels fer"):
        judged(undecided, label_sets=[LabelSet.FERPLUS])


def test_faces_of_a_class_that_the_network_has_no_answer_for_are_left_out() -> None:
    faces = faces_of()
    contempt = np.where(np.arange(80) < 16, 7, faces.labels)

    found = judged(replace(faces, labels=contempt, names=EXPRESSIONS), label_sets=[LabelSet.FER])

    assert found.data["faces"] == found.judgements[0].evaluation.n == 64
    with pytest.raises(InputError, match="no face of made-up is of a class that can be judged: angry"):
        judged(replace(faces, labels=np.full(80, 7), names=EXPRESSIONS), label_sets=[LabelSet.FER])


def test_a_sample_is_always_the_same_and_never_larger_than_the_data() -> None:
    faces = faces_of()

    assert np.array_equal(sample(faces, 20).crops, sample(faces, 20).crops)
    assert len(sample(faces, 20)) == 20
    assert np.array_equal(sample(faces, 1000).crops, faces.crops)


def test_the_page_stands_alone_and_shows_every_emotion_and_condition(report: Report) -> None:
    page = build_page(report)

    assert all(word in page for word in ("happy", "disgust", "Confusion", "Calibration", "90.0%", "80 faces"))
    assert all(condition.description in page for condition in ALL)
    assert page.count("<svg") == page.count("</svg>") == 3
    rest = page.replace("http-equiv", "").replace("url(#", "")  # clips of the page's own pictures
    assert [mark for mark in ("http", "src=", "@import", "<script", "url(") if mark in rest] == []
    assert len(page) < 300_000


def test_the_page_escapes_what_comes_from_outside() -> None:
    hostile = judged(faces_of(), name="<script>x</script>", label_sets=[LabelSet.FERPLUS])

    page = build_page(hostile)

    assert "<script" not in page
    assert "16 more have no majority" in page
    assert "Poor pictures" not in page, "what was not measured is not shown"


def test_a_written_card_is_made_of_the_figures_beside_it(report: Report, tmp_path: Path) -> None:
    manifest = read_manifest(SHIPPED)
    path = tmp_path / "new/CARD.md"

    write_card(path, manifest, report)

    figures = json.loads(path.with_suffix(".json").read_text())
    text = path.read_text()
    assert text == card(manifest, figures, stem="CARD")
    assert figures["weights"]["sha256"] == manifest.sha256
    assert f"{report.judgements[0].evaluation.balanced_accuracy:.1%}" in text
    for picture in ("CARD.calibration.svg", "CARD.confusion.svg"):
        assert f"({picture})" in text
        assert (path.parent / picture).stat().st_size > 1000


def test_figures_are_rounded_at_any_depth() -> None:
    plain: dict[str, Any] = {"a": [0.123456789, 3], "b": {"c": (1.0, "x")}}

    assert rounded(plain) == {"a": [0.12346, 3], "b": {"c": [1.0, "x"]}}


def test_the_shipped_card_is_about_the_shipped_weights() -> None:
    manifest = read_manifest(SHIPPED)
    figures = json.loads(CARD.with_suffix(".json").read_text(encoding="utf-8"))

    renew = (
        "renew it: mien evaluate face --data fer2013 --portraits portraits.parquet --card plugins/face/MODEL_CARD.md"
    )
    assert figures["weights"]["sha256"] == manifest.sha256, renew
    assert CARD.read_text(encoding="utf-8") == card(manifest, figures, stem=CARD.stem), renew
    for labels, head in ((LabelSet.FER, "fer2013"), (LabelSet.FERPLUS, "ferplus")):
        found = figures["judgements"][labels]
        assert found["n"] == manifest.metrics[f"{head}_n"]
        assert found["accuracy"] == pytest.approx(manifest.metrics[f"{head}_accuracy"], abs=0.002), renew


def test_the_card_holds_networks_of_other_sizes_beside_this_one(report: Report, tmp_path: Path) -> None:
    counter = {"neutral_as_neutral": 0.91, "auc_neutral_negative": 0.85, "auc_smiling_neutral": None}
    large = Size("expression-large", "0" * 64, 474_000_000, 2_780_000, 0.711, 0.894, counter)
    small = Size("expression", "1" * 64, 149_000_000, 1_120_000, 0.696, None, {})

    write_card(tmp_path / "CARD.md", read_manifest(SHIPPED), replace(report, sizes=(large, small)))

    text = (tmp_path / "CARD.md").read_text(encoding="utf-8")
    assert text.index("| expression | 149 | 1.12 | - | 69.6% | - | - | - |") < text.index(
        "| expression-large | 474 | 2.78 | 89.4% | 71.1% | 91.0% | 0.850 | - |"
    )
    assert "(CARD.cost.svg)" in text
    assert "large" in (tmp_path / "CARD.cost.svg").read_text(encoding="utf-8")
