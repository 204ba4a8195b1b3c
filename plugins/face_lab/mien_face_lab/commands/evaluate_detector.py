"""The command ``mien evaluate detector``; what it does is elsewhere, imported when it runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mien import InputError, PluginContext
from mien_face.commands.shared import STDOUT, plain_errors
from mien_face.settings import DetectorName, FaceSettings

if TYPE_CHECKING:
    from rich.console import Console

    from mien import Detection, FaceDetector
    from mien_face_lab.detection.evaluation import DetectionFigures
    from mien_face_lab.detection.labelled import LabelledPicture
    from mien_face_lab.detection.parts import GroupFigures

OWN: Final = DetectorName.MIEN.value

LOWEST_SCORE: Final = 0.02
"""Answers down to this score are asked for, because average precision is taken over all of them."""
SEARCHED_SHARE: Final = 0.75
"""Faces are searched from this share of the least size on: a face of just that size may get a smaller box."""


class Split(StrEnum):
    """Which of the pictures are judged by."""

    ALL = "all"
    VALIDATION = "validation"


def command(parts: PluginContext) -> Callable[..., None]:
    """The command, with what it takes other plugins' detectors from."""

    def evaluate_detector(
        data: Annotated[Path, typer.Option(help="Parquet file of labelled pictures, or a folder with boxes.csv.")],
        detector: Annotated[
            str, typer.Option(metavar="NAME", help="Which detector: mien, haar or another plugin's.")
        ] = OWN,
        min_size: Annotated[float, typer.Option(min=8, help="Smallest face that counts: shorter side, pixels.")] = 24,
        split: Annotated[Split, typer.Option(help="All pictures, or those that training holds back.")] = Split.ALL,
        weights: Annotated[Path | None, typer.Option(help="Manifest of weights of one's own for mien's.")] = None,
        search_side: Annotated[
            int | None, typer.Option(min=64, max=4096, help="Longer side of the searched picture; the detector's own.")
        ] = None,
        group: Annotated[
            str | None, typer.Option(metavar="COLUMN", help="Give figures for each value of this column too.")
        ] = None,
        json_path: Annotated[
            Path | None, typer.Option("--json", help="Write the figures here as JSON; '-' prints only that.")
        ] = None,
    ) -> None:
        """Measure a face detector on labelled pictures."""
        with plain_errors():
            settings = FaceSettings(
                detector=detector,
                detector_weights=weights,
                search_side=search_side,
                min_face_pixels=max(8, round(SEARCHED_SHARE * min_size)),
                min_face_fraction=0.0,
                min_detection_score=LOWEST_SCORE,
            )
            own = detector in list(DetectorName)
            figures = _evaluate(data, settings, None if own else parts, split, min_size, group)
            text = json.dumps({"detector": detector, **figures.to_json()}, indent=2)
            if json_path == STDOUT:
                typer.echo(text)
                return
            if json_path is not None:
                json_path.write_text(text + "\n", encoding="utf-8")
        _print_table(detector, figures)

    return evaluate_detector


def _evaluate(
    data: Path,
    settings: FaceSettings,
    parts: PluginContext | None,
    split: Split,
    min_size: float,
    group: str | None,
) -> DetectionFigures:
    from mien_face.factory import build_detector
    from mien_face_lab.detection.evaluation import evaluate_detections
    from mien_face_lab.detection.labelled import read_pictures
    from mien_face_lab.training.detector.split import Side, part_of

    pictures = read_pictures(data, group=group)
    if split is Split.VALIDATION:
        pictures = [each for each in pictures if part_of(name=each.name, person=each.person) is Side.VALIDATION]
        if not pictures:
            raise InputError(f"none of the pictures of {data} is held back for validation; use --split all")
    detector = build_detector(settings, parts)
    judged = _judged(pictures, detector)
    return evaluate_detections(judged, min_size=min_size, threshold=detector.threshold)


def _judged(
    pictures: Sequence[LabelledPicture], detector: FaceDetector
) -> Iterator[tuple[LabelledPicture, list[Detection]]]:
    for picture in pictures:
        (found,) = detector.detect([picture.decode()])
        yield picture, found


def _print_table(detector: str, figures: DetectionFigures) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("figure", detector)
    for name, value in (
        ("pictures", str(figures.pictures)),
        (f"faces of {figures.min_size:g} pixels and more", str(figures.faces)),
        (f"recall at score {figures.threshold:.2f}", _number(figures.recall)),
        ("precision", _number(figures.precision)),
        ("false faces a picture", _number(figures.false_positives_per_image)),
        ("average precision", _number(figures.ap50)),
        ("landmark error, eye distances", _number(figures.landmark_error)),
        ("face-free pictures", str(figures.face_free_pictures)),
        ("of them with a false face", _number(figures.face_free_with_false)),
    ):
        table.add_row(name, value)
    console.print(table)
    sizes = Table("shorter side, pixels", "faces", "recall", "landmark error")
    for size in figures.by_size:
        upper = "" if size.to_size is None else f"{size.to_size:g}"
        sizes.add_row(
            f"{size.from_size:g} - {upper}", str(size.faces), _number(size.recall), _number(size.landmark_error)
        )
    console.print(sizes)
    poses = Table("turned", "faces", "recall", "landmark error")
    for pose in figures.by_pose:
        poses.add_row(pose.pose, str(pose.faces), _number(pose.recall), _number(pose.landmark_error))
    console.print(poses)
    if figures.by_group:
        _print_groups(console, figures.by_group)


def _print_groups(console: Console, groups: Sequence[GroupFigures]) -> None:
    from rich.table import Table

    table = Table("group", "pictures", "faces", "recall", "false faces a picture", "landmark error")
    for each in groups:
        table.add_row(
            each.group,
            str(each.pictures),
            str(each.faces),
            _number(each.recall),
            _number(each.false_positives_per_image),
            _number(each.landmark_error),
        )
    console.print(table)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
