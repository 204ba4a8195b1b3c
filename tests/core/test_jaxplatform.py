"""JAX starts whatever ``JAX_PLATFORMS`` other work has set."""

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
