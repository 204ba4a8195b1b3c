"""Pictures of figures: what can be written, that it is the same each time, and that it stands alone."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from mien import InputError, MissingDependencyError, plots

pytest.importorskip("matplotlib")

CURVES = {"training loss": [1.2, 0.9, 0.8], "validation loss": [1.1, 1.0, 1.0], "accuracy": [0.5, float("nan"), 0.7]}
CONFUSION = np.array([[5, 1], [0, 3]], np.int64)


def text_of(path: Path) -> str:
    return " ".join(ElementTree.parse(path).getroot().itertext())


def test_curves_name_every_series_and_come_as_png_and_svg(tmp_path: Path) -> None:
    for suffix in plots.SUFFIXES:
        plots.save_curves(tmp_path / f"new/curves{suffix}", CURVES, title="A run", measure="share")

    said = text_of(tmp_path / "new/curves.svg")
    assert all(word in said for word in ("A run", "epoch", "share", "loss", *CURVES))
    assert (tmp_path / "new/curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("suffix", plots.SUFFIXES)
def test_the_same_numbers_give_the_same_file(tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
    for path in (first, second):
        plots.save_curves(path, CURVES, title="A run")

    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("series", [{}, {"loss": []}, {"loss": [1.0]}])
def test_a_run_that_has_just_begun_can_be_drawn(tmp_path: Path, series: dict[str, list[float]]) -> None:
    plots.save_curves(tmp_path / "curves.svg", series, title="A run")

    assert "A run" in text_of(tmp_path / "curves.svg")


def test_epochs_are_whole_also_where_there_is_one(tmp_path: Path) -> None:
    plots.save_curves(tmp_path / "curves.svg", {"loss": [1.0]}, title="A run")

    marks = ElementTree.parse(tmp_path / "curves.svg").getroot().find(".//*[@id='matplotlib.axis_1']")
    assert marks is not None
    assert "".join(marks.itertext()).split() == ["1", "epoch"]


def test_a_confusion_matrix_shows_counts_and_labels(tmp_path: Path) -> None:
    plots.draw_confusion(CONFUSION, ("calm", "cross"), title="Two").save(tmp_path / "two.svg")

    said = text_of(tmp_path / "two.svg").split()
    assert [said.count(word) for word in ("calm", "cross", "5", "1", "0", "3")] == [2, 2, 1, 1, 1, 1]


def test_calibration_and_bars_can_stand_in_a_page_that_loads_nothing() -> None:
    curve = plots.draw_calibration([0.3, 0.9], [0.4, 0.8], [10, 90], title="Calibration")
    bars = plots.draw_bars({"happy": 0.75, "sad": 0.25}, title="A face", intervals={"happy": (0.7, 0.8)})

    for picture, word in ((curve, "Calibration"), (bars, "75.0%")):
        element = picture.inline_svg()
        assert element.startswith("<svg ")
        assert element.endswith("</svg>")
        assert word in element
        assert "http" not in element
        assert "metadata" not in element


def test_another_kind_of_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"curves\.pdf: a picture can be written as \.png or \.svg"):
        plots.save_curves(tmp_path / "curves.pdf", CURVES, title="A run")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_message_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(MissingDependencyError, match=r"mien\[train\]"):
        plots.save_curves(tmp_path / "curves.png", CURVES, title="A run")
