"""The command ``mien train face``; what it does is in ``mien_face_lab.training``, imported when it runs."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien import InputError
from mien.training import Decline, EpochReport, shown, train
from mien_face.commands.shared import plain_errors
from mien_face_lab.training.engines import EngineName
from mien_face_lab.training.names import Crop, Equalise

if TYPE_CHECKING:
    from rich.console import Console

    from mien_face_lab.training.faces import FaceData
    from mien_face_lab.training.learner import FaceLearner
    from mien_face_lab.training.networks import Changes
    from mien_face_lab.training.prepare import Preparation

SHOWN_SKIPS = 10
"""Skipped pictures that are listed on the screen; all are in ``skipped.txt``."""


class ShipName(StrEnum):
    """Which epoch's weights are exported."""

    BEST = "best"
    LAST = "last"


def train_face(
    data: Annotated[
        Path,
        typer.Option(
            help="Labelled faces: parquet, Kaggle's fer2013.csv, a folder for each class, or Cohn-Kanade's sequences."
        ),
    ],
    network: Annotated[
        str,
        typer.Option(
            help="What to train: resnet-small or resnet-deep (both ship), resnet, resnet-wide, one of the zoo, or knn."
        ),
    ] = "resnet",
    out: Annotated[
        Path | None, typer.Option(help="Folder for checkpoints, metrics, curves and weights; else runs/face-NETWORK.")
    ] = None,
    validation: Annotated[
        Path | None, typer.Option(help="Labelled faces to evaluate on; else those of the data.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the data; else the network's.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, order and augmentation.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's checkpoint.")] = False,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Faces a step; else the network's.")] = None,
    peak_rate: Annotated[
        float | None, typer.Option(min=1e-7, help="Highest learning rate; else the network's.")
    ] = None,
    schedule: Annotated[Decline | None, typer.Option(help="Of the learning rate; else the network's.")] = None,
    patience: Annotated[
        int | None, typer.Option(min=0, help="End after so many epochs without a lower validation loss; 0: never.")
    ] = None,
    class_weights: Annotated[
        bool | None,
        typer.Option(
            "--class-weights/--no-class-weights", help="Faces of small classes count more; else the network's."
        ),
    ] = None,
    augmentation: Annotated[
        float | None, typer.Option(min=0, max=3, help="Strength of random changes; 1 is usual.")
    ] = None,
    robust: Annotated[
        bool, typer.Option("--robust", help="Also cover, blur, shrink and spoil faces with noise (resnets only).")
    ] = False,
    start: Annotated[
        Path | None,
        typer.Option(
            help="Weights to begin with: shipped, large, a run's folder, or an exported expression.json "
            "(resnets only; a smaller one's are grown)."
        ),
    ] = None,
    refine: Annotated[
        bool, typer.Option("--refine", help="The recipe for weights that are trained already (resnets only).")
    ] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="The recipe for weights that --refine brings no further (resnets only).")
    ] = False,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            help="Exported expression.json, shipped or large, whose answers count beside the labels; may be repeated "
            "(resnets only)."
        ),
    ] = None,
    teacher_share: Annotated[
        float | None, typer.Option(min=0, max=1, help="How much they count; else the network's.")
    ] = None,
    ship: Annotated[ShipName | None, typer.Option(help="Epoch whose weights are exported; else the network's.")] = None,
    engine: Annotated[EngineName, typer.Option(help="torch is faster on a CPU, and needs PyTorch.")] = EngineName.JAX,
    crop: Annotated[
        Crop, typer.Option(help="Keep the face that the Haar cascade finds, or the whole picture.")
    ] = Crop.AUTO,
    align: Annotated[bool, typer.Option("--align", help="Turn faces until their eyes are level.")] = False,
    equalise: Annotated[Equalise, typer.Option(help="Even out light.")] = Equalise.NONE,
    mirrored_copies: Annotated[
        bool, typer.Option("--mirrored-copies", help="Add a mirrored copy of every face.")
    ] = False,
    affine_copies: Annotated[int, typer.Option(min=0, help="Add so many randomly turned copies of every face.")] = 0,
    balance: Annotated[int, typer.Option(min=0, help="Bring every class to so many faces; 0: leave them.")] = 0,
) -> None:
    """Train a network that tells facial expressions apart, and export its weights with a manifest."""
    with plain_errors():
        from mien_face_lab.training.networks import Changes
        from mien_face_lab.training.prepare import Preparation

        preparation = Preparation(
            crop=crop,
            align=align,
            equalise=equalise,
            mirrored_copies=mirrored_copies,
            affine_copies=affine_copies,
            balance=balance,
        )
        changes = Changes(
            epochs=epochs,
            batch_size=batch_size,
            peak_rate=peak_rate,
            decline=schedule,
            patience=patience,
            class_weights=class_weights,
            augmentation=augmentation,
            robust=robust,
            refine=refine,
            finish=finish,
            teacher_share=teacher_share,
            ships_best=None if ship is None else ship is ShipName.BEST,
        )
        folder = out or Path("runs") / f"face-{network}"
        _run(
            network,
            changes,
            preparation,
            data,
            validation,
            out=folder,
            seed=seed,
            resume=resume,
            start=start,
            teachers=teacher or [],
            engine=engine,
        )


def make_learner(
    network: str,
    changes: Changes,
    training: FaceData,
    *,
    seed: int,
    engine: EngineName,
    start: Path | None = None,
    teachers: Sequence[Path] = (),
) -> FaceLearner:
    """The network that is trained, and how."""
    from mien_face_lab.training.distilling import Teacher
    from mien_face_lab.training.networks import first_weights, learner_of

    arrays = None
    if start is not None:
        arrays = first_weights(network, changes, _or_shipped(start), crops=training.crops, seed=seed)
    return learner_of(
        network,
        changes,
        labels=training.names,
        engine=engine,
        start=arrays,
        teacher=Teacher.load([_or_shipped(path) for path in teachers]) if teachers else None,
    )


def _or_shipped(path: Path) -> Path:
    """A path as it was given; ``shipped``, ``small`` and ``large`` mean the plugin's own weights."""
    from mien_face.factory import EXPRESSION_MANIFEST, manifest_at

    return EXPRESSION_MANIFEST if path == Path("shipped") and not path.exists() else manifest_at(path)


def _run(
    network: str,
    changes: Changes,
    preparation: Preparation,
    data: Path,
    validation: Path | None,
    *,
    out: Path,
    seed: int,
    resume: bool,
    start: Path | None,
    teachers: Sequence[Path],
    engine: EngineName,
) -> None:
    from rich.console import Console

    from mien_face_lab.training.networks import KNN, NAMES, RESNETS, refuse_unless_resnet

    if network not in NAMES:
        raise InputError(f"there is no network {network!r}; known are {', '.join(NAMES)}")
    refuse_unless_resnet(network, start=start, teacher=teachers, further=changes.refine or changes.finish)
    if changes.teacher_share is not None and not teachers:
        raise InputError("--teacher-share says how much a teacher counts: name one with --teacher, or leave it away")
    if network in RESNETS and preparation.equalise is not Equalise.NONE:
        raise InputError(f"{network} takes light and contrast out by itself: leave --equalise away, or train another")
    console = Console()
    training, held_out = _read(data, validation, preparation, seed=seed, out=out, console=console)
    about = {
        "command": _command_line(),
        "data": f"{len(training)} faces for training, {len(held_out)} for validation",
        "seed": seed,
        "preparation": preparation.to_json(),
    }
    if network == KNN:
        from mien_face_lab.training.knn import fit

        manifest = fit(training, validation=held_out, out=out, about=about)
        console.print(
            f"accuracy {manifest.metrics['accuracy']:.4f} on {len(held_out)} faces; wrote {out}", soft_wrap=True
        )
        return
    learner = make_learner(network, changes, training, seed=seed, engine=engine, start=start, teachers=teachers)
    if teachers:
        console.print(f"first {len(teachers)} teacher(s) look at {len(training)} faces", highlight=False)
    try:
        _train(learner, training, held_out, seed=seed, out=out, resume=resume, about=about, console=console)
    finally:
        learner.close()


def _read(
    data: Path, validation: Path | None, preparation: Preparation, *, seed: int, out: Path, console: Console
) -> tuple[FaceData, FaceData]:
    """The training part, extended by copies, and the validation part."""
    from mien_face_lab.training.data import read_faces
    from mien_face_lab.training.prepare import extend

    training = read_faces(data, part="train", preparation=preparation)
    beside = data if data.is_dir() or data.suffix == ".csv" else data.parent
    held_out = read_faces(validation or beside, part="validation", preparation=preparation)
    skipped = list(dict.fromkeys([*training.skipped, *held_out.skipped]))
    for each in skipped[:SHOWN_SKIPS]:
        console.print(f"skipped {each.where}: {each.why}", highlight=False, markup=False, soft_wrap=True)
    if skipped:
        out.mkdir(parents=True, exist_ok=True)
        (out / "skipped.txt").write_text("".join(f"{each.where}: {each.why}\n" for each in skipped), encoding="utf-8")
        console.print(f"skipped {len(skipped)} in all; see {out / 'skipped.txt'}", highlight=False, soft_wrap=True)
    return extend(training, preparation, seed=seed), held_out


def _train(
    learner: FaceLearner,
    training: FaceData,
    held_out: FaceData,
    *,
    seed: int,
    out: Path,
    resume: bool,
    about: dict[str, Any],
    console: Console,
) -> None:
    training, held_out = learner.select(training), learner.select(held_out)
    with shown(console, epoch_line, batch_size=learner.batch_size, epochs=learner.epochs) as observer:
        outcome = train(
            learner, training=training, validation=held_out, seed=seed, out=out, resume=resume, observer=observer
        )
    if outcome.stopped_early:
        console.print(f"stopped after epoch {outcome.epochs}: the validation loss got no lower")
    about = {**about, "epochs": outcome.epochs, "exported_epoch": outcome.shipped_epoch, **learner.describe()}
    state = learner.finish(outcome.state, training)
    manifest = learner.export(state, validation=held_out, out=out, training=about)
    accuracy = manifest.metrics.get("accuracy", manifest.metrics.get("fer2013_accuracy", float("nan")))
    console.print(f"accuracy {accuracy:.4f} on {len(held_out)} faces; wrote {out}", highlight=False, soft_wrap=True)


def epoch_line(report: EpochReport) -> str:
    """What is told of an epoch."""
    learnt = "  ".join(f"{name} {value:.4f}" for name, value in report.training.items())
    judged = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in report.validation.items())
    left = report.seconds * (report.epochs - report.epoch)
    return (
        f"epoch {report.epoch}/{report.epochs}  {learnt}  validation: {judged}{' (best)' if report.best else ''}  "
        f"{report.examples_per_second:.0f} images/s  {report.seconds:.0f} s, {left:.0f} s left"
    )


def _command_line() -> str:
    """What was called, without folders, which say nothing on another machine."""
    import sys

    return " ".join(["mien", *(Path(word).name if "/" in word else word for word in sys.argv[1:])])
