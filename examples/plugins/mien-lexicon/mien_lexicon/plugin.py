"""The plugin's hooks. Importing this loads no lexicon: that waits until somebody has words to analyse."""

from __future__ import annotations

from functools import partial

from mien import Analyzer, AnalyzerInfo, PluginContext, RegisterAnalyzer, SampleKind, hookimpl
from mien_lexicon.settings import LexiconSettings

MIEN_API_VERSION = 1
"""The version of mien's plugin contract that this was written for."""

LABELS = ("positive", "neutral", "negative")

INFO = AnalyzerInfo(
    modality="text",
    accepts=frozenset({SampleKind.TEXT}),
    labels=LABELS,
    version="0.1.0+vader3.3",
    weights_license="MIT",
    description="English words, by the VADER sentiment lexicon",
    load_cost="about 5 MB and 20 ms",
)


@hookimpl
def mien_register_analyzers(register: RegisterAnalyzer, context: PluginContext) -> None:
    """Register the analyzer ``lexicon``; its settings come from ``[plugins.lexicon]``."""
    settings = context.settings("lexicon", LexiconSettings)
    register("lexicon", INFO, partial(_load, settings))


def _load(settings: LexiconSettings) -> Analyzer:
    from mien_lexicon.analyzer import LexiconAnalyzer

    return LexiconAnalyzer(settings)
