"""The entry point of the fusion plugin: registers its fusers. Importing it loads no numerical library but numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mien import FuserInfo, PluginContext, RegisterFuser, __version__, hookimpl
from mien_fusion.fitted import Fitted
from mien_fusion.happy_share import HappyShare
from mien_fusion.settings import FusionPluginSettings
from mien_fusion.visitmodel import shipped_model
from mien_fusion.weighted_sum import WeightedSum

if TYPE_CHECKING:
    import typer

MIEN_API_VERSION: Final = 1

WEIGHTED_SUM: Final = FuserInfo(
    version=__version__, description="confidence-weighted sum of the modalities, with exponential decay"
)
FITTED: Final = FuserInfo(
    version=__version__,
    description="how likely the customer is satisfied, by a model fitted to composed visits",
    ignores=frozenset({"good_threshold", "poor_threshold"}),  # its thresholds follow from the shares
)
HAPPY_SHARE: Final = FuserInfo(
    version=__version__,
    description="share of happy faces, good above 40 % (Ward 2018); faces only",
    ignores=frozenset({"weights", "half_life_seconds", "good_threshold", "poor_threshold"}),
)


@hookimpl
def mien_register_fusers(register: RegisterFuser, context: PluginContext) -> None:
    """Register ``fitted``, ``weighted_sum`` and ``happy_share``."""
    settings = context.settings("fusion", FusionPluginSettings)
    register("fitted", FITTED, lambda: Fitted(shipped_model(), settings))
    register("weighted_sum", WEIGHTED_SUM, lambda: WeightedSum(settings))
    register("happy_share", HAPPY_SHARE, lambda: HappyShare(settings))


@hookimpl
def mien_register_commands(app: typer.Typer, context: PluginContext) -> None:
    """Add ``mien fusion fit`` and ``mien fusion calibrate``."""
    from mien_fusion.commands import register

    register(app, context)
