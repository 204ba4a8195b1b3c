"""The command ``mien train face``; what it does is in ``mien_face.training``, imported when it runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien import MienError, MissingDependencyError
from mien_face.commands.shared import fail

if TYPE_CHECKING:
    from mien_face.config import NetworkConfig
    from mien_face.training.loop import Engine
    from mien_face.training.recipe import Recipe
    from mien_face.training.run import EpochReport


class EngineName(StrEnum):
    """What computes a training run."""

    JAX = "jax"
    TORCH = "torch"


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
        fail(error)


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


def _print_epoch(report: EpochReport) -> None:
    typer.echo(
        f"epoch {report.epoch}/{report.epochs}  loss {report.loss:.4f}  validation: FER2013 "
        f"{report.fer2013_accuracy:.4f}, FER+ {report.ferplus_accuracy:.4f}  {report.seconds:.0f} s"
    )
