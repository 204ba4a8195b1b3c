"""The one definition of how a grey face crop becomes network input, for training and inference alike."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien_face.config import INPUT_SIZE

MIN_CONTRAST: Final = 4.0
"""Grey levels: a crop whose standard deviation is below this is divided by this, so that noise is not blown up."""


def normalise(crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Take out brightness and contrast: every crop gets mean 0 and standard deviation 1.

    Args:
        crops: uint8 grey, ``[count, 48, 48]``.

    Returns:
        float32, ``[count, 48, 48, 1]``.

    Raises:
        ValueError: The crops are not uint8 ``[count, 48, 48]``.
    """
    check_crops(crops)
    return standardise(crops)


def standardise(crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """``normalise`` for crops of any size, uint8 ``[count, height, width]``; training uses smaller ones."""
    grey = crops.astype(np.float32)
    mean = grey.mean(axis=(1, 2), keepdims=True)
    deviation = grey.std(axis=(1, 2), keepdims=True)
    standardised: npt.NDArray[np.float32] = (grey - mean) / np.maximum(deviation, np.float32(MIN_CONTRAST))
    return standardised[..., np.newaxis]  # [count, height, width, 1]


def check_crops(crops: npt.NDArray[Any]) -> None:
    """Refuse what is not a stack of grey crops.

    Raises:
        ValueError: Not uint8 ``[count, 48, 48]``.
    """
    if crops.dtype != np.uint8 or crops.ndim != 3 or crops.shape[1:] != (INPUT_SIZE, INPUT_SIZE):
        raise ValueError(f"crops must be uint8 [count, {INPUT_SIZE}, {INPUT_SIZE}], got {crops.dtype} {crops.shape}")
