"""How the detector is trained: loss weights, optimiser settings, learning rate. Numbers only; no engine."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of a training run.

    Attributes:
        epochs: Of ``steps`` steps each.
        steps: An epoch; after each there is a checkpoint and a look at validation.
        batch_size: Canvases a step.
        side: Height and width of a canvas, pixels.
        photographs: Share of the canvases that are one real photograph; the rest is composed.
        damaged: Share of the canvases that are made worse.
        uses: How many canvases are made of the same pictures, mirrored, scaled, turned and damaged in other ways.
        peak_rate: Highest learning rate.
        warm_up: Steps until the highest rate.
        weight_decay: Of AdamW, for kernels only.
        largest_gradient: Norm to which gradients are clipped.
        average_decay: Of the moving average of weights, once it has warmed up.
        negative_weight: Of a background cell's loss, the alpha of the varifocal loss.
        focus: Its gamma: how much surely recognised background counts less.
        box_weight: Of the loss of boxes.
        landmark_weight: Of the loss of landmarks.
        landmark_knee: Landmark error, in sizes of the face, up to which its loss is quadratic.
    """

    epochs: int = 10
    steps: int = 300
    batch_size: int = 32
    side: int = 256
    photographs: float = 0.7
    damaged: float = 0.45
    uses: int = 2
    peak_rate: float = 3e-3
    warm_up: int = 200
    weight_decay: float = 0.02
    largest_gradient: float = 5.0
    average_decay: float = 0.998
    negative_weight: float = 0.75
    focus: float = 2.0
    box_weight: float = 2.0
    landmark_weight: float = 6.0
    landmark_knee: float = 0.015

    def rate(self, step: int) -> float:
        """Learning rate of a step: a linear start, then half a cosine down to a fiftieth."""
        if step < self.warm_up:
            return self.peak_rate * (1 + step) / self.warm_up
        total = max(self.epochs * self.steps - self.warm_up, 1)
        falling = (1 + math.cos(math.pi * min(1.0, (step - self.warm_up) / total))) / 2
        return self.peak_rate * (0.02 + 0.98 * falling)

    def averaging(self, step: int) -> float:
        """Decay of the moving average at a step; it starts low so that the first weights are soon forgotten."""
        return min(self.average_decay, (1 + step) / (10 + step))

    def to_json(self) -> dict[str, float]:
        """As plain data, for a checkpoint or manifest."""
        return asdict(self)
