"""What a user is told where a training engine's package is not installed."""

from __future__ import annotations

import sys

import pytest

from mien import MissingDependencyError
from mien_face.labels import FER2013_LABELS
from mien_face_lab.training.engines import EngineName
from mien_face_lab.training.networks import Changes, learner_of


@pytest.mark.parametrize(
    ("network", "engine", "module", "message"),
    [
        ("resnet", EngineName.TORCH, "mien_face_lab.training.torch_engine", r"needs PyTorch: .* or use --engine jax"),
        (
            "mini_xception",
            EngineName.TORCH,
            "mien_face_lab.training.zoo_torch",
            r"needs PyTorch: .* or use --engine jax",
        ),
        ("resnet", EngineName.JAX, "mien_face_lab.training.jax_engine", r"mien\[train\]"),
        ("mini_xception", EngineName.JAX, "mien_face_lab.training.zoo_learner", r"mien\[train\]"),
    ],
)
def test_a_missing_package_is_named(
    network: str, engine: EngineName, module: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as if what it imports were not there

    with pytest.raises(MissingDependencyError, match=message):
        learner_of(network, Changes(), labels=FER2013_LABELS, engine=engine)
