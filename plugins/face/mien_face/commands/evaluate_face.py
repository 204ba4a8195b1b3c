"""The command ``mien evaluate face``; what it does is elsewhere, imported when it runs."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien import MienError
from mien_face.commands.shared import SHIPPED_MANIFEST, STDOUT, fail

if TYPE_CHECKING:
    from mien_face.evaluation import Evaluation


class LabelSet(StrEnum):
    """Which labels answers are held against."""

    FER = "fer"
    FERPLUS = "ferplus"


def evaluate_face(
    data: Annotated[Path, typer.Option(help="Parquet file of faces, or a folder with validation.parquet.")],
    labels: Annotated[LabelSet, typer.Option(help="FER2013's labels, or FER+'s majority.")] = LabelSet.FER,
    weights: Annotated[Path, typer.Option(help="Manifest of the weights.")] = SHIPPED_MANIFEST,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Write the figures here as JSON; '-' prints only that.")
    ] = None,
) -> None:
    """Measure the expression network on labelled faces."""
    try:
        evaluation = _evaluate(data, labels, weights)
    except MienError as error:
        fail(error)
    text = json.dumps(evaluation.to_json(), indent=2)
    if json_path == STDOUT:
        typer.echo(text)
        return
    _print_table(evaluation)
    if json_path is not None:
        json_path.write_text(text + "\n", encoding="utf-8")


def _evaluate(data: Path, labels: LabelSet, weights: Path) -> Evaluation:
    from mien_face.evaluation import evaluate
    from mien_face.inference import ExpressionNetwork
    from mien_face.labels import FER2013_LABELS, FERPLUS_LABELS, majority_labels
    from mien_face.training.data import read_faces

    faces = read_faces(data, part="validation")
    answers = ExpressionNetwork.load(weights).probabilities(faces.crops)
    if labels is LabelSet.FER:
        return evaluate(answers.combined, faces.labels, FER2013_LABELS)
    majority = majority_labels(faces.votes)
    counted = majority >= 0
    if not counted.any():
        raise MienError(f"no face of {data} has an emotion with more than half of its FER+ votes")
    return evaluate(answers.ferplus[counted], majority[counted], FERPLUS_LABELS)


def _print_table(evaluation: Evaluation) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("emotion", "precision", "recall", "F1", "faces")
    for label, each in evaluation.per_class.items():
        table.add_row(label, f"{each.precision:.3f}", f"{each.recall:.3f}", f"{each.f1:.3f}", str(each.support))
    console = Console()
    console.print(table)
    console.print(
        f"{evaluation.n} faces: accuracy {evaluation.accuracy:.4f}, balanced {evaluation.balanced_accuracy:.4f}, "
        f"macro-F1 {evaluation.macro_f1:.4f}, calibration error {evaluation.ece:.4f}"
    )
