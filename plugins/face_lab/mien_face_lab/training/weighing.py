"""How much a face counts while training, where classes are of unequal size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mien import InputError


def class_weights(labels: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.float32]:
    """Weights in inverse proportion to the size of each class; over all faces their mean is 1.

    Args:
        labels: ``[n]``.
        classes: How many.

    Returns:
        ``[classes]``; 0 for a class without a face.

    Raises:
        InputError: There is no face.
    """
    if not len(labels):
        raise InputError("there is no face to weigh classes by")
    counts = np.bincount(labels, minlength=classes)
    present = int((counts > 0).sum())
    weights = len(labels) / (present * np.maximum(counts, 1))
    return np.where(counts > 0, weights, 0).astype(np.float32)
