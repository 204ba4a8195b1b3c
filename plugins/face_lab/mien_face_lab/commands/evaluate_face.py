"""The command ``mien evaluate face``; what it does is elsewhere, imported when it runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mien import InputError
from mien_face.commands.shared import STDOUT, plain_errors
from mien_face.factory import manifest_at
from mien_face.labels import LabelSet
from mien_face.settings import WeightsName
from mien_face_lab.training.names import Equalise, Split

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from mien import Manifest
    from mien_face_lab.bygroup import GroupFigures
    from mien_face_lab.classifiers import FaceClassifier
    from mien_face_lab.counter import CounterFigures
    from mien_face_lab.judgement import Judgement
    from mien_face_lab.report import Report

SHOWN_SKIPS: Final = 10
"""Skipped pictures that are listed."""


def evaluate_face(
    data: Annotated[Path, typer.Option(help="Labelled faces: a table, or folders of pictures.")],
    labels: Annotated[LabelSet, typer.Option(help="FER2013's labels, or FER+'s majority.")] = LabelSet.FER,
    weights: Annotated[Path, typer.Option(help="small, large, or the manifest of weights.")] = Path(WeightsName.SMALL),
    split: Annotated[
        Split | None,
        typer.Option(
            help="Part to judge: by default the data's own validation or test part, all where it comes in no parts."
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column of a table, such as age or site: figures of each group, too."),
    ] = None,
    json_path: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the figures here as JSON; '-' prints only that."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with pictures of the figures.")
    ] = None,
    robustness: Annotated[
        bool,
        typer.Option("--robustness", help="Measure on spoilt and otherwise cut pictures too; takes 26 times as long."),
    ] = False,
    sample: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Judge only N of the faces, always the same ones.")
    ] = None,
    portraits: Annotated[
        Path | None,
        typer.Option(
            "--portraits",
            metavar="FILE",
            help="Parquet file of labelled portraits in colour: measure how people at a counter are read, too.",
        ),
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option("--card", metavar="FILE", help="Write the model card: all labels, robustness and speed."),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="WEIGHTS",
            help="With --card: tell what networks of other sizes cost and are worth; may be repeated.",
        ),
    ] = None,
) -> None:
    """Measure the expression network on labelled faces."""
    with plain_errors():
        if beside and card is None:
            raise InputError("--beside is told in the card: name one with --card, or leave it away")
        report = _measure(
            data,
            manifest_at(weights),
            labels,
            split=split,
            group=group,
            robustness=robustness,
            sample=sample,
            portraits=portraits,
            card=card,
            beside=[manifest_at(each) for each in beside or []],
        )
        if html is not None:
            from mien_face_lab.reportpage import build_page

            html.parent.mkdir(parents=True, exist_ok=True)
            html.write_text(build_page(report), encoding="utf-8")
        text = json.dumps(_flat(report), indent=2)
        if json_path == STDOUT:
            typer.echo(text)
            return
        if json_path is not None:
            json_path.write_text(text + "\n", encoding="utf-8")
    _print_tables(report)


def _measure(
    data: Path,
    weights: Path,
    labels: LabelSet,
    *,
    split: Split | None,
    group: str | None,
    robustness: bool,
    sample: int | None,
    portraits: Path | None,
    card: Path | None,
    beside: Sequence[Path],
) -> Report:
    """Measure, and write the card where one is wanted. The first judgement is that by ``labels``."""
    from mien_face_lab import report
    from mien_face_lab.classifiers import load_classifier, preparation_of
    from mien_face_lab.portraits import read_portraits
    from mien_face_lab.training.data import part_to_judge, read_faces

    classifier = load_classifier(weights)
    preparation = replace(preparation_of(classifier.manifest), equalise=Equalise.NONE)  # the classifier's own task
    part = str(split or part_to_judge(data))
    faces = read_faces(data, part=part, preparation=preparation, group=group)
    left_out = f", {len(faces.skipped)} left out" if faces.skipped else ""
    typer.echo(
        f"{'all' if part == Split.ALL else f'the part {part}'} of {data}: {len(faces)} faces{left_out}", err=True
    )
    for skipped in faces.skipped[:SHOWN_SKIPS]:
        typer.echo(f"skipped {skipped.where}: {skipped.why}", err=True)
    if len(faces.skipped) > SHOWN_SKIPS:
        typer.echo(f"skipped {len(faces.skipped)} in all", err=True)
    people = read_portraits(portraits) if portraits is not None else None
    if sample is not None:
        faces = report.sample(faces, sample)
    measured = report.measure(
        classifier,
        faces,
        name=data.name,
        label_sets=tuple(LabelSet) if card is not None else (labels,),
        robustness=robustness or card is not None,
        speed=card is not None,
        portraits=people,
        mirrored=_second_look(weights, classifier.manifest) if card is not None else None,
        beside=[load_classifier(each) for each in beside],
        say=lambda line: typer.echo(f"{line} ...", err=True),
    )
    if card is not None:
        from mien_face_lab.modelcard import write_card

        write_card(card, classifier.manifest, measured)
    return measured.led_by(labels)


def _second_look(weights: Path, manifest: Manifest) -> FaceClassifier | None:
    """The same network with the option ``mirror``, where it is of the kind that has it."""
    from mien_face.inference import NETWORK_NAME
    from mien_face_lab.classifiers import load_classifier

    return load_classifier(weights, mirror=True) if manifest.network == NETWORK_NAME else None


def _flat(report: Report) -> dict[str, Any]:
    """The figures by the labels that were asked for, and what they are of."""
    counter = {"counter": report.counter.to_json()} if report.counter is not None else {}
    return {**report.judgements[0].to_json(), **counter, "weights": report.weights, "data": report.data}


def _print_tables(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    judgement = report.judgements[0]
    evaluation, intervals = judgement.evaluation, judgement.intervals
    table = Table("emotion", "precision", "recall", "95 %", "F1", "faces")
    for label, each in evaluation.per_class.items():
        low, high = intervals.recall.get(label, (0.0, 1.0))
        interval = f"{low:.3f}-{high:.3f}" if each.support else "-"
        table.add_row(
            label, f"{each.precision:.3f}", f"{each.recall:.3f}", interval, f"{each.f1:.3f}", str(each.support)
        )
    console = Console()
    if report.counter is not None:
        _print_counter(console, report.counter)
    console.print(table)
    if judgement.groups:
        console.print(_group_table(judgement.groups))
    if judgement.robustness:
        console.print(_robustness_table(judgement))
    console.print(
        f"{evaluation.n} faces: accuracy {evaluation.accuracy:.4f} ({intervals.accuracy[0]:.4f}-"
        f"{intervals.accuracy[1]:.4f}), balanced {evaluation.balanced_accuracy:.4f}, macro-F1 "
        f"{evaluation.macro_f1:.4f}, calibration error {evaluation.ece:.4f}",
        soft_wrap=True,
    )


def _print_counter(console: Console, figures: CounterFigures) -> None:
    from rich.table import Table

    from mien_face_lab import counter

    found = figures.to_json()
    head, *rest = counter.rows(found)
    table = Table(*head, title="At a counter")
    for row in rest:
        table.add_row(*row)
    console.print(table)
    console.print(counter.lead(found), soft_wrap=True)


def _group_table(groups: Sequence[GroupFigures]) -> Table:
    from rich.table import Table

    from mien_face_lab import bygroup

    head, *rest = bygroup.rows(groups)
    table = Table(*head, title="By group")
    for row in rest:
        table.add_row(*row)
    return table


def _robustness_table(judgement: Judgement) -> Table:
    from rich.table import Table

    from mien_face_lab.robustness import ALL

    described = {condition.name: condition.description for condition in ALL}
    table = Table("picture", "accuracy", "lost", "95 %")
    for each in judgement.robustness:
        low, high = each.drop_interval
        table.add_row(
            described[each.condition], f"{each.accuracy:.3f}", f"{each.drop:+.3f}", f"{low:+.3f} to {high:+.3f}"
        )
    return table
