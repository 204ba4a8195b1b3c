"""Teachers: trained networks whose answers a student learns from beside the labels (Hinton et al. 2015).

Many labels of such data are doubtful. What several trained networks say of a face and of its mirror image, on average,
is more often right than one look of one of them; a student can take that over and still look once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mien_face.inference import ExpressionNetwork, softmax
from mien_face.labels import FER2013_LABELS, Head
from mien_face_lab.training.targets import Floats


class Teacher:
    """Exported networks that answer together.

    Args:
        networks: At least one.

    Raises:
        ValueError: There is none.
    """

    def __init__(self, networks: Sequence[ExpressionNetwork]) -> None:
        if not networks:
            raise ValueError("a teacher needs at least one network")
        self._networks = tuple(networks)

    @classmethod
    def load(cls, manifests: Sequence[Path]) -> Teacher:
        """Read networks as ``mien train face`` exports them.

        Raises:
            WeightsError: They are missing, damaged, or of another kind of network.
        """
        return cls([ExpressionNetwork.load(path) for path in manifests])

    def describe(self) -> list[str]:
        """The fingerprints of the networks' weights, which a resumed run must find again."""
        return [network.manifest.sha256 for network in self._networks]

    def answers(self, crops: npt.NDArray[np.uint8]) -> dict[Head, Floats]:
        """Probabilities by the mean logarithm over all networks, each of which sees a face and its mirror image.

        Args:
            crops: uint8 grey, ``[count, 48, 48]``.

        Returns:
            Head -> ``[count, labels]``.
        """
        looks = [network.logits(view) for network in self._networks for view in (crops, _mirrored(crops))]
        width = len(FER2013_LABELS)
        heads = {Head.FER2013: slice(width), Head.FERPLUS: slice(width, None)}
        return {head: _together([look[:, columns] for look in looks]) for head, columns in heads.items()}


def _mirrored(crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(crops[:, :, ::-1])


def _together(looks: list[Floats]) -> Floats:
    """The geometric mean of several answers, made to sum to 1 again."""
    logarithms = np.mean([np.log(np.maximum(softmax(look, temperature=1), 1e-12)) for look in looks], axis=0)
    return softmax(logarithms.astype(np.float32), temperature=1)
