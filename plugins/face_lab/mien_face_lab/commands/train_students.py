"""The command ``mien train students``; what it does is in ``mien_face_lab.training.school``, imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mien import InputError, read_manifest
from mien_face.commands.shared import plain_errors
from mien_face.factory import manifest_at
from mien_face.settings import WeightsName
from mien_face_lab.training.engines import EngineName, imported_for

if TYPE_CHECKING:
    from mien_face_lab.portraits import Portraits
    from mien_face_lab.training.faces import FaceData

CARRIED_QUALITY: Final = 88
"""Of the JPEG that all crops are carried in: 2 grey levels off on average, half the bytes."""


def train_students(
    data: Annotated[Path, typer.Option(help="Labelled faces with FER+'s votes: parquet files, or Kaggle's.")],
    portraits: Annotated[Path, typer.Option(help="Parquet file of labelled portraits in colour.")],
    out: Annotated[Path, typer.Option(help="Folder for what is learnt from, figures and weights.")] = Path(
        "runs/students"
    ),
    given: Annotated[
        Path, typer.Option(help="A resnet-large that teaches too, and that the large student begins with.")
    ] = Path(WeightsName.LARGE),
    seconds: Annotated[float, typer.Option(min=30, help="How long all courses together may last.")] = 560.0,
    device: Annotated[str, typer.Option(help="Where PyTorch computes: cuda, or cpu to try it out.")] = "cuda",
    pack: Annotated[
        bool, typer.Option("--pack", help="Only write what is learnt from, small enough to be carried elsewhere.")
    ] = False,
    results: Annotated[
        Path | None, typer.Option(help="Folder of a term that was held elsewhere: only export its students.")
    ] = None,
) -> None:
    """Teach networks of four sizes side by side on one GPU, and export each with a manifest."""
    if pack and results is not None:
        raise typer.BadParameter("--pack comes before a term, --results after it", param_hint="--pack")
    with plain_errors():
        if not pack and results is None:
            _require(device)
        about = {
            "command": f"mien train students --data {data.name} --portraits {portraits.name} --seconds {seconds:g}",
            **_of_the_pool(data, portraits, out, manifest_at(given), lossless=not pack, write=results is None),
        }
        if pack:
            typer.echo(f"wrote {out / 'pool'}; hold the term with python -m mien_face_lab.training.school.term")
            return
        if results is None:
            _hold(out, seconds, device)
        _export(data, results or out / "term", out, about)


def _of_the_pool(
    data: Path, portraits: Path, out: Path, given: Path, *, lossless: bool, write: bool
) -> dict[str, object]:
    """Gather what is learnt from, and write it; what manifests say of it."""
    from mien_face_lab.portraits import is_kept_back, read_portraits
    from mien_face_lab.training.data import read_faces

    people = read_portraits(portraits)
    training, validation = (read_faces(data, part=part) for part in ("train", "validation"))
    if not training.votes.any():
        raise InputError(f"{data} holds no votes: students learn from FER+'s, which belong to the same pictures")
    learnt = sum(not is_kept_back(each.person) for each in people.rows)
    if write:
        _write_pool(training, validation, people, out / "pool", given, lossless=lossless)
    return {
        "given": read_manifest(given).sha256,
        "data": f"{len(training)} faces and {learnt} portraits for training, {len(validation)} faces for validation",
        "portraits": {"name": people.name, "digest": people.digest(), "learnt_from": learnt},
    }


def _write_pool(
    training: FaceData, validation: FaceData, people: Portraits, folder: Path, given: Path, *, lossless: bool
) -> None:
    from mien_face.inference import load_folded
    from mien_face_lab.asking import cut_portraits
    from mien_face_lab.training.unfolding import unfold

    with imported_for(EngineName.TORCH):
        from mien_face_lab.training.school import storing
        from mien_face_lab.training.school.gathering import gather_exam, gather_pool
    typer.echo(f"finding the faces of {len(people.rows)} portraits", err=True)
    cut = cut_portraits(people)
    quality = storing.LOSSLESS if lossless else CARRIED_QUALITY
    folder.mkdir(parents=True, exist_ok=True)
    storing.save_pool(folder, gather_pool(training, cut), quality=quality)
    storing.save_exam(folder, gather_exam(validation, cut), quality=quality)
    weights = load_folded(given)
    storing.save_start(folder, unfold(weights.config, weights.arrays, training.crops))


def _require(device: str) -> None:
    """Say before faces are looked for, rather than after, that nothing can compute."""
    with imported_for(EngineName.TORCH):
        import torch
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(
            "PyTorch finds no GPU here: --device cpu tries the road out, and --pack writes what is learnt from, to be "
            "carried to a machine that has one"
        )


def _hold(out: Path, seconds: float, device: str) -> None:
    with imported_for(EngineName.TORCH):
        from mien_face_lab.training.school.term import run
    run(out / "pool", out / "term", seconds, device)


def _export(data: Path, results: Path, out: Path, about: dict[str, object]) -> None:
    from mien_face_lab.training.data import read_faces
    from mien_face_lab.training.school.graduating import graduate, manifest_name

    for name, manifest in graduate(results, out, validation=read_faces(data, part="validation"), about=about).items():
        figures = manifest.metrics
        typer.echo(
            f"{name}: FER2013 {figures['fer2013_accuracy']:.4f}, FER+ {figures['ferplus_accuracy']:.4f}; "
            f"wrote {out / name / manifest_name(name)}"
        )
