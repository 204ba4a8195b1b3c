"""``[plugins.mqtt]``, the plugin's own table of the configuration."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class PluginSettings(BaseModel):
    """What can be set.

    Attributes:
        host: The broker; without it there is no sink.
        port: Of the broker; 8883 is usual with TLS.
        topic: Where results go; ``{site}`` and ``{kind}`` (``analysis`` or ``summary``) are filled in.
        qos: 0 at most once, 1 at least once, 2 exactly once.
        retain: The broker keeps the newest result for whoever comes later.
        tls: Encrypt, and check the broker's certificate against the system's authorities.
        username: For the broker; empty for none.
        password_variable: The environment variable that has the password; none is in the configuration.
        summaries_only: Leave single results out, and send sessions' summaries.
        timeout_seconds: How long to wait for the broker, for the first connection and when all is to be sent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = ""
    port: int = Field(default=1883, ge=1, le=65_535)
    topic: str = Field(default="mien/{site}/{kind}", min_length=1)
    qos: Literal[0, 1, 2] = 1
    retain: bool = False
    tls: bool = False
    username: str = ""
    password_variable: str = "MIEN_MQTT_PASSWORD"
    summaries_only: bool = False
    timeout_seconds: float = Field(default=5.0, gt=0.0, le=9.0)

    @field_validator("topic")
    @classmethod
    def _topic(cls, topic: str) -> str:
        filled = topic.replace("{site}", "").replace("{kind}", "")
        if any(each in filled for each in "+#{}\0"):
            raise ValueError("a topic has no wildcards, and no places but {site} and {kind}")
        return topic
