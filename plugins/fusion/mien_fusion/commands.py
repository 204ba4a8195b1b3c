"""``mien fusion fit`` and ``mien fusion calibrate``: what a site's own tap ratings teach. The mathematics is elsewhere.

The fragment of configuration goes to ``--out`` or to standard output, what was found to standard error.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mien import InputError, PluginContext
from mien_fusion.fitting import Gain, fit_calibration, fit_weights
from mien_fusion.rated import RatedSessions, read_rated_sessions
from mien_fusion.settings import IsotonicCalibration, PlattCalibration

SessionsFile = Annotated[
    Path, typer.Argument(metavar="SESSIONS.jsonl", help="Rated or labelled session summaries, one JSON object a line.")
]
OutFile = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Where the TOML goes; standard output without it.", show_default=False),
]


def register(app: typer.Typer, parts: PluginContext) -> None:
    """Add the group ``fusion`` to the command line; the commands read the run's weights from ``parts``."""
    group = typer.Typer(help="Fit the fusion to a site's rated sessions.", no_args_is_help=True)
    group.callback()(_group)
    group.command("fit")(_fit_command(parts))
    group.command("calibrate")(_calibrate_command(parts))
    app.add_typer(group, name="fusion")


def _group() -> None:
    pass


def _fit_command(parts: PluginContext) -> Callable[..., None]:
    def fit(sessions: SessionsFile, out: OutFile = None) -> None:
        """Fit the weights of face, voice and other streams to rated sessions."""
        rated = read_rated_sessions(sessions)
        prior = parts.configuration.fusion.weights
        fitted = fit_weights(rated, prior)
        lines = ["[fusion.weights]", *(f"{_key(name)} = {weight:.4f}" for name, weight in fitted.weights.items())]
        _write(lines, out, f"mien fusion fit, from {fitted.sessions} rated sessions")
        for name, weight in fitted.weights.items():
            typer.echo(f"{name}: weight {weight:.3f}, was {prior.get(name, 1.0):.3f}", err=True)
        _report(rated, fitted.sessions, fitted.gain)

    return fit


def _calibrate_command(parts: PluginContext) -> Callable[..., None]:
    def calibrate(
        sessions: SessionsFile,
        out: OutFile = None,
        isotonic: Annotated[
            bool,
            typer.Option("--isotonic", help="Straight lines in place of Platt's logistic curve; needs more sessions."),
        ] = False,
    ) -> None:
        """Fit the curve from score to probability of a satisfied customer to rated sessions."""
        rated = read_rated_sessions(sessions)
        fitted = fit_calibration(rated, parts.configuration.fusion.weights, isotonic=isotonic)
        _write(
            ["[plugins.fusion.calibration]", *_calibration_lines(fitted.calibration)],
            out,
            f"mien fusion calibrate, from {fitted.sessions} rated sessions",
        )
        _report(rated, fitted.sessions, fitted.gain)

    return calibrate


def _calibration_lines(calibration: PlattCalibration | IsotonicCalibration) -> list[str]:
    dated = calibration.model_copy(update={"fitted_on": datetime.now(UTC).date()})
    values: dict[str, Any] = dated.model_dump(mode="json")
    return [f"{key} = {json.dumps(value)}" for key, value in values.items()]


def _key(name: str) -> str:
    """A TOML key, quoted as a basic string; TOML's escapes are JSON's."""
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)


def _write(lines: list[str], out: Path | None, by: str) -> None:
    text = "\n".join([f"# Written by {by}.", *lines]) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot write {out}: {error.strerror}") from error
        typer.echo(f"wrote {out}", err=True)


def _report(rated: RatedSessions, used: int, gain: Gain) -> None:
    typer.echo(
        f"{used} sessions used; {rated.unrated} without a telling rating and {rated.silent} without evidence left out",
        err=True,
    )
    typer.echo(
        f"out of fold, log loss a session: {gain.before:.4f} before, {gain.after:.4f} after; gain {gain.mean:+.4f}, "
        f"90 % interval {gain.interval.low:+.4f} to {gain.interval.high:+.4f}",
        err=True,
    )
    if not gain.is_certain:
        typer.echo("the gain may be chance: keep what is configured, or collect more ratings", err=True)
