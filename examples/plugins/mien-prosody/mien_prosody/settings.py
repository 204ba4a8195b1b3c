"""``[plugins.prosody]``, the plugin's own table of the configuration."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PluginSettings(BaseModel):
    """What can be set.

    Attributes:
        max_confidence: How far to trust a voice that is heard well, [0, 1]; what melody says of satisfaction is little.
        min_voiced_seconds: With less of a voice, nothing is said.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_confidence: float = Field(default=0.3, ge=0.0, le=1.0)
    min_voiced_seconds: float = Field(default=0.3, gt=0.0)
