"""Gives an exported network its batch normalisation back, so that training can go on from it.

Export folds each normalisation into its convolution, and what it held is gone. Some faces tell what each convolution
gives, by mean and variance; with those as running statistics the network answers as before, and can learn again.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from mien import InputError
from mien_face.backends.reference import reference_logits
from mien_face.config import NORM_EPSILON, Arrays, NetworkConfig
from mien_face.preprocess import normalise

Floats = npt.NDArray[np.float32]

FACES: Final = 128
"""How many are looked at; each gives from 36 to 576 values a channel."""

_LEAST_VARIANCE: Final = 1e-6
"""Of a channel that hardly says anything."""


def unfold(config: NetworkConfig, folded: Arrays, crops: npt.NDArray[np.uint8]) -> Arrays:
    """Make trainable arrays of folded ones.

    Args:
        config: The network.
        folded: As ``mien_face_lab.folding.fold`` makes them.
        crops: Faces of the kind that it is to learn from, uint8 ``[n, 48, 48]``; ``FACES`` of them are used.

    Returns:
        Parameters and running statistics; folded again they are what they were. Every convolution gives values of
        variance 1, as one that has just been drawn does, so that learning rates mean what they usually mean.

    Raises:
        InputError: There is no face.
    """
    if not len(crops):
        raise InputError("there is no face to start training with")
    images = normalise(crops[np.linspace(0, len(crops) - 1, min(FACES, len(crops))).astype(np.int64)])
    seen: dict[str, tuple[Floats, Floats]] = {}

    def look(name: str, outputs: Floats) -> None:
        seen[name] = outputs.mean(axis=(0, 1, 2)), outputs.var(axis=(0, 1, 2))

    reference_logits(config, folded, images, observe=look)
    arrays: Arrays = {}
    for name in seen:
        arrays |= _unfolded(folded, name, *seen[name])
    return arrays | {name: array for name, array in folded.items() if name.rsplit(".", 1)[0] not in seen}


def _unfolded(folded: Arrays, name: str, mean: Floats, variance: Floats) -> Arrays:
    """A convolution's arrays, from the mean and the variance, [c], of what it gave before its bias."""
    deviation = np.sqrt(np.maximum(variance, np.float32(_LEAST_VARIANCE)))
    scaled = variance / deviation**2  # 1, but for a channel that hardly says anything
    arrays = {
        "kernel": folded[f"{name}.kernel"] / deviation,
        "mean": mean / deviation,
        "variance": scaled,
        "scale": deviation * np.sqrt(scaled + np.float32(NORM_EPSILON)),
        "bias": folded[f"{name}.bias"] + mean,
    }
    return {f"{name}.{part}": np.asarray(array, np.float32) for part, array in arrays.items()}
