"""``[plugins.face]``: what is wrong in it is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mien import ConfigError, read_manifest
from mien.testing import read_settings
from mien_face.config import NetworkConfig
from mien_face.factory import EXPRESSION_MANIFEST, SHIPPED, expression_manifest
from mien_face.settings import FaceSettings, WeightsName, merged


def test_nothing_said_is_valid() -> None:
    assert read_settings(FaceSettings, {}).detector == "mien"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"detectr": "haar"}, "detectr: there is no such key; known here: .*detector"),
        ({"quality": {"blurr": 1.0}}, "quality.blurr: there is no such key; known here: blurred"),
        ({"detector": 3}, "detector: .*valid string.*got 3"),
        ({"yunet_path": "face.onnx"}, "yunet_path: there is no such key; known here: backend"),
        ({"precision": "int8"}, "precision: .*'auto' or 'float32'.*got 'int8'"),
        ({"max_faces": 0}, "max_faces: .*greater than or equal to 1.*got 0"),
        ({"min_face_fraction": float("nan")}, "min_face_fraction"),
        ({"valence": {"happy": 1.5}}, "valence.happy: .*less than or equal to 1.*got 1.5"),
        ({"quality": {"small": 90.0}}, "small must be below full_size, got 90.0 and 48.0"),
    ],
)
def test_a_wrong_value_is_named(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_settings(FaceSettings, table)


def test_all_problems_are_listed_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(FaceSettings, {"max_faces": 0, "min_face_pixels": 1})
    assert "max_faces" in str(caught.value)
    assert "min_face_pixels" in str(caught.value)


@pytest.mark.parametrize(
    ("table", "manifest"),
    [
        ({}, EXPRESSION_MANIFEST),
        ({"weights": "small"}, EXPRESSION_MANIFEST),
        ({"weights": "large"}, EXPRESSION_MANIFEST.with_name("expression-large.json")),
        ({"weights": "runs/mine/expression.json"}, Path("runs/mine/expression.json")),
    ],
)
def test_weights_are_named_or_lie_at_a_path(table: dict[str, Any], manifest: Path) -> None:
    assert expression_manifest(read_settings(FaceSettings, table)) == manifest


def test_the_large_network_ships_and_does_at_least_twice_the_work_of_the_small_one() -> None:
    small, large = (NetworkConfig.from_json(read_manifest(SHIPPED[name]).config) for name in WeightsName)

    assert large.operations() > 2 * small.operations()


def test_overrides_replace_single_values() -> None:
    assert merged({"happy": 0.9, "sad": 0.1}, {"sad": 0.3}, key="satisfaction") == {"happy": 0.9, "sad": 0.3}


def test_an_override_for_an_unknown_emotion_is_named() -> None:
    with pytest.raises(ConfigError, match="satisfaction: there is no emotion joy; known: happy, sad"):
        merged({"happy": 0.9, "sad": 0.1}, {"joy": 1.0}, key="satisfaction")
