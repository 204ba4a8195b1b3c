"""The plugin's hooks."""

from __future__ import annotations

from functools import partial
from typing import Final

from mien import Fuser, FuserInfo, PluginContext, RegisterFuser, hookimpl
from mien_rulefuser.settings import PluginSettings

MIEN_API_VERSION: Final = 1
"""The version of mien's plugin contract that this was written for."""

NAME: Final = "rulefuser"

INFO: Final = FuserInfo(
    version="0.1.0",
    description="a weighted mean, with rules of your own as floors and caps",
)


@hookimpl
def mien_register_fusers(register: RegisterFuser, context: PluginContext) -> None:
    """Register the fuser, which ``[fusion] fuser`` chooses; its settings: ``[plugins.rulefuser]``."""
    register(NAME, INFO, partial(_make, context.settings(NAME, PluginSettings)))


def _make(settings: PluginSettings) -> Fuser:
    from mien_rulefuser.fuser import RuleFuser

    return RuleFuser(settings)
