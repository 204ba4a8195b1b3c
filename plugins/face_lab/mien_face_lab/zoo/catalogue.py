"""The networks of the zoo, layer by layer as published, with the figures of their authors.

Where a publication leaves a detail open (padding, initial weights, the input's range) the default of its framework is
taken. Inputs are grey pictures in [0, 1]. How they were trained is in ``mien_face_lab.training.zoo_recipes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mien_face.config import INPUT_SIZE
from mien_face.labels import FER2013_LABELS
from mien_face_lab.zoo.layers import (
    Conv,
    Dense,
    Depthwise,
    Dropout,
    Flatten,
    GlobalMean,
    Layer,
    Norm,
    Pool,
    Relu,
    Residual,
    Shape,
    count_operations,
    count_parameters,
)


@dataclass(frozen=True, slots=True)
class ZooNetwork:
    """A published network.

    Attributes:
        name: How ``--network`` and manifests call it.
        source: Who published it.
        body: All layers but the last, which is dense or, where ``convolutional_end``, a convolution and a mean.
        published: What was reached, in words.
        input_side: Height and width of its input, pixels.
        labels: The classes that it tells apart; None: those of the data.
        convolutional_end: Whether a 3x3 convolution with one channel for each class, then the mean, ends the network.
        kernel_deviation: Of normally distributed first kernels; None: uniform after Glorot and Bengio 2010.
    """

    name: str
    source: str
    body: tuple[Layer, ...]
    published: str
    input_side: int = INPUT_SIZE
    labels: tuple[str, ...] | None = None
    convolutional_end: bool = False
    kernel_deviation: float | None = None

    @property
    def input_shape(self) -> Shape:
        """Of one face."""
        return (self.input_side, self.input_side, 1)

    def layers(self, classes: int) -> tuple[Layer, ...]:
        """The whole network for a number of classes."""
        if self.convolutional_end:
            return (*self.body, Conv(classes), GlobalMean())
        return (*self.body, Dense(classes))

    def parameters(self, classes: int) -> tuple[int, int]:
        """Numbers in its arrays, and how many of these are running statistics."""
        return count_parameters(self.layers(classes), self.input_shape)

    def operations(self, classes: int) -> int:
        """FLOPs a face."""
        return count_operations(self.layers(classes), self.input_shape)


def _conv_norm(channels: int) -> tuple[Layer, ...]:
    return (Conv(channels, bias=False), Norm(), Relu())


WARD2018: Final = ZooNetwork(
    name="ward2018",
    source="A. Ward, Using Neural Networks for Facial Sentiment Analysis (SurveNet), 2018",
    input_side=50,
    labels=tuple(label for label in FER2013_LABELS if label != "disgust"),
    body=(
        *_conv_norm(32),
        *_conv_norm(64),
        *_conv_norm(64),
        Pool(3, 1, same=True),
        *_conv_norm(96),
        *_conv_norm(96),
        Pool(same=True),
        *_conv_norm(128),
        *_conv_norm(128),
        Pool(same=True),
        *_conv_norm(128),
        *_conv_norm(128),
        Pool(same=True),
        *_conv_norm(128),
        Pool(2, 1, same=True),
        Dropout(0.2),
        Flatten(),
    ),
    kernel_deviation=0.01,
    published="84.47 % on CK+ (6 classes, random split of augmented copies)",
)


def _shaikh_block(channels: int, side: int, *, relu: bool) -> tuple[Layer, ...]:
    return (Conv(channels, side), Conv(channels, side), Norm(), *((Relu(),) if relu else ()), Pool())


SHAIKH2021: Final = ZooNetwork(
    name="shaikh2021",
    source="M. J. Shaikh et al., Facial emotion detection for customer relationship management, 2021",
    body=(
        *_shaikh_block(64, 5, relu=True),
        *_shaikh_block(128, 5, relu=True),
        *_shaikh_block(256, 3, relu=False),
        Flatten(),
    ),
    published="about 50 % on a part of FER2013 (validation)",
)


def _smart_block(channels: int, side: int) -> tuple[Layer, ...]:
    return (Conv(channels, side), Norm(), Relu(), Pool(), Dropout(0.25))


SMART2022: Final = ZooNetwork(
    name="smart2022",
    source="C.-S. Smart, CMP 304 Machine Learning Unit 2 Report, 2022",
    body=(
        *_smart_block(64, 3),
        *_smart_block(128, 5),
        *_smart_block(512, 3),
        *_smart_block(512, 3),
        Flatten(),
        *(Dense(256), Norm(), Relu(), Dropout(0.25)),
        *(Dense(512), Norm(), Relu(), Dropout(0.25)),
    ),
    published="'well above 60 %' on an 8-class set of Kaggle's",
)


KURMI2022: Final = ZooNetwork(
    name="kurmi2022",
    source="V. R. Kurmi, Emotion Recognition from visual Big-Data using CNN, 2022",
    body=(
        *(Conv(32, same=False), Relu(), Conv(64, same=False), Relu(), Pool(), Dropout(0.25)),
        *(Conv(128, same=False), Relu(), Pool(), Conv(128, same=False), Relu(), Pool(), Dropout(0.25)),
        *(Flatten(), Dense(1024), Relu(), Dropout(0.5)),
    ),
    published="62.50 % on FER2013's test part",
)


def _xception_block(channels: int) -> tuple[Layer, ...]:
    separable = (Depthwise(), Conv(channels, 1, bias=False), Norm())
    return (
        Residual(
            branch=(*separable, Relu(), *separable, Pool(3, 2, same=True)),
            shortcut=(Conv(channels, 1, stride=2, bias=False), Norm()),
        ),
    )


MINI_XCEPTION: Final = ZooNetwork(
    name="mini_xception",
    source="O. Arriaga et al., Real-time Convolutional Neural Networks for Emotion and Gender Classification, 2017",
    body=(
        *(Conv(8, same=False, bias=False), Norm(), Relu()),
        *(Conv(8, same=False, bias=False), Norm(), Relu()),
        *_xception_block(16),
        *_xception_block(32),
        *_xception_block(64),
        *_xception_block(128),
    ),
    convolutional_end=True,
    published="66 % on FER2013's test part (Arriaga et al.)",
)


def _delorenzo_block(channels: int, *, second_same: bool) -> tuple[Layer, ...]:
    return (
        *(Conv(channels), Relu(), Norm()),
        *(Conv(channels, same=second_same), Relu(), Norm()),
        *(Pool(same=True), Dropout(0.25)),
    )


DELORENZO2019: Final = ZooNetwork(
    name="delorenzo2019",
    source="S. De Lorenzo, Facial Expression Recognition using Convolutional Neural Networks, 2019",
    body=(
        *_delorenzo_block(32, second_same=False),
        *_delorenzo_block(64, second_same=True),
        *_delorenzo_block(128, second_same=True),
        *(Flatten(), Dense(512), Relu(), Norm(), Dropout(0.5), Dense(128), Relu()),
    ),
    published="64.11 %, macro F1 0.62 on FER2013's test part",
)

ZOO: Final[Mapping[str, ZooNetwork]] = MappingProxyType(
    {network.name: network for network in (WARD2018, SHAIKH2021, SMART2022, KURMI2022, MINI_XCEPTION, DELORENZO2019)}
)
"""By name."""
