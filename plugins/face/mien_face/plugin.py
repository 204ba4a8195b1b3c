"""The entry point of the face plugin: registers its analyzer and commands. Importing it loads no JAX and no OpenCV."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from mien import AnalyzerInfo, Modality, PluginContext, RegisterAnalyzer, SampleKind, hookimpl, read_manifest
from mien_face.factory import build_analyzer, expression_manifest
from mien_face.labels import FER2013_LABELS
from mien_face.settings import parse_face_settings

if TYPE_CHECKING:
    import typer

MIEN_API_VERSION: Final = 1

ANALYZER: Final = "face"


@hookimpl
def mien_register_analyzers(register: RegisterAnalyzer, context: PluginContext) -> None:
    """Register ``face``. Only the weights' manifest is read."""
    settings = parse_face_settings(context.settings(ANALYZER))
    manifest = read_manifest(expression_manifest(settings))
    info = AnalyzerInfo(
        modality=Modality.FACE,
        accepts=frozenset({SampleKind.IMAGE}),
        labels=FER2013_LABELS,
        version=manifest.version,
        weights_license=manifest.license,
        description=f"facial expressions: {settings.detector} detector, {manifest.name} network",
        load_cost="about 360 MB and 7 seconds",
    )
    register(ANALYZER, info, partial(build_analyzer, settings))


@hookimpl
def mien_register_commands(app: typer.Typer) -> None:
    """Add the training and evaluation commands."""
    from mien_face import commands

    commands.register(app)
