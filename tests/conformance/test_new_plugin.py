"""``mien plugins new`` writes packages that pass their own tests, ruff and mypy as they are, of every kind."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mien.cli import main
from mien.errors import ConfigError
from mien.scaffold.project import Accepts, PluginKind, Project, write_project

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = [
    *(Project(name=f"new-{kind}", kind=kind) for kind in PluginKind if kind is not PluginKind.ANALYZER),
    *(Project(name=f"new-{accepts}-analyzer", accepts=accepts) for accepts in Accepts),
    Project(
        name="a-plugin-with-quite-a-long-name-to-carry",
        description="What a customer's gait and bearing say of the visit, as far as that can be told",
        author="Ada Example",
        license="MIT",
        modality="gait",
        accepts=Accepts.IMAGE,
    ),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("plugins")
    for project in PROJECTS:
        write_project(project, root / project.distribution)
    return [root / project.distribution for project in PROJECTS]


def run(*arguments: object, cwd: Path, path: list[Path]) -> None:
    """Run a module of this Python's, with the packages to be found."""
    known = os.pathsep.join([*map(str, path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=cwd,
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": known, "MYPYPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


def test_their_tests_pass(folders: list[Path]) -> None:
    tests = [folder / "tests" for folder in folders]
    options = ("-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:asyncio", "-W", "error")
    run("pytest", *options, "--rootdir", folders[0].parent, *tests, cwd=folders[0].parent, path=folders)


def test_they_are_formatted_and_linted(folders: list[Path]) -> None:
    run("ruff", "format", "--check", "--no-cache", ".", cwd=folders[0].parent, path=[])
    run("ruff", "check", "--no-cache", ".", cwd=folders[0].parent, path=[])


def test_their_types_hold(folders: list[Path]) -> None:
    """Under the settings of this repository, whose cache makes it quick; they are no less strict than their own."""
    for folder in folders:
        assert tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]["strict"] is True
    packages = [each for folder in folders for each in folder.glob("mien_*")]
    run("mypy", "--config-file", ROOT / "pyproject.toml", *packages, cwd=ROOT, path=folders)


def test_each_has_all_that_a_package_needs(folders: list[Path]) -> None:
    for project, folder in zip(PROJECTS, folders, strict=True):
        content = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        assert content["project"]["name"] == project.distribution
        assert content["project"]["entry-points"]["mien.plugins"] == {project.name: f"{project.package}.plugin"}
        assert (folder / project.package / "py.typed").exists()
        assert f"mien plugins check {project.name}" in (folder / ".github/workflows/test.yml").read_text(
            encoding="utf-8"
        )
        written = [path for path in folder.rglob("*") if path.suffix in (".py", ".toml", ".md", ".yml")]
        assert not any("{{" in path.read_text(encoding="utf-8").replace("${{", "") for path in written)


def test_the_command_asks_nothing_of_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for group in ("plugin", "plugins"):
        with pytest.raises(SystemExit) as leaving:
            main([group, "new", "smileys", "--kind", "sink", "--yes", "--out", str(tmp_path / group)])
        assert leaving.value.code == 0
        assert "pip install -e" in capsys.readouterr().out
        assert (tmp_path / group / "mien_smileys" / "sink.py").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Smileys"], "no name for a plugin"),
        (["smileys", "--kind", "lens"], "--kind must be one of"),
        (["smileys", "--accepts", "smell"], "--accepts must be one of"),
        (["smileys", "--description", 'a "quote"'], "description"),
        (["smileys", "--out", "full"], "not empty"),
    ],
)
def test_what_cannot_be_written_is_told(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as leaving:
        main(["plugins", "new", *arguments, "--yes"])
    assert leaving.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "mien-smileys").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="exists"):
        write_project(Project(name="smileys"), tmp_path / "file")
