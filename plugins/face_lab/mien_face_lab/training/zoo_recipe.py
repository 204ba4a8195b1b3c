"""How a network of the zoo is trained, as its authors published it. Numbers only."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mien_face_lab.training.augment import Augmentation
from mien_face_lab.training.schedule import Schedule


@dataclass(frozen=True, slots=True)
class ZooRecipe:
    """Settings of a training run with Adam and softmax cross-entropy, which all of these networks use.

    Attributes:
        epochs: Passes over the data.
        batch_size: Faces a step.
        schedule: Learning rate.
        patience: Epochs without a lower validation loss after which training ends; None: never.
        class_weights: Whether a face counts in inverse proportion to the size of its class.
        augmentation: Random changes of crops; None: none.
        kernel_penalty: Half of this times the sum of the squares of all kernels is added to the loss (L2).
    """

    epochs: int
    batch_size: int
    schedule: Schedule
    patience: int | None = None
    class_weights: bool = False
    augmentation: Augmentation | None = None
    kernel_penalty: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As plain data, for a checkpoint or manifest."""
        return {"optimizer": "adam", **asdict(self)}
