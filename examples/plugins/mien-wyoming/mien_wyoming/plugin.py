"""The plugin's hooks. Importing this opens no connection and imports no Wyoming: that waits for something to hear."""

from __future__ import annotations

from mien import PluginContext, RegisterTranscriber, Transcriber, TranscriberInfo, hookimpl
from mien_wyoming.settings import WyomingSettings

MIEN_API_VERSION = 1
"""The version of mien's plugin contract that this was written for."""


@hookimpl
def mien_register_transcribers(register: RegisterTranscriber, context: PluginContext) -> None:
    """Register the engine ``wyoming``; its settings come from ``[plugins.wyoming]``."""
    settings = context.settings("wyoming", WyomingSettings)

    def load() -> Transcriber:
        from mien_wyoming.transcriber import WyomingTranscriber

        return WyomingTranscriber(settings)

    info = TranscriberInfo(
        version="0.1.0",
        languages=(settings.language,) if settings.language else (),
        offline=settings.is_local,
        description=f"the Wyoming server at {settings.name}",
    )
    register("wyoming", info, load)
