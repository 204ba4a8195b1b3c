"""Which pixels speak for an emotion: guided back-propagation and Grad-CAM of the folded network.

What is explained is the logarithm of the FER2013 head's probability of one emotion.

- Guided back-propagation (Springenberg et al. 2015, arXiv:1412.6806): the gradient at the input, where every
  nonlinearity passes back only what is positive and came through it.
- Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391): the features of the last stage, weighted by their mean gradients.
  That stage has 6 x 6 cells only. The map is therefore multiplied by LayerCAM (Jiang et al. 2021) of the stage before,
  whose 12 x 12 features are weighted each by its own gradient, and the square root is taken.

Shapes: n faces, h and w cells of a stage, c channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Final

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from mien import start_jax
from mien_face.config import INPUT_SIZE, Arrays, NetworkConfig
from mien_face.forward import forward, prepare
from mien_face.labels import FER2013_LABELS
from mien_face.preprocess import normalise

Map = npt.NDArray[np.float32]

_SMALLEST: Final = 1e-12
"""A map whose largest value is below this shows nothing, and stays 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Saliency:
    """What speaks for an emotion, face by face.

    Attributes:
        grad_cam: ``[n, 48, 48]``, [0, 1]; 1 where most speaks for it. All 0 where nothing does.
        guided: ``[n, 48, 48]``, [-1, 1]; how a brighter pixel would change the answer, 0 where it would not.
    """

    grad_cam: Map
    guided: Map


def saliency(
    config: NetworkConfig,
    arrays: Arrays,
    crops: npt.NDArray[np.uint8],
    classes: npt.NDArray[np.int64],
) -> Saliency:
    """Compute both maps.

    Args:
        config: The network.
        arrays: As the laboratory folds them.
        crops: Grey faces, uint8 ``[n, 48, 48]``.
        classes: The emotion to explain of each face, positions in ``FER2013_LABELS``, ``[n]``.

    Raises:
        ValueError: The crops have another type or shape, or a class does not exist.
    """
    start_jax()
    images = jnp.asarray(normalise(crops))
    if classes.shape != (len(crops),) or not np.isin(classes, range(len(FER2013_LABELS))).all():
        raise ValueError(f"classes must be {len(crops)} numbers in [0, {len(FER2013_LABELS)}), got {classes}")
    chosen = jax.nn.one_hot(classes, len(FER2013_LABELS))
    compute = jax.jit(partial(_maps, config))
    *cams, guided = (np.asarray(each) for each in compute(prepare(config, arrays), images, chosen))
    grad_cam = _scaled(np.prod([_scaled(_enlarged(cam)) for cam in cams], axis=0) ** (1 / len(cams)))
    return Saliency(grad_cam, _scaled(guided[..., 0]))


def _maps(
    config: NetworkConfig, arrays: Mapping[str, jax.Array], images: jax.Array, chosen: jax.Array
) -> tuple[jax.Array, ...]:
    """Grad-CAM of the last stage, LayerCAM of the one before, [n, h, w]; the gradient, [n, 48, 48, 1]."""
    *_, last = stages = _last_blocks(config)
    gradients, features = _at_stages(config, arrays, images, chosen, stages)
    weights = gradients[last].mean(axis=(1, 2), keepdims=True)  # [n, 1, 1, c]
    cams = [_evidence(weights, features[last])]
    cams += [_evidence(jax.nn.relu(gradients[name]), features[name]) for name in stages[-2:-1]]
    guided = jax.grad(lambda pixels: _score(forward(config, arrays, pixels, rectify=guided_relu), chosen))(images)
    return (*cams, guided)


def _at_stages(
    config: NetworkConfig,
    arrays: Mapping[str, jax.Array],
    images: jax.Array,
    chosen: jax.Array,
    stages: tuple[str, ...],
) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
    """Gradients and features at the ends of stages, by block, [n, h, w, c]: by way of zeros that are added there."""

    def score(added: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
        seen: dict[str, jax.Array] = {}

        def tap(name: str, outputs: jax.Array) -> jax.Array:
            if name not in stages:
                return outputs
            seen[name] = outputs
            return outputs + added[name] if name in added else outputs

        return _score(forward(config, arrays, images, tap=tap), chosen), seen

    features = score({})[1]
    zeros = {name: jnp.zeros_like(each) for name, each in features.items()}
    gradients: dict[str, jax.Array] = jax.grad(lambda added: score(added)[0])(zeros)
    return gradients, features


def _last_blocks(config: NetworkConfig) -> tuple[str, ...]:
    """The last block of each stage; a block with a stride begins one."""
    blocks = list(config.blocks())
    ends = [before.name for before, block in pairwise(blocks) if block.stride != 1]
    return (*ends, blocks[-1].name)


def _score(logits: jax.Array, chosen: jax.Array) -> jax.Array:
    """The sum over faces, each of which depends on its own pixels only."""
    return (jax.nn.log_softmax(logits[:, : len(FER2013_LABELS)]) * chosen).sum()


def _evidence(weights: jax.Array, features: jax.Array) -> jax.Array:
    """What speaks for the answer; what speaks against it is left out."""
    return jax.nn.relu((weights * features).sum(axis=-1))


@jax.custom_vjp
def guided_relu(inputs: jax.Array) -> jax.Array:
    """max(0, x), which passes back positive gradients only, and those only where x is positive."""
    return jax.nn.relu(inputs)


def _guided_forward(inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.nn.relu(inputs), inputs


def _guided_backward(inputs: jax.Array, gradients: jax.Array) -> tuple[jax.Array]:
    return (jnp.where((inputs > 0) & (gradients > 0), gradients, 0),)


guided_relu.defvjp(_guided_forward, _guided_backward)


def _enlarged(maps: npt.NDArray[Any]) -> Map:
    """[n, h, w] -> [n, 48, 48]."""
    size = (INPUT_SIZE, INPUT_SIZE)
    large = [cv2.resize(each.astype(np.float32), size, interpolation=cv2.INTER_CUBIC) for each in maps]
    enlarged: Map = np.maximum(np.stack(large), 0).astype(np.float32)
    return enlarged


def _scaled(maps: npt.NDArray[Any]) -> Map:
    """Each map divided by its largest absolute value."""
    largest = np.abs(maps).max(axis=(1, 2), keepdims=True)
    scaled: Map = np.where(largest > _SMALLEST, maps / np.maximum(largest, _SMALLEST), 0).astype(np.float32)
    return scaled
