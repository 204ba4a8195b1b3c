"""Weight files: what was saved comes back, and nothing damaged or foreign is loaded."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mien import Manifest, WeightsError, load_weights, read_manifest, save_weights, weights

ARRAYS: dict[str, npt.NDArray[Any]] = {
    "conv": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "steps": np.array([7], np.int64),
}


@pytest.fixture
def manifest_path(tmp_path: Path) -> Path:
    path = tmp_path / "nested" / "net.json"
    save(path)
    return path


def save(path: Path, **fields: Any) -> Manifest:
    given: dict[str, Any] = {"name": "net", "version": "1", "network": "tiny", "license": "MIT", **fields}
    return save_weights(path, ARRAYS, labels={"emotion": ["happy", "sad"]}, **given)


def change(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def put_content(path: Path, content: bytes) -> None:
    """Other content under a manifest that vouches for it."""
    path.with_suffix(".safetensors").write_bytes(content)
    change(path, sha256=hashlib.sha256(content).hexdigest())


def test_what_was_saved_comes_back(manifest_path: Path) -> None:
    manifest, arrays = load_weights(manifest_path)
    assert manifest == read_manifest(manifest_path)
    assert (manifest.file, manifest.labels) == ("net.safetensors", {"emotion": ["happy", "sad"]})
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


@pytest.mark.parametrize("position", [0, 40, -1])
def test_one_flipped_bit_is_noticed(manifest_path: Path, position: int) -> None:
    path = manifest_path.with_suffix(".safetensors")
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"net\.safetensors is damaged or of another version: its sha256 is"):
        load_weights(manifest_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip or a pickle", b"\xff" * 64])
def test_what_is_not_safetensors_is_refused_even_where_the_manifest_vouches_for_it(
    manifest_path: Path, content: bytes
) -> None:
    put_content(manifest_path, content)
    with pytest.raises(WeightsError, match="is not a safetensors file"):
        load_weights(manifest_path)


@pytest.mark.parametrize("file", ["../net.safetensors", "/etc/passwd", "sub/net.safetensors", "..", ""])
def test_a_manifest_cannot_point_out_of_its_folder(manifest_path: Path, file: str) -> None:
    change(manifest_path, file=file)
    with pytest.raises(WeightsError):
        load_weights(manifest_path)


def test_a_missing_manifest_or_weight_file_is_named(manifest_path: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"cannot read the weight manifest .*gone\.json: No such file"):
        load_weights(tmp_path / "gone.json")
    manifest_path.with_suffix(".safetensors").unlink()
    with pytest.raises(WeightsError, match=r"cannot read the weights .*net\.safetensors: No such file"):
        load_weights(manifest_path)


def test_a_huge_file_is_refused_unread(manifest_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MAX_WEIGHTS_BYTES", 10)
    with pytest.raises(WeightsError, match="larger than 10 bytes"):
        load_weights(manifest_path)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"sha256": "short"}, "sha256"),
        ({"format": 2}, "format"),
        ({"surprise": 1}, "surprise"),
        ({"labels": ["happy"]}, "labels"),
        ({"license": None}, "license"),
    ],
)
def test_a_wrong_manifest_is_refused_with_the_field(manifest_path: Path, fields: dict[str, Any], where: str) -> None:
    change(manifest_path, **fields)
    with pytest.raises(WeightsError, match=f"is not a weight manifest: {where}"):
        read_manifest(manifest_path)


def test_text_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_bytes(b"\x80\x04 not json")
    with pytest.raises(WeightsError, match="is not a weight manifest"):
        read_manifest(path)


def test_the_old_pair_survives_a_save_that_fails(manifest_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in manifest_path.parent.iterdir()}

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save(manifest_path, version="2")
    assert {path.name: path.read_bytes() for path in manifest_path.parent.iterdir()} == before


def test_a_reader_between_the_two_writes_sees_an_error_and_never_a_mixture(
    manifest_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = weights.write_atomically

    def weights_only(path: Path, content: bytes) -> None:
        if path.suffix == ".safetensors":
            whole(path, content)

    monkeypatch.setattr(weights, "write_atomically", weights_only)
    save_weights(
        manifest_path, {"conv": np.zeros(2)}, labels={}, name="net", version="2", network="tiny", license="MIT"
    )
    with pytest.raises(WeightsError, match="damaged or of another version"):
        load_weights(manifest_path)
