"""The commands ``mien train face`` and ``mien evaluate face``; what they do is elsewhere, imported when they run."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from mien import MienError, MissingDependencyError

if TYPE_CHECKING:
    from mien_face.config import NetworkConfig
    from mien_face.evaluation import Evaluation
    from mien_face.training.loop import Engine
    from mien_face.training.recipe import Recipe
    from mien_face.training.run import EpochReport

SHIPPED_MANIFEST: Final = Path(__file__).parent / "weights" / "expression.json"
"""The weights that ship with the plugin."""

STDOUT: Final = Path("-")
"""As a path for JSON: standard output."""


class EngineName(StrEnum):
    """What computes a training run."""

    JAX = "jax"
    TORCH = "torch"


class LabelSet(StrEnum):
    """Which labels answers are held against."""

    FER = "fer"
    FERPLUS = "ferplus"


def register(app: typer.Typer) -> None:
    """Add the commands to the groups ``train`` and ``evaluate``; groups of one name are merged by the host."""
    for group, command in (("train", train_face), ("evaluate", evaluate_face)):
        commands = typer.Typer()
        commands.command("face")(command)
        commands.callback()(_group)  # keeps typer from making a group's only command the group itself
        app.add_typer(commands, name=group)


def train_face(
    data: Annotated[Path, typer.Option(help="Parquet file of faces, or a folder with train.parquet.")],
    out: Annotated[Path, typer.Option(help="Folder for the checkpoint and the weights.")],
    validation: Annotated[
        Path | None, typer.Option(help="Parquet file to evaluate on; else validation.parquet in the data's folder.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = 14,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, order and augmentation.")] = 0,
    peak_rate: Annotated[float, typer.Option(min=1e-6, help="Highest learning rate.")] = 0.08,
    augmentation: Annotated[float, typer.Option(min=0, max=3, help="Strength of random changes; 1 is usual.")] = 1.0,
    start: Annotated[Path | None, typer.Option(help="Checkpoint of another run whose weights to begin with.")] = None,
    engine: Annotated[EngineName, typer.Option(help="torch is faster on a CPU, and needs PyTorch.")] = EngineName.JAX,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's checkpoint.")] = False,
) -> None:
    """Train the expression network, and export its weights with a manifest."""
    command = (
        f"mien train face --data {data.name} --epochs {epochs} --seed {seed} --peak-rate {peak_rate} "
        f"--augmentation {augmentation} --engine {engine}" + (f" --start {start.name}" if start is not None else "")
    )
    try:
        config, recipe = settings(epochs, peak_rate, augmentation)
        computes = _engine(engine, config, recipe)
        _train(
            config, recipe, computes, data, validation, out=out, seed=seed, start=start, resume=resume, command=command
        )
    except MienError as error:
        _fail(error)


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
        _fail(error)
    text = json.dumps(evaluation.to_json(), indent=2)
    if json_path == STDOUT:
        typer.echo(text)
        return
    _print_table(evaluation)
    if json_path is not None:
        json_path.write_text(text + "\n", encoding="utf-8")


def _train(
    config: NetworkConfig,
    recipe: Recipe,
    computes: Engine,
    data: Path,
    validation: Path | None,
    *,
    out: Path,
    seed: int,
    start: Path | None,
    resume: bool,
    command: str,
) -> None:
    from mien_face.training.data import read_faces
    from mien_face.training.export import export
    from mien_face.training.run import train
    from mien_face.training.state import read_start

    training = read_faces(data, part="train")
    held_out = read_faces(validation or (data if data.is_dir() else data.parent), part="validation")
    try:
        state = train(
            computes,
            config,
            recipe,
            training=training,
            validation=held_out,
            seed=seed,
            out=out,
            resume=resume,
            start=read_start(start, config) if start is not None else None,
            report=_print_epoch,
        )
    finally:
        computes.close()
    about = {
        "command": command,
        "data": f"{len(training)} faces for training, {len(held_out)} for validation",
        "seed": seed,
        "epochs": recipe.epochs,
        "recipe": recipe.to_json(),
    }
    manifest = export(
        config, state.averaged, validation=held_out, manifest_path=out / "expression.json", training=about
    )
    typer.echo(f"accuracy {manifest.metrics['fer2013_accuracy']:.4f} on {len(held_out)} faces; wrote {out}")


def settings(epochs: int, peak_rate: float, augmentation: float) -> tuple[NetworkConfig, Recipe]:
    """The network that is trained, and how."""
    from mien_face.config import NetworkConfig
    from mien_face.training.augment import Augmentation
    from mien_face.training.recipe import Recipe

    changes = Augmentation().scaled(augmentation)
    return NetworkConfig(), Recipe(epochs=epochs, peak_rate=peak_rate, augmentation=changes)


def _engine(name: EngineName, config: NetworkConfig, recipe: Recipe) -> Engine:
    if name is EngineName.JAX:
        try:
            from mien_face.training.jax_engine import JaxEngine
        except ImportError as error:
            raise MissingDependencyError("training needs Flax: pip install 'mien[train]'") from error
        return JaxEngine(config, recipe)
    try:
        from mien_face.training.torch_engine import TorchEngine
    except ImportError as error:
        raise MissingDependencyError("--engine torch needs PyTorch: pip install torch, or use --engine jax") from error
    return TorchEngine(config, recipe)


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


def _print_epoch(report: EpochReport) -> None:
    typer.echo(
        f"epoch {report.epoch}/{report.epochs}  loss {report.loss:.4f}  validation: FER2013 "
        f"{report.fer2013_accuracy:.4f}, FER+ {report.ferplus_accuracy:.4f}  {report.seconds:.0f} s"
    )


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


def _group() -> None:
    """Commands of the face plugin."""


def _fail(error: MienError) -> NoReturn:
    typer.echo(f"mien: {error}", err=True)
    raise typer.Exit(1) from error
