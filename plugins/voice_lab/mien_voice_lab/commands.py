"""``mien train tone`` and ``mien evaluate tone``: options and messages; the work is ``training`` and ``evaluation``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien import MissingDependencyError

if TYPE_CHECKING:
    from mien_voice.tonenetwork import ToneNetwork

DataOption = Annotated[
    list[Path],
    typer.Option(
        "--data",
        metavar="FILE",
        help="GoEmotions table (.tsv: text, label numbers, id) or rated dialogues (.txt: role, text, action, ratings).",
    ),
]


def register(app: typer.Typer) -> None:
    """Add ``train tone``, ``train distilled-tone`` and ``evaluate tone``."""
    train, evaluate = typer.Typer(), typer.Typer()
    train.command("tone")(train_tone)
    train.command("distilled-tone")(train_distilled_tone)
    evaluate.command("tone")(evaluate_tone)
    app.add_typer(train, name="train")
    app.add_typer(evaluate, name="evaluate")


def train_tone(
    data: Annotated[
        Path, typer.Option("--data", metavar="FOLDER", help="Folder with GoEmotions' train.tsv and dev.tsv.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="For checkpoints, metrics, curves and weights.")],
    dialogues: Annotated[
        list[Path] | None,
        typer.Option(
            "--dialogues", metavar="FILE", help="Rated dialogues; satisfaction is calibrated on half of them."
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Times through the data, for the deep half.")] = 4,
    seed: Annotated[int, typer.Option(help="Of sentences, weights, order and dropout.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Regressions of the linear half solved at once.")] = 2,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's checkpoint.")] = False,
) -> None:
    """Train the tone network: the linear half, the deep half beside it, then calibrate."""
    with _imported("training", "voice,train"):
        from mien_voice_lab.training import run

    plan = run.Plan(epochs=epochs, seed=seed, threads=threads)
    run.train_tone(
        data, out, dialogues=dialogues or [], plan=plan, say=lambda line: typer.echo(line, err=True), resume=resume
    )


def train_distilled_tone(
    data: Annotated[
        Path, typer.Option("--data", metavar="FOLDER", help="Folder with GoEmotions' train.tsv and dev.tsv.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="For arrays and weights.")],
    dialogues: Annotated[
        list[Path] | None,
        typer.Option("--dialogues", metavar="FILE", help="Rated dialogues; half of them are trained on."),
    ] = None,
    language_model: Annotated[
        Path | None,
        typer.Option(
            "--language-model", metavar="FILE", help="PocketSphinx's en-us.lm.bin; the installed one if not given."
        ),
    ] = None,
    arrays: Annotated[
        Path | None,
        typer.Option(
            "--arrays", metavar="FILE", help="Train nothing: ship what a run elsewhere wrote (student_1.npz)."
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=60.0, help="Most that training may take.")] = 540.0,
    device: Annotated[str, typer.Option(help="PyTorch's name of where to train.")] = "cuda",
    seed: Annotated[int, typer.Option(help="Of sentences, weights, order and dropout.")] = 0,
) -> None:
    """Train the tone network from teachers, on a graphics card, and calibrate it; this made the weights that ship."""
    with _imported("the distillation", "voice,train"):
        from mien_voice_lab.training import distilling, linear  # noqa: F401 - the latter needs scikit-learn

    given = distilling.Given(data=data, dialogues=tuple(dialogues or ()), language_model=language_model)
    if arrays is None:
        arrays = distilling.train(
            given, out, seconds=seconds, device=device, seed=seed, say=lambda line: typer.echo(line, err=True)
        )
    typer.echo(json.dumps(distilling.ship_arrays(given, arrays, out, seed=seed)))


def evaluate_tone(
    data: DataOption,
    json_out: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON; - is standard output.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", metavar="FILE", help="A tone.json; the shipped one if not given.")
    ] = None,
    behaviour: Annotated[
        list[Path] | None, typer.Option("--behaviour", metavar="FILE", help="A table of behavioural checks to run too.")
    ] = None,
    plots: Annotated[
        Path | None, typer.Option("--plots", metavar="FOLDER", help="Write a confusion matrix of each table here.")
    ] = None,
    card: Annotated[
        Path | None, typer.Option("--card", metavar="FILE", help="Write the model card from these figures.")
    ] = None,
) -> None:
    """Measure the tone network on labelled texts and rated dialogues, with the thresholds that it ships."""
    with _imported("the tone network", "voice"):
        from mien_voice.tonenetwork import WEIGHTS, ToneNetwork
        from mien_voice_lab import behaviour as checks
        from mien_voice_lab.modelcard import write_card

        network = ToneNetwork(weights or WEIGHTS)
    figures: dict[str, Any] = {}
    for path in data:
        figures |= _dialogue_figures(network, path) if path.suffix == ".txt" else _table_figures(network, path, plots)
    if behaviour:
        figures["behaviour"] = {path.name: checks.figures(network, path) for path in behaviour}
    if card is not None:
        write_card(card, network.manifest, figures)
    _show(figures, json_out)


@contextmanager
def _imported(user: str, extras: str) -> Iterator[None]:
    """Import and load inside of this what only these extras bring.

    Raises:
        MissingDependencyError: A package is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError(f"{user} needs {error.name}: pip install 'mien[{extras}]'") from error


def _table_figures(network: ToneNetwork, path: Path, pictures: Path | None) -> dict[str, Any]:
    """Figures on a table of labelled texts, and a picture in the folder that is given."""
    from mien import plots
    from mien_voice.labels import SENTIMENTS
    from mien_voice_lab import evaluation
    from mien_voice_lab.training.data import read_goemotions

    corpus = read_goemotions(path)
    if pictures is not None:
        table = evaluation.sentiment_confusion(network, corpus)
        picture = plots.draw_confusion(table, SENTIMENTS, title=f"Sentiment, {path.name}")
        picture.save(pictures / f"tone-{path.stem}-sentiment.png")
    return {"data": str(path.name), **evaluation.evaluate_emotions(network, corpus)}


def _dialogue_figures(network: ToneNetwork, path: Path) -> dict[str, Any]:
    """Figures on rated dialogues, beside the baselines."""
    from mien_voice_lab import evaluation
    from mien_voice_lab.training.data import CALIBRATION_SHARE, SPLIT_SEED, read_dialogues, split_dialogues

    fitted, held_out = split_dialogues(read_dialogues(path), share=CALIBRATION_SHARE, seed=SPLIT_SEED)
    return {path.stem: dict(evaluation.compare_on_dialogues(network, fitted, held_out))}


def _show(figures: dict[str, Any], json_out: str | None) -> None:
    """JSON to a file or standard output, or the main figures for a person."""
    if json_out == "-":
        typer.echo(json.dumps(figures, indent=2))
        return
    if json_out is not None:
        Path(json_out).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    for name, value in figures.items():
        if name != "f1":
            typer.echo(f"{name}: {json.dumps(value)}")
