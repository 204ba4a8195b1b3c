"""What ``mien train face`` asks of a network beside what the loop asks: which faces it takes, and what it exports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from mien import InputError, Manifest
from mien.training import Curves, Learner
from mien_face_lab.training.faces import FaceData


class FaceLearner(Learner[FaceData, FaceData, Any], Protocol):
    """A network that tells expressions apart, with its recipe."""

    @property
    def name(self) -> str:
        """As ``--network`` calls it."""

    def select(self, data: FaceData) -> FaceData:
        """The faces that it can learn from or be judged by."""

    def finish(self, state: Any, data: FaceData) -> Any:
        """The state that is exported: what was reached, and what is done once when all epochs are over."""

    def export(self, state: Any, *, validation: FaceData, out: Path, training: Mapping[str, Any]) -> Manifest:
        """Write weights and manifest into a folder."""

    def close(self) -> None:
        """Give resources back."""


def curves_of(name: str) -> Curves:
    """What is drawn of a run, whatever the network."""
    lines = {
        f"{part} {figure}": f"{prefix}{figure}"
        for figure in ("loss", "accuracy")
        for part, prefix in (("training", ""), ("validation", "validation_"))
    }
    return Curves(f"{name}: training and validation", "accuracy", lines)


def whole_batches(faces: int, batch_size: int) -> int:
    """Batches of an epoch; a last, smaller one is left out.

    Raises:
        InputError: There is none.
    """
    if faces < batch_size:
        raise InputError(
            f"{faces} faces are fewer than one batch of {batch_size}; bring more, or choose a smaller --batch-size"
        )
    return faces // batch_size
