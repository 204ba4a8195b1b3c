"""The documentation cannot rot unnoticed: links lead somewhere, and the commands it shows exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False
).stdout.split()
PAGES = [ROOT / name for name in TRACKED] or sorted(ROOT.glob("*.md"))
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
FENCED = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOWN_COMMAND = re.compile(r"^mien ([a-z]+(?: (?:list|face|tone|fit|calibrate|detector))?)", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    missing = [link for link in targets if not (page.parent / link).exists()]
    assert not missing


def test_every_command_in_the_readme_exists() -> None:
    from typer.main import get_command

    from mien.cli import build_app

    blocks = FENCED.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    commands = {command for block in blocks for command in SHOWN_COMMAND.findall(block)}
    assert {"analyze", "serve", "plugins list"} <= commands
    for line in commands:
        command = get_command(build_app(line.split()))
        for word in line.split():
            command = command.commands.get(word)  # type: ignore[attr-defined]
            assert command is not None, f"the README shows `mien {line}`, which does not exist"


def test_make_targets_in_the_documentation_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for page in PAGES:
        shown = set(re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
        named = {first or second for first, second in shown}
        assert named <= targets, f"{page.name} speaks of {named - targets}"
