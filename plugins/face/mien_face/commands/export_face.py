"""The command ``mien export face``; what it does is elsewhere, imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien import InputError
from mien_face.commands.shared import plain_errors
from mien_face.factory import manifest_at
from mien_face.settings import WeightsName


def export_face(
    onnx: Annotated[Path, typer.Option(help="The ONNX file to write; one that is there is replaced.")],
    weights: Annotated[Path, typer.Option(help="small, large, or the manifest of weights.")] = Path(WeightsName.SMALL),
) -> None:
    """Write the expression network as an ONNX file, for a runtime of your own."""
    with plain_errors():
        size = _export(onnx, manifest_at(weights))
    typer.echo(f"wrote {onnx} ({size / 1e6:.1f} MB)", err=True)


def _export(path: Path, weights: Path) -> int:
    from mien_face.backends.onnx_model import describe, onnx_model
    from mien_face.inference import load_folded

    network = load_folded(weights)
    content = onnx_model(network.config, network.arrays, metadata=describe(network.manifest))
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    return len(content)
