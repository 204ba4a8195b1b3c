"""The plugin's hooks. There is no model: listing the plugin loads nothing but its settings."""

from __future__ import annotations

from functools import partial
from typing import Final

from mien import Analyzer, AnalyzerInfo, PluginContext, RegisterAnalyzer, SampleKind, hookimpl
from mien_prosody.settings import PluginSettings

MIEN_API_VERSION: Final = 1
"""The version of mien's plugin contract that this was written for."""

NAME: Final = "prosody"

INFO: Final = AnalyzerInfo(
    modality="prosody",
    accepts=frozenset({SampleKind.AUDIO}),
    labels=("animated", "even", "flat"),
    version="0.1.0",
    weights_license="none",
    description="what the melody of a voice says, whatever its words",
)


@hookimpl
def mien_register_analyzers(register: RegisterAnalyzer, context: PluginContext) -> None:
    """Register the analyzer; its settings come from ``[plugins.prosody]``."""
    register(NAME, INFO, partial(_load, context.settings(NAME, PluginSettings)))


def _load(settings: PluginSettings) -> Analyzer:
    from mien_prosody.analyzer import ProsodyAnalyzer

    return ProsodyAnalyzer(settings)
