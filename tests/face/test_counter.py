"""How people at a counter are read: the figures, the portraits they are made of, and where they are told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from mien import FaceDetector, InputError, Manifest, read_manifest
from mien_face.factory import EXPRESSION_MANIFEST
from mien_face.inference import ExpressionProbabilities
from mien_face.labels import DEFAULT_MEANINGS, FER2013_LABELS, LabelSet
from mien_face_lab.asking import BATCH, at_counter, cut_portraits
from mien_face_lab.counter import CounterFigures, Kind, Readings, auc, judge, lead, rows
from mien_face_lab.modelcard import card, rounded
from mien_face_lab.portraits import Portrait, Portraits, is_kept_back, read_portraits
from mien_face_lab.report import measure
from mien_face_lab.reportpage import build_page
from mien_face_lab.training.data import FaceData

Pixels = npt.NDArray[np.uint8]

PORTRAIT = st.tuples(
    st.sampled_from(list(Kind)), st.sampled_from(FER2013_LABELS), st.integers(0, 8), st.sampled_from("ABCDE")
)
MANY = st.lists(PORTRAIT, min_size=1, max_size=30)
RESAMPLES = 50


def readings(portraits: Sequence[tuple[Kind, str, int, str]]) -> Readings:
    kinds, emotions, evidence, persons = zip(*portraits, strict=True)
    return Readings(np.array(kinds), np.array(emotions), np.array(evidence) / 8, np.array(persons))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12))
def test_an_auc_is_the_share_of_pairs_in_order(cases: list[tuple[int, int, int]]) -> None:
    evidence, above, below = np.array(cases, np.float64).T
    pairs = [
        (one, other)
        for one, ups in zip(evidence, above, strict=True)
        for other, downs in zip(evidence, below, strict=True)
        for _ in range(int(ups * downs))
    ]

    found = auc(evidence, above, below)

    if pairs:
        assert found == pytest.approx(np.mean([(one > other) + (one == other) / 2 for one, other in pairs]))
        assert found + auc(evidence, below, above) == pytest.approx(1)
    else:
        assert np.isnan(found)


@settings(max_examples=25)
@given(MANY, st.integers(2, 4))
def test_more_portraits_of_the_same_persons_tell_nothing_new(
    portraits: list[tuple[Kind, str, int, str]], times: int
) -> None:
    once = judge(readings(portraits), resamples=RESAMPLES)
    again = judge(readings(portraits * times), resamples=RESAMPLES)

    for name, figure in once.items():
        assert again[name].value == pytest.approx(figure.value)
        assert again[name].interval == pytest.approx(figure.interval)
        assert sum(again[name].n.values()) == times * sum(figure.n.values())


@settings(max_examples=25)
@given(MANY.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_of_portraits_does_not_matter(both: tuple[list[Any], list[Any]]) -> None:
    first, second = (judge(readings(each), resamples=RESAMPLES) for each in both)

    for name, figure in first.items():
        assert second[name].value == pytest.approx(figure.value)
        assert second[name].interval == pytest.approx(figure.interval)


@settings(max_examples=25)
@given(MANY)
def test_figures_lie_in_their_range_and_exist_where_there_is_a_portrait_of_each_kind(
    portraits: list[tuple[Kind, str, int, str]],
) -> None:
    for figure in judge(readings(portraits), resamples=RESAMPLES).values():
        assert (figure.value is None) == (figure.interval is None) == (0 in figure.n.values())
        if figure.value is not None and figure.interval is not None:
            assert 0 <= figure.value <= 1 + 1e-9
            assert -1e-9 <= figure.interval[0] <= figure.interval[1] <= 1 + 1e-9


def test_other_persons_narrow_an_interval() -> None:
    portraits = [(Kind.NEUTRAL, "neutral" if number % 3 else "sad", number % 8, str(number)) for number in range(40)]
    others = [(kind, emotion, evidence, f"other {person}") for kind, emotion, evidence, person in portraits]

    few, same, many = (
        judge(readings(each))["neutral_as_neutral"].interval for each in (portraits, portraits * 2, portraits + others)
    )

    assert few is not None
    assert many is not None
    assert few == same
    assert many[1] - many[0] < 0.85 * (few[1] - few[0])


def test_the_figures_agree_with_a_case_by_hand() -> None:
    found = judge(
        readings(
            [
                (Kind.NEUTRAL, "neutral", 4, "A"),
                (Kind.NEUTRAL, "fear", 2, "A"),
                (Kind.NEUTRAL, "surprise", 4, "B"),
                (Kind.NEUTRAL, "neutral", 6, "C"),
                (Kind.SMILING, "happy", 8, "A"),
                (Kind.SMILING, "neutral", 4, "B"),
                (Kind.NEGATIVE, "sad", 0, "C"),
                (Kind.NEGATIVE, "neutral", 4, "D"),
            ]
        )
    )

    assert {name: figure.value for name, figure in found.items()} == pytest.approx(
        {
            "neutral_as_neutral": 1 / 2,
            "neutral_as_negative": 1 / 4,
            "evidence_neutral": 1 / 2,
            "evidence_smiling": 3 / 4,
            "evidence_negative": 1 / 4,
            "auc_neutral_negative": (4 + 2 * 0.5 + 1) / 8,
            "auc_smiling_neutral": (4 + 1 + 2 * 0.5) / 8,
        }
    )
    assert found["auc_neutral_negative"].n == {"neutral": 4, "negative": 2}


def test_readings_of_different_lengths_are_refused() -> None:
    one, two = np.array(["neutral"]), np.array(["A", "B"])

    with pytest.raises(ValueError, match="one entry for each portrait"):
        Readings(one, one, np.array([0.5]), two)


class DarknessNetwork:
    """Says sad of dark faces, and happy of bright ones."""

    def __init__(self, portraits: str = "") -> None:
        shipped = read_manifest(EXPRESSION_MANIFEST)
        learnt = {**shipped.training, "portraits": {"digest": portraits}}
        self.manifest: Manifest = shipped.model_copy(update={"training": learnt})

    def probabilities(self, crops: npt.NDArray[np.uint8]) -> ExpressionProbabilities:
        combined = np.zeros((len(crops), 7), np.float32)
        brightness = crops.mean(axis=(1, 2))
        for label, chosen in (("sad", brightness < 70), ("happy", brightness >= 70)):
            combined[chosen, FER2013_LABELS.index(label)] = 1
        wrong = np.eye(7, dtype=np.float32)[np.full(len(crops), FER2013_LABELS.index("neutral"))]
        return ExpressionProbabilities(combined, wrong, np.full((len(crops), 8), 1 / 8, np.float32))


def encoded(pixels: Pixels) -> bytes:
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


@pytest.fixture(scope="session")
def portraits(astronaut: Pixels) -> Portraits:
    """A smiling face, darker, twice; no face; a label that is not judged."""
    bright = astronaut[20:260, 110:340]
    dark = (bright * 0.4).astype(np.uint8)
    empty = np.full_like(bright, 120)
    pictures = (
        (bright, "A", "happiness"),
        (dark, "A", "neutral"),
        (bright, "B", "neutral"),
        (dark, "C", "anger"),
        (empty, "D", "disgust"),
        (bright, "E", "fear"),
        (bright, "F", ""),
    )
    rows = (Portrait("made-up", encoded(pixels), person, label) for pixels, person, label in pictures)
    return Portraits("made-up", tuple(rows))


@pytest.fixture(scope="session")
def figures(portraits: Portraits, detector: FaceDetector) -> CounterFigures:
    return at_counter(DarknessNetwork(), portraits, detector=detector)


def test_portraits_go_through_the_analyzer_and_those_without_a_face_are_counted(figures: CounterFigures) -> None:
    sad, happy = (DEFAULT_MEANINGS[emotion].satisfaction for emotion in ("sad", "happy"))

    assert (figures.portraits, figures.persons, figures.without_face, figures.left_out) == (5, 4, 1, 2)
    found = {name: each.value for name, each in figures.figures.items()}
    assert (found["neutral_as_neutral"], found["neutral_as_negative"]) == (0.0, 0.5)
    assert found["evidence_neutral"] == pytest.approx((sad + happy) / 2)
    assert (found["evidence_smiling"], found["evidence_negative"]) == pytest.approx((happy, sad))
    assert (found["auc_neutral_negative"], found["auc_smiling_neutral"]) == (0.75, 0.75)
    assert figures.figures["evidence_negative"].n == {"negative": 1}


def test_more_portraits_than_are_looked_at_at_once_are_all_judged(portraits: Portraits, detector: FaceDetector) -> None:
    many = replace(portraits, rows=portraits.rows[:1] * (BATCH + 3))

    found = at_counter(DarknessNetwork(), many, detector=detector)

    assert found.figures["evidence_smiling"].n == {"smiling": BATCH + 3}


def test_of_the_portraits_that_it_learnt_from_only_persons_kept_back_are_judged(
    portraits: Portraits, detector: FaceDetector
) -> None:
    renamed = (replace(each, person="Cem") if each.person == "C" else each for each in portraits.rows)
    people = replace(portraits, rows=tuple(renamed))

    known = at_counter(DarknessNetwork(people.digest()), people, detector=detector)

    assert [name for name in ("A", "B", "Cem", "D") if is_kept_back(name)] == ["Cem"]
    assert (known.portraits, known.persons, known.learnt_from, known.left_out) == (1, 1, 4, 2)
    assert "4 more, of persons whom the network learnt from, were not looked at" in lead(known.to_json())


def test_faces_are_cut_out_of_portraits_as_the_product_cuts_them(portraits: Portraits, detector: FaceDetector) -> None:
    found = cut_portraits(portraits, detector=detector)

    assert found.crops.shape == (6, 48, 48)
    assert list(found.persons) == ["A", "A", "B", "C", "E", "F"]
    assert list(found.expressions) == ["happiness", "neutral", "neutral", "anger", "fear", ""]


def test_portraits_none_of_which_can_be_judged_are_refused(portraits: Portraits, detector: FaceDetector) -> None:
    with pytest.raises(InputError, match="no portrait of made-up has a label that is judged by: neutral, happiness"):
        at_counter(DarknessNetwork(), replace(portraits, rows=portraits.rows[5:]), detector=detector)


def test_without_a_face_there_is_no_figure(portraits: Portraits, detector: FaceDetector) -> None:
    found = at_counter(DarknessNetwork(), replace(portraits, rows=portraits.rows[4:5]), detector=detector).to_json()

    assert all(each["value"] is None for each in found["figures"].values())
    assert [row[1:] for row in rows(found)[1:2]] == [("-", "-", "0")]
    assert "no face was found in 1," in lead(found)


def test_the_card_tells_the_figures_before_those_of_the_data_set_and_how_they_were_made(
    figures: CounterFigures, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    manifest, measured = read_manifest(EXPRESSION_MANIFEST), shipped_figures()

    text = card(manifest, {**measured, "counter": rounded(figures.to_json())}, stem="CARD")
    without = card(manifest, {**measured, "counter": None}, stem="CARD")

    assert text.index("## At a counter") < text.index("## Figures")
    assert "| neutral, read as angry, sad, disgust or fear | 50.0% |" in text
    assert "5 portraits of 4 persons; no face was found in 1" in text
    assert "--portraits made-up --card" in text
    assert "Not measured: `mien evaluate face --portraits FILE" in without
    assert "--portraits made-up" not in without


def shipped_figures() -> dict[str, Any]:
    path = Path(__file__).parents[2] / "plugins/face/MODEL_CARD.json"
    measured: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return measured


def test_the_page_tells_the_figures_where_they_were_measured(figures: CounterFigures) -> None:
    pytest.importorskip("matplotlib")
    crops = np.zeros((7, 48, 48), np.uint8)
    faces = FaceData(crops, np.arange(7), np.zeros((7, 10), np.float32))
    report = measure(DarknessNetwork(), faces, name="made-up", label_sets=[LabelSet.FER])

    assert "At a counter" in build_page(replace(report, counter=replace(figures, name="<b>")))
    assert "<b>:" not in build_page(replace(report, counter=replace(figures, name="<b>")))
    assert "At a counter" not in build_page(report)
    assert report.to_json()["counter"] is None


@pytest.fixture
def arrow() -> Any:
    return pytest.importorskip("pyarrow")


def write(path: Path, portraits: Portraits, **changed: Any) -> Path:
    import pyarrow
    import pyarrow.parquet

    columns = {
        "image": [each.image for each in portraits.rows],
        "person": [each.person for each in portraits.rows],
        "expression": [each.expression for each in portraits.rows],
        **changed,
    }
    pyarrow.parquet.write_table(pyarrow.table({name: kept for name, kept in columns.items() if kept is not None}), path)
    return path


@pytest.mark.usefixtures("arrow")
def test_portraits_are_read_from_parquet(portraits: Portraits, tmp_path: Path) -> None:
    path = write(tmp_path / "people.parquet", portraits, person=["A", None, "", "A", "B", "C", "D"])

    found = read_portraits(path)

    assert found.name == "people.parquet"
    assert [each.expression for each in found.rows] == [each.expression for each in portraits.rows]
    assert len({each.person for each in found.rows}) == 6, "whoever is not named is somebody else"
    assert np.array_equal(found.rows[0].decode(), portraits.rows[0].decode())
    assert found.digest() == read_portraits(path).digest() != portraits.digest()


@pytest.mark.usefixtures("arrow")
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"person": None}, "lacks the columns person; expected image, person, expression"),
        ({"expression": ["happy"] + [""] * 6}, "row 0: expression must be empty or one of neutral, .*; got 'happy'"),
        ({"image": [None] + [b"x"] * 6}, "row 0: image must be the bytes of a picture, got NoneType"),
        ({"image": [[]] * 7, "person": [""] * 7}, "row 0: image must be the bytes of a picture, got list"),
    ],
)
def test_wrong_rows_are_named(portraits: Portraits, tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "people.parquet", portraits, **changed)

    with pytest.raises(InputError, match=message):
        read_portraits(path)


@pytest.mark.usefixtures("arrow")
def test_what_is_no_file_of_portraits_is_a_plain_message(portraits: Portraits, tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("text")
    none = write(tmp_path / "none.parquet", replace(portraits, rows=()))
    noise = Portrait("people.parquet, row 3", b"noise", "A", "neutral")

    with pytest.raises(InputError, match="there is no file"):
        read_portraits(tmp_path / "nothing.parquet")
    with pytest.raises(InputError, match="is not a readable Parquet file"):
        read_portraits(tmp_path / "text.parquet")
    with pytest.raises(InputError, match="holds no portraits"):
        read_portraits(none)
    with pytest.raises(InputError, match="row 3: the picture cannot be decoded"):
        noise.decode()


@pytest.mark.usefixtures("arrow")
def test_the_command_measures_portraits_with_the_network(
    app: typer.Typer, portraits: Portraits, tmp_path: Path
) -> None:
    people, faces = write(tmp_path / "people.parquet", portraits), tmp_path / "faces"
    for number, name in enumerate(("happy", "sad")):
        (faces / "validation" / name).mkdir(parents=True)
        picture = np.random.default_rng(number).integers(0, 256, (48, 48)).astype(np.uint8)
        assert cv2.imwrite(str(faces / "validation" / name / "face.png"), picture)
    options = ["evaluate", "face", "--data", str(faces), "--portraits", str(people)]

    printed = CliRunner().invoke(app, [*options, "--json", str(tmp_path / "figures.json")])

    assert printed.exit_code == 0, printed.output
    assert "At a counter" in printed.stdout
    assert "5 portraits of 4 persons; no face was found in 1," in printed.stdout
    counter = json.loads((tmp_path / "figures.json").read_text())["counter"]
    assert counter["figures"]["evidence_smiling"]["value"] > 0.8, "she smiles"
    refused = CliRunner().invoke(app, [*options[:-1], str(tmp_path / "nothing.parquet")])
    assert refused.exit_code == 1
    assert "mien: there is no file" in refused.stderr
