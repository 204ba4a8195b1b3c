"""``mien devices``: the cameras and microphones of this machine. Works where only faces are analysed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mien.media.microphone import MicrophoneInfo


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("devices")(_devices)


def _devices(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List cameras and microphones.

    With --json: cameras (index, name, path), microphones (index, name, channels, sample_rate, is_default), and
    microphone_problem, which says why microphones cannot be listed (empty where they can).
    """
    from mien.media.cameras import list_cameras

    cameras = list_cameras()
    microphones, problem = _microphones()
    if as_json:
        report = {
            "cameras": [asdict(camera) for camera in cameras],
            "microphones": [asdict(microphone) for microphone in microphones],
            "microphone_problem": problem,
        }
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
        return
    typer.echo("cameras:")
    for camera in cameras:
        typer.echo(f"  {camera.index}  {camera.name}  ({camera.path})")
    if not cameras:
        typer.echo("  none found")
    typer.echo("microphones:")
    for microphone in microphones:
        mark = ", default" if microphone.is_default else ""
        typer.echo(f"  {microphone.index}  {microphone.name}  ({microphone.sample_rate:.0f} Hz{mark})")
    if not microphones:
        typer.echo(f"  {problem or 'none found'}")


def _microphones() -> tuple[list[MicrophoneInfo], str]:
    """The microphones, and why they cannot be listed: a face-only machine has neither the package nor the need."""
    from mien.errors import MienError
    from mien.media.microphone import list_microphones

    try:
        return list_microphones(), ""
    except MienError as error:
        return [], str(error)
