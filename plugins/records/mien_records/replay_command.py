"""``mien replay``: all past visits under new rules. Options and output; the work is in ``replaying``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mien import Fuser, PluginContext, SessionSummary, records
    from mien_records.replaying import Replay, Replayed

Results = Annotated[
    list[Path], typer.Argument(metavar="RECORDS...", help="JSON lines or SQLite databases with ledgers.")
]
FuserName = Annotated[
    str, typer.Option("--fuser", metavar="NAME", help="In the place of each visit's own.", show_default=False)
]
Weights = Annotated[
    str, typer.Option(metavar="face=1,voice=2", help="Over each visit's own weights.", show_default=False)
]
Configured = Annotated[
    bool, typer.Option("--configured", help="Take fuser, weights, thresholds and half-life from [fusion] of --config.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the new summaries there, for mien report.", show_default=False),
]


def register(app: typer.Typer, parts: PluginContext) -> None:
    """Add ``mien replay`` to the command line."""

    def replay(
        results: Results, fuser: FuserName = "", weights: Weights = "", configured: Configured = False, out: Out = None
    ) -> None:
        """Go through past visits again, under the rules of then or under others.

        Needs records with ledgers ([session] keep_ledger). Constants of a rule, such as a calibration, are those of
        --config. Exit code 0: done. 1: some records could not be read or replayed. 2: wrong usage.
        """
        from mien_records.replaying import Replayed, replayed
        from mien_records.report.reading import Reader

        reader, account = Reader(), Replayed()
        again = _replay(parts, fuser=fuser, weights=_weights(weights), configured=configured)
        made = replayed(reader.read(results), again, account)
        _write(out, made)
        for line in _told(account):
            typer.echo(line)
        problems = [*reader.problems, *account.problems]
        for problem in problems:
            typer.echo(f"mien: {problem}", err=True)
        if problems:
            raise typer.Exit(1)

    app.command("replay")(replay)


def _replay(parts: PluginContext, *, fuser: str, weights: Mapping[str, float], configured: bool) -> Replay:
    from mien import records
    from mien_records.replaying import other_rules

    fusers: dict[str, Fuser] = {}

    def again(ledger: records.Ledger) -> SessionSummary:
        options = _configured(parts, ledger) if configured else None
        ruled = other_rules(ledger, configured=options, fuser=fuser, weights=weights)
        name = ruled.config.fuser
        if name not in fusers:
            fusers[name] = parts.fuser(name)
        return records.replay(ruled, fusers[name], customer=parts.customer_choice(ruled.config.customer_policy))

    return again


def _configured(parts: PluginContext, ledger: records.Ledger) -> dict[str, Any]:
    """What ``[fusion]`` says of options that a session has."""
    table = parts.configuration.fusion
    return {name: getattr(table, name) for name in type(table).model_fields if hasattr(ledger.config, name)}


def _weights(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise typer.BadParameter(f"expected modality=number, got {part!r}", param_hint="--weights") from None
    return found


def _write(out: Path | None, made: Iterable[records.SummaryRecord]) -> None:
    from mien import ConfigError, records
    from mien_records.files import open_own

    lines = [records.to_json(record) for record in made]
    if out is None:
        return
    try:
        out.unlink(missing_ok=True)
        with open_own(out) as file:
            file.write("".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise ConfigError(f"--out: cannot write {out}: {error.strerror}") from error


def _told(account: Replayed) -> list[str]:
    from mien import Verdict

    if not account.visits:
        return ["no ledger among the records; with keep_ledger = true under [session], visits are kept with theirs"]
    lines = [f"{account.visits:,} visits replayed"]
    if account.unknown:
        lines.append(f"{account.unknown:,} of them have no summary among the records to be compared with")
    number = account.compared
    if number:
        lines[0] += f"; {account.same:,} of {number:,} have the same summary as then, bit for bit"
        verdicts = ", ".join(f"{each.value} {account.before[each]:,} -> {account.after[each]:,}" for each in Verdict)
        lines.append(f"verdicts: {verdicts}")
        lines.append(f"mean score: {account.score_before / number:.3f} -> {account.score_after / number:.3f}")
    return lines
