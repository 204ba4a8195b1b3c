"""The plugin's hooks. Nothing is opened here: that waits for the first result."""

from __future__ import annotations

from functools import partial
from typing import Final

from mien import PluginContext, RegisterSink, Sink, SinkInfo, hookimpl
from mien_mqtt.settings import PluginSettings

MIEN_API_VERSION: Final = 1
"""The version of mien's plugin contract that this was written for."""

NAME: Final = "mqtt"

INFO: Final = SinkInfo(
    version="0.1.0",
    description="each result as a message to an MQTT broker",
)


@hookimpl
def mien_register_sinks(register: RegisterSink, context: PluginContext) -> None:
    """Register the sink where ``[plugins.mqtt]`` names a broker; without one there is no sink."""
    settings = context.settings(NAME, PluginSettings)
    if settings.host:
        register(NAME, INFO, partial(_open, settings))


def _open(settings: PluginSettings) -> Sink:
    from mien_mqtt.sink import MqttSink

    return MqttSink(settings)
