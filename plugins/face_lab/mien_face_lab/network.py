"""The expression network in Flax NNX: a residual network of ordinary 3x3 convolutions with two heads.

Used for training and for checking what is shipped. Inference runs the folded network in ``mien_face.inference``, which
needs no Flax. Arrays go in and out by the names of ``mien_face.config``.

Shapes: n pictures, h height, w width, c channels.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
import numpy as np
from flax import nnx

from mien_face.config import NORM_EPSILON, STEM_KERNEL, Arrays, BlockShape, NetworkConfig
from mien_face.forward import halve
from mien_face.labels import HEAD_LABELS, Head
from mien_face_lab import flaxarrays

STATISTICS_MOMENTUM = 0.9
"""Share of a running statistic that a step keeps."""

_PARTS = {
    "conv.kernel": "kernel",
    "norm.scale": "scale",
    "norm.bias": "bias",
    "norm.mean": "mean",
    "norm.var": "variance",
}
"""Flax's names of a layer's arrays -> ours."""


class ConvNorm(nnx.Module):
    """A convolution without bias and its batch normalisation.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        side: Of the kernel, odd; the border is padded so that only the stride makes the picture smaller.
        stride: 1 or 2.
        rngs: Source of the first weights.
    """

    def __init__(self, inputs: int, outputs: int, *, side: int, stride: int = 1, rngs: nnx.Rngs) -> None:
        border = side // 2
        self.conv = nnx.Conv(
            inputs,
            outputs,
            (side, side),
            strides=stride,
            padding=((border, border), (border, border)),
            use_bias=False,
            rngs=rngs,
        )
        self.norm = nnx.BatchNorm(outputs, momentum=STATISTICS_MOMENTUM, epsilon=NORM_EPSILON, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        """Convolve and normalise: [n, h, w, inputs] -> [n, h / stride, w / stride, outputs]."""
        normalised: jax.Array = self.norm(self.conv(images))
        return normalised


class ResidualBlock(nnx.Module):
    """Two 3x3 convolutions around which the input is added; the first may halve the picture."""

    def __init__(self, shape: BlockShape, *, rngs: nnx.Rngs) -> None:
        self.stride = shape.stride
        self.first = ConvNorm(shape.inputs, shape.outputs, side=3, stride=shape.stride, rngs=rngs)
        self.second = ConvNorm(shape.outputs, shape.outputs, side=3, rngs=rngs)
        self.shortcut = ConvNorm(shape.inputs, shape.outputs, side=1, rngs=rngs) if shape.has_shortcut else None

    def __call__(self, features: jax.Array) -> jax.Array:
        """[n, h, w, inputs] -> [n, h / stride, w / stride, outputs]."""
        branch = self.second(nnx.relu(self.first(features)))
        identity = halve(features) if self.stride != 1 else features
        if self.shortcut is not None:
            identity = self.shortcut(identity)
        return nnx.relu(identity + branch)


class FaceNetwork(nnx.Module):
    """From a normalised face to logits of FER2013's seven and FER+'s eight emotions.

    Args:
        config: Sizes.
        rngs: Source of the first weights (stream ``params``).
    """

    def __init__(self, config: NetworkConfig, *, rngs: nnx.Rngs) -> None:
        self.stem = ConvNorm(1, config.stem, side=STEM_KERNEL, stride=2, rngs=rngs)
        self.blocks = nnx.List([ResidualBlock(shape, rngs=rngs) for shape in config.blocks()])
        self.dropout = nnx.Dropout(config.dropout)
        self.fer2013 = nnx.Linear(config.widths[-1], len(HEAD_LABELS[Head.FER2013]), rngs=rngs)
        self.ferplus = nnx.Linear(config.widths[-1], len(HEAD_LABELS[Head.FERPLUS]), rngs=rngs)

    def __call__(self, images: jax.Array, *, rngs: nnx.Rngs | None = None) -> dict[Head, jax.Array]:
        """Run the network.

        Args:
            images: Normalised crops, [n, 48, 48, 1].
            rngs: Source of dropout (stream ``dropout``); needed in training mode only.

        Returns:
            Head -> logits, [n, labels].
        """
        pooled = self.dropout(self.pooled(images), rngs=rngs)  # [n, c]
        return {Head.FER2013: self.fer2013(pooled), Head.FERPLUS: self.ferplus(pooled)}

    def pooled(self, images: jax.Array) -> jax.Array:
        """What both heads look at: normalised crops [n, 48, 48, 1] -> means over the last features, [n, c]."""
        features = nnx.relu(self.stem(images))  # [n, 24, 24, c]
        for block in self.blocks:
            features = block(features)
        means: jax.Array = features.mean(axis=(1, 2))
        return means


def network_of(config: NetworkConfig, arrays: Mapping[str, jax.Array] | Arrays) -> FaceNetwork:
    """Build a network of given arrays (they may be traced).

    Raises:
        ValueError: An array is missing, left over, or of another shape.
    """
    return flaxarrays.with_arrays(lambda: FaceNetwork(config, rngs=nnx.Rngs(0)), arrays, name_of=array_name)


def arrays_of(network: FaceNetwork) -> dict[str, jax.Array]:
    """The arrays of a network, parameters and statistics, by name."""
    return flaxarrays.arrays_of(network, name_of=array_name)


def array_name(path: tuple[object, ...]) -> str:
    """Our name for a variable at a path of the Flax module."""
    name = ".".join(str(part) for part in path)
    for flax_name, own_name in _PARTS.items():
        if name.endswith(f".{flax_name}"):
            return name.removesuffix(flax_name) + own_name
    return name


def count_parameters(arrays: Arrays) -> int:
    """Numbers in a network's arrays."""
    return sum(int(np.prod(array.shape)) for array in arrays.values())
