"""How the networks of the zoo were trained by their authors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mien_face.config import INPUT_SIZE
from mien_face_lab.training.augment import Augmentation
from mien_face_lab.training.schedule import Decline, Schedule
from mien_face_lab.training.zoo_recipe import ZooRecipe
from mien_face_lab.zoo.catalogue import DELORENZO2019, KURMI2022, MINI_XCEPTION, SHAIKH2021, SMART2022, WARD2018

PUBLISHED: Final[Mapping[str, ZooRecipe]] = MappingProxyType(
    {
        WARD2018.name: ZooRecipe(epochs=20, batch_size=100, schedule=Schedule(rate=0.002), kernel_penalty=0.0005),
        SHAIKH2021.name: ZooRecipe(epochs=22, batch_size=64, schedule=Schedule(rate=0.001)),
        SMART2022.name: ZooRecipe(
            epochs=18,
            batch_size=64,
            schedule=Schedule(rate=0.0005, decline=Decline.PLATEAU, factor=0.1, patience=2, floor=1e-5),
        ),
        KURMI2022.name: ZooRecipe(
            epochs=50,
            batch_size=64,
            schedule=Schedule(rate=1e-4, decay=1e-6),
            class_weights=True,
            augmentation=Augmentation(rotation=10, scale=0.1, shift=0.1 * INPUT_SIZE, mirror=0.5, erase=0),
        ),
        MINI_XCEPTION.name: ZooRecipe(
            epochs=50,
            batch_size=32,
            schedule=Schedule(rate=0.001, decline=Decline.PLATEAU, factor=0.1, patience=12, floor=1e-6),
            class_weights=True,
            augmentation=Augmentation(rotation=10, scale=0.1, shift=0.1 * INPUT_SIZE, mirror=0.5, erase=0),
        ),
        DELORENZO2019.name: ZooRecipe(epochs=25, batch_size=256, schedule=Schedule(rate=0.001), patience=5),
    }
)
"""By the name of the network; each of the zoo has one."""
