"""The generated code is what the pinned generator makes of the contract, and the contract keeps its rules."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mien.v1 import sentiment_pb2 as pb

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto/mien/v1/sentiment.proto"
GENERATED = ("sentiment_pb2.py", "sentiment_pb2.pyi", "sentiment_pb2_grpc.py")


def generator() -> str | None:
    """A Python that has the pinned generator: that of ``make proto``, or this one."""
    own = ROOT / ".venv-proto/bin/python"
    if own.exists():
        return str(own)
    return sys.executable if importlib.util.find_spec("grpc_tools") else None


def test_the_generated_code_is_current(tmp_path: Path) -> None:
    python = generator()
    if python is None:
        pytest.skip("the generator is not installed: `make proto` does it")
    environment = {**os.environ, "PYTHON": python}
    command = ["bash", str(ROOT / "proto/generate.sh"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    for name in GENERATED:
        committed = (ROOT / "core/mien/v1" / name).read_text()
        assert (tmp_path / "mien/v1" / name).read_text() == committed, f"{name} is not current: run `make proto`"


def test_every_enum_begins_with_unspecified_and_carries_its_name() -> None:
    for name, enum in pb.DESCRIPTOR.enum_types_by_name.items():
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() + "_"
        assert enum.values_by_number[0].name == f"{prefix}UNSPECIFIED"
        assert all(value.name.startswith(prefix) for value in enum.values)


def test_every_message_enum_and_call_says_what_it_is_for() -> None:
    lines = PROTO.read_text().splitlines()
    for number, line in enumerate(lines):
        if re.match(r"(message|enum|service|  rpc) ", line):
            assert lines[number - 1].strip().startswith("//"), f"line {number + 1} has no comment: {line}"
