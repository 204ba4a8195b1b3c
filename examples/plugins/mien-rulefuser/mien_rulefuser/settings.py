"""``[plugins.rulefuser]``, the plugin's own table of the configuration: the rules."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Rule(BaseModel):
    """What a share of one emotion does to the score.

    Attributes:
        label: The emotion, as an analyzer calls it.
        share: From this share of what was shown on, [0, 1].
        modality: Whose emotion; empty for any.
        at_least: The score is then no lower.
        at_most: The score is then no higher.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = Field(min_length=1)
    share: float = Field(default=0.3, gt=0.0, le=1.0)
    modality: str = ""
    at_least: float = Field(default=0.0, ge=0.0, le=1.0)
    at_most: float = Field(default=1.0, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _bounds(self) -> Rule:
        if self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least} is above at_most {self.at_most}")
        if (self.at_least, self.at_most) == (0.0, 1.0):
            raise ValueError("a rule needs at_least or at_most, or it does nothing")
        return self


class PluginSettings(BaseModel):
    """What can be set.

    Attributes:
        rules: Taken one after the other, so that the last word is the last rule's.
        half_width: How far the interval reaches on either side of the score where confidence is 0, [0, 1].
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[Rule, ...] = ()
    half_width: float = Field(default=0.5, ge=0.0, le=1.0)
