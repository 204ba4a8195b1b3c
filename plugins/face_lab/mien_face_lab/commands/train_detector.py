"""The command ``mien train detector``; the work is ``training.detector``, imported when it runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.training import Checkpoints, EpochReport, Kind, shown, train
from mien_face.commands.shared import plain_errors
from mien_face_lab.training.engines import EngineName, imported_for

if TYPE_CHECKING:
    from mien_face.detection.config import DetectorConfig
    from mien_face_lab.training.detector.recipe import Recipe
    from mien_face_lab.training.detector.step import Engine


def train_detector(
    data: Annotated[
        Path,
        typer.Option(
            help="Folder with portraits.parquet, people.parquet, scenes.parquet, and perhaps people2.parquet."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints, metrics, curves and weights.")],
    epochs: Annotated[int, typer.Option(min=1, help="Of --steps steps each.")] = 10,
    steps: Annotated[int, typer.Option(min=1, help="Steps an epoch.")] = 300,
    batch_size: Annotated[int, typer.Option(min=2, help="Pictures a step.")] = 32,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and pictures.")] = 0,
    peak_rate: Annotated[float, typer.Option(min=1e-6, help="Highest learning rate.")] = 3e-3,
    photographs: Annotated[float, typer.Option(min=0, max=1, help="Share of canvases that are one photograph.")] = 0.7,
    damaged: Annotated[float, typer.Option(min=0, max=1, help="Share of canvases that are made worse.")] = 0.45,
    uses: Annotated[
        int, typer.Option(min=1, help="Canvases made of the same pictures; four batches must be divisible by it.")
    ] = 2,
    start: Annotated[Path | None, typer.Option(help="Folder of another run whose weights to begin with.")] = None,
    engine: Annotated[EngineName, typer.Option(help="torch is faster on a CPU, and needs PyTorch.")] = EngineName.JAX,
    compiled: Annotated[
        bool,
        typer.Option("--compiled", help="torch only: compile first, which takes minutes; steps take a third less."),
    ] = False,
    device: Annotated[
        str, typer.Option(help="torch only: what computes, as PyTorch names it, such as cpu or cuda.")
    ] = "cpu",
    workers: Annotated[int, typer.Option(min=0, help="Processes that compose pictures; 0 composes between steps.")] = 2,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's checkpoint.")] = False,
) -> None:
    """Train the face detector, and export its weights with a manifest."""
    if compiled and engine is not EngineName.TORCH:
        raise typer.BadParameter("only --engine torch has something to compile first", param_hint="--compiled")
    if device != "cpu" and engine is not EngineName.TORCH:
        raise typer.BadParameter("only --engine torch is told what computes", param_hint="--device")
    command = (
        f"mien train detector --data {data.name} --epochs {epochs} --steps {steps} --batch-size {batch_size} "
        f"--seed {seed} --peak-rate {peak_rate} --photographs {photographs} --damaged {damaged} --uses {uses} "
        f"--engine {engine}"
        + (" --compiled" if compiled else "")
        + (f" --device {device}" if device != "cpu" else "")
        + (f" --start {start.name}" if start else "")
    )
    with plain_errors():
        config, recipe = settings(epochs, steps, batch_size, peak_rate, photographs, damaged, uses)
        _train(
            config,
            recipe,
            _engine(engine, config, recipe, compiled=compiled, device=device),
            data,
            out=out,
            seed=seed,
            workers=workers,
            start=start,
            resume=resume,
            command=command,
        )


def settings(
    epochs: int, steps: int, batch_size: int, peak_rate: float, photographs: float, damaged: float, uses: int
) -> tuple[DetectorConfig, Recipe]:
    """The network that is trained, and how."""
    from mien_face.detection.config import DetectorConfig
    from mien_face_lab.training.detector.recipe import Recipe

    return DetectorConfig(), Recipe(
        epochs=epochs,
        steps=steps,
        batch_size=batch_size,
        peak_rate=peak_rate,
        photographs=photographs,
        damaged=damaged,
        uses=uses,
    )


def _train(
    config: DetectorConfig,
    recipe: Recipe,
    computes: Engine,
    data: Path,
    *,
    out: Path,
    seed: int,
    workers: int,
    start: Path | None,
    resume: bool,
    command: str,
) -> None:
    from rich.console import Console

    from mien_face_lab.training.detector.batches import BatchSource
    from mien_face_lab.training.detector.card import CARD_NAME, render
    from mien_face_lab.training.detector.export import MANIFEST_NAME, export
    from mien_face_lab.training.detector.learner import DetectorLearner
    from mien_face_lab.training.detector.pictures import read_training
    from mien_face_lab.training.detector.validation import Validation

    pictures, validation = read_training(data), Validation.read(data)
    source = BatchSource(config, recipe, data, seed=seed, workers=workers)
    try:
        weights = None if start is None else Checkpoints(start).part(Kind.LAST, "averaged")
        learner = DetectorLearner(computes, config, recipe, source, start=weights)
        with shown(Console(), epoch_line, batch_size=learner.batch_size, epochs=learner.epochs) as observer:
            outcome = train(
                learner,
                training=pictures,
                validation=validation,
                seed=seed,
                out=out,
                resume=resume,
                observer=observer,
            )
    finally:
        source.close()
        computes.close()
    about = {
        "command": command,
        "data": f"{len(pictures.portraits)} portraits, {len(pictures.people)} photographs of people and "
        f"{len(pictures.scenes)} scenes; {sum(len(each) for each in validation.kinds.values())} held back",
        "seed": seed,
        "epochs": recipe.epochs,
        "recipe": recipe.to_json(),
    }
    arrays = outcome.state.averaged
    manifest = export(config, arrays, validation=validation, manifest_path=out / MANIFEST_NAME, training=about)
    (out / CARD_NAME).write_text(render(manifest), encoding="utf-8")
    typer.echo(f"threshold {manifest.calibration['threshold']:.2f}; wrote {out / MANIFEST_NAME}")


def _engine(name: EngineName, config: DetectorConfig, recipe: Recipe, *, compiled: bool, device: str) -> Engine:
    with imported_for(name):
        if name is EngineName.JAX:
            from mien_face_lab.training.detector.jax_engine import JaxEngine

            return JaxEngine(config, recipe)
        from mien_face_lab.training.detector.torch_engine import TorchEngine

        return TorchEngine(config, recipe, compiled=compiled, device=device)


def epoch_line(report: EpochReport) -> str:
    """What is told of an epoch: a line, and one for each kind of picture."""
    from mien_face_lab.training.detector.learner import HARD
    from mien_face_lab.training.detector.pictures import KINDS

    losses = ", ".join(f"{name} {mean:.3f}" for name, mean in report.training.items() if name not in ("loss", HARD))
    kinds = [kind for kind in KINDS if f"{kind}_faces" in report.validation]
    first = f"epoch {report.epoch}/{report.epochs}  {losses}  {report.training[HARD]:.0f} hard pictures"
    return "\n".join([f"{first}  {report.seconds:.0f} s", *(_kind_line(kind, report.validation) for kind in kinds)])


def _kind_line(kind: str, figures: Mapping[str, float]) -> str:
    recall, landmarks = (
        f"{figures[name]:.3f}" if name in figures else "-" for name in (f"{kind}_recall", f"{kind}_landmark_error")
    )
    return (
        f"  {kind}: recall {recall} of {figures[f'{kind}_faces']:.0f}, "
        f"{figures[f'{kind}_false_positives_per_image']:.3f} false faces a picture, landmarks {landmarks}"
    )
