"""Fits the heads of a trained network anew, on plain faces as they are met in use.

While a network learns, its heads see changed faces, features that come and go, and some labels more often than they
are. Once the features stand, linear heads are best fitted to what they will be asked: unchanged faces and their mirror
images, each label as frequent as it is. Kang et al. 2020 fit heads anew for the sake of rare labels, Touvron et al.
2019 last layers to make good what changing pictures did to them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from mien_face.config import Arrays
from mien_face.labels import Head
from mien_face.preprocess import normalise
from mien_face_lab.training.faces import FaceData
from mien_face_lab.training.step import Engine
from mien_face_lab.training.targets import Floats, Targets

_STEPS: Final = 100
"""Of L-BFGS at most."""


def refit_heads(engine: Engine, arrays: Arrays, data: FaceData, targets: Targets, *, penalty: float) -> Arrays:
    """The same network with heads that fit these faces best.

    Args:
        engine: Computes the features.
        arrays: Parameters and running statistics; not changed.
        data: Faces to fit to, each with its mirror image.
        targets: What they are to be answered with.
        penalty: Times the sum of the squared differences from a head's kernel, in nats: holds it to what it was.
    """
    views = (data.crops, np.ascontiguousarray(data.crops[:, :, ::-1]))
    features = np.concatenate([engine.features(arrays, normalise(view)) for view in views])
    refitted = dict(arrays)
    for head in Head:
        values, weights = (np.concatenate([array] * len(views)) for array in targets[head])
        kernel, bias = f"{head}.kernel", f"{head}.bias"
        if weights.any():
            refitted[kernel], refitted[bias] = fit_head(
                features, values, weights, start=(arrays[kernel], arrays[bias]), penalty=penalty
            )
    return refitted


def fit_head(
    features: Floats, values: Floats, weights: Floats, *, start: tuple[Floats, Floats], penalty: float
) -> tuple[Floats, Floats]:
    """Multinomial logistic regression on soft labels, held to where it started.

    Args:
        features: ``[n, channels]``.
        values: Distributions, ``[n, labels]``.
        weights: Of each row, ``[n]``, not all 0.
        start: Kernel ``[channels, labels]`` and bias ``[labels]``.
        penalty: Times the sum of the squared differences from the kernel.

    Returns:
        Kernel and bias with the least mean cross-entropy, in nats, and penalty together.
    """
    shares = (weights / weights.sum())[:, np.newaxis]
    kernel, bias = start
    size = kernel.size

    def cost(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        away = flat[:size].reshape(kernel.shape).astype(np.float32)
        logits = features @ (kernel + away) + flat[size:].astype(np.float32)
        logits -= logits.max(axis=1, keepdims=True)
        logarithms = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        errors = shares * (np.exp(logarithms) * values.sum(axis=1, keepdims=True) - values)
        slope = features.T @ errors + 2 * penalty * away
        loss = -float((shares * values * logarithms).sum()) + penalty * float((away**2).sum())
        return loss, np.concatenate([slope.ravel(), errors.sum(axis=0)]).astype(np.float64)

    first = np.concatenate([np.zeros(size), bias])
    found = minimize(cost, first, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    return (kernel + found[:size].reshape(kernel.shape)).astype(np.float32), found[size:].astype(np.float32)
