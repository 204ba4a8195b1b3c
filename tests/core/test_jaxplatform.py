"""JAX starts whatever ``JAX_PLATFORMS`` other work has set, and keeps what it compiled where nobody else can write."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

START = "import mien, jax; mien.start_jax(); mien.start_jax(); print(jax.device_put([7])[0])"


@pytest.mark.parametrize(("platforms", "warnings"), [("cuda", 1), ("nonsense", 1), ("cpu", 0), ("", 0)])
def test_the_processor_is_taken_where_the_platform_asked_for_is_not_there(platforms: str, warnings: int) -> None:
    if platforms == "cuda" and Path("/dev/nvidia0").exists():
        pytest.skip("it may be there")
    environment = {**os.environ, "JAX_PLATFORMS": platforms}
    command = [sys.executable, "-c", START]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "7\n"
    assert ran.stderr.count(f"JAX cannot start on JAX_PLATFORMS={platforms}") == warnings


COMPILE = """
import jax, mien
mien.start_jax()
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
print(jax.jit(lambda x: x * 2 + 1)(3.0))
"""


def compile_with(cache: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A process that compiles something, with a cache folder of its user."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), **variables}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    ran = subprocess.run(
        [sys.executable, "-c", COMPILE], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "7.0\n"), ran.stderr
    return ran


def kept(cache: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in cache.rglob("*-cache")}


def test_what_was_compiled_is_kept_and_what_was_torn_is_made_anew(tmp_path: Path) -> None:
    compile_with(tmp_path)
    programs = kept(tmp_path)
    assert programs
    (folder,) = {path.parent for path in programs}
    assert folder.stat().st_mode & 0o777 == 0o700
    torn = min(programs)
    torn.write_bytes(programs[torn][: len(programs[torn]) // 2])
    assert compile_with(tmp_path).stderr == ""
    assert kept(tmp_path).keys() == programs.keys()
    assert len(torn.read_bytes()) > len(programs[torn]) // 2


def test_nothing_is_taken_from_a_folder_that_others_can_write_to(tmp_path: Path) -> None:
    compile_with(tmp_path)
    programs = kept(tmp_path)
    (folder,) = {path.parent for path in programs}
    for path in programs:
        path.write_bytes(b"poison")
    folder.chmod(0o777)
    assert "can be written to by others" in compile_with(tmp_path).stderr
    assert set(kept(tmp_path).values()) == {b"poison"}


def test_nothing_is_kept_where_that_is_asked_for_or_cannot_be(tmp_path: Path) -> None:
    compile_with(tmp_path / "off", MIEN_KEEP_COMPILED="0")
    assert not (tmp_path / "off").exists()
    (tmp_path / "file").write_text("no folder")
    assert compile_with(tmp_path / "file").stderr == ""
