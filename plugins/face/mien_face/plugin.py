"""The entry point of the face plugin: registers its parts and commands. Importing it loads no JAX and no OpenCV."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from mien import (
    AnalyzerInfo,
    DetectorInfo,
    Modality,
    PluginContext,
    RegisterAnalyzer,
    RegisterBackend,
    RegisterDetector,
    SampleKind,
    __version__,
    hookimpl,
    read_manifest,
)
from mien_face.backends.names import FACTORIES
from mien_face.factory import DETECTOR_MANIFEST, build_analyzer, detector_factories, expression_manifest
from mien_face.labels import FER2013_LABELS
from mien_face.settings import DetectorName, FaceSettings

if TYPE_CHECKING:
    import typer

MIEN_API_VERSION: Final = 1

ANALYZER: Final = "face"


@hookimpl
def mien_register_analyzers(register: RegisterAnalyzer, context: PluginContext) -> None:
    """Register ``face``. Only the weights' manifest is read."""
    settings = context.settings(ANALYZER, FaceSettings)
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
    register(ANALYZER, info, partial(build_analyzer, settings, context))


@hookimpl
def mien_register_detectors(register: RegisterDetector, context: PluginContext) -> None:
    """Register ``mien`` and ``haar``."""
    settings = context.settings(ANALYZER, FaceSettings)
    manifest = read_manifest(settings.detector_weights or DETECTOR_MANIFEST)
    infos = {
        DetectorName.MIEN: DetectorInfo(
            version=manifest.version, weights_license=manifest.license, description="mien's own, with landmarks"
        ),
        DetectorName.HAAR: DetectorInfo(
            version=__version__, description="OpenCV's cascade: upright frontal faces, no landmarks"
        ),
    }
    factories = detector_factories(settings)
    for name, info in infos.items():
        register(name.value, info, factories[name.value])


@hookimpl
def mien_register_backends(register: RegisterBackend) -> None:
    """Register ``jax``, ``onnxruntime`` and ``openvino``."""
    for name, (info, factory) in FACTORIES.items():
        register(name, info, factory)


@hookimpl
def mien_register_commands(app: typer.Typer, context: PluginContext) -> None:
    """Add ``mien explain`` and ``mien export face``."""
    from mien_face import commands

    commands.register(app, context)
