"""The rules for a plugin as a whole: how it is listed, what it says of itself, how it takes its settings."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, PackageMetadata, PackageNotFoundError, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from mien.config import Settings
from mien.errors import WeightsError
from mien.plugins.host import PluginHost
from mien.plugins.parts import PART_TYPES
from mien.plugins.registry import PluginState
from mien.quality.listing import Listing
from mien.testing.rules import Conformance, Grade, not_applicable, require, rule
from mien.weights import read_manifest

MAX_LISTING_SECONDS: Final = 2.0
"""Processor time that listing a plugin may take: every start of mien pays for it."""

_NO_SUCH_KEY: Final = "no_such_key_of_any_plugin"
_MAX_SEARCHED: Final = 2000


class PluginConformance(Conformance):
    """What ``mien plugins check`` asks of a plugin, whatever it brings; the fixture ``listing`` is a ``Listing``."""

    @rule(Grade.BRONZE)
    def test_it_is_taken_in(self, listing: Listing) -> None:
        """It is imported, its hooks fit, and everything that it registers is right."""
        described = listing.description
        require(described.state is PluginState.LOADED, f"it is {described.state}: {described.reason}")

    @rule(Grade.BRONZE)
    def test_listing_asks_nothing_of_the_network(self, listing: Listing) -> None:
        """No address is looked up and no connection made; mien works offline."""
        require(not listing.network, f"while it was listed: {'; '.join(listing.network[:3])}")

    @rule(Grade.BRONZE)
    def test_listing_starts_no_process(self, listing: Listing) -> None:
        """A helper process belongs into a factory."""
        require(not listing.processes, f"while it was listed: {'; '.join(listing.processes[:3])}")

    @rule(Grade.BRONZE)
    def test_it_can_be_listed_again(self, listing: Listing) -> None:
        """A second host in the same process gets the same parts."""
        again = PluginHost([listing.candidate], listing.settings).plugins()[0]
        require(again == listing.description, f"the second time it is {again.state} {again.reason}".strip())

    @rule(Grade.SILVER)
    def test_listing_imports_nothing_heavy(self, listing: Listing) -> None:
        """No numerical library but numpy: models are imported in factories."""
        require(not listing.heavy, f"listing it imports {', '.join(listing.heavy)}")

    @rule(Grade.SILVER)
    def test_listing_prints_nothing(self, listing: Listing) -> None:
        """Neither to standard output nor to standard error."""
        require(not listing.printed, f"listing it printed {listing.printed[:100]!r}")

    @rule(Grade.SILVER)
    def test_listing_leaves_the_process_as_it_was(self, listing: Listing) -> None:
        """No working directory, variable, signal handler, random state or library switch is changed."""
        require(not listing.changed, listing.changed)

    @rule(Grade.SILVER)
    def test_listing_leaves_no_thread(self, listing: Listing) -> None:
        """Threads are started where there is work for them."""
        require(not listing.threads, f"threads are left: {', '.join(sorted(listing.threads))}")

    @rule(Grade.SILVER)
    def test_settings_are_validated(self, listing: Listing) -> None:
        """A key that does not exist in the plugin's table is refused with a message, by a model of the plugin's."""
        sections = _sections_read(listing)
        if not sections:
            raise not_applicable("it reads no settings while it is listed")
        for section in sections:
            table = {**listing.settings.plugins.get(section, {}), _NO_SUCH_KEY: 1}
            settings = Settings(plugins={**listing.settings.plugins, section: table})
            described = PluginHost([listing.candidate], settings).plugins()[0]
            refused = described.state is PluginState.FAILED and _NO_SUCH_KEY in described.reason
            require(refused, f"[plugins.{section}] {_NO_SUCH_KEY} = 1 was taken; read the table with a pydantic model")

    @rule(Grade.GOLD)
    def test_listing_is_quick(self, listing: Listing) -> None:
        """In processor time: every start of mien waits for it."""
        took = listing.cpu_seconds
        require(took <= MAX_LISTING_SECONDS, f"listing it took {took:.1f} s of processor time")

    @rule(Grade.GOLD)
    def test_it_states_the_contracts_version(self, listing: Listing) -> None:
        """``MIEN_API_VERSION`` is there, so that a later mien knows what the plugin was written for."""
        source = listing.candidate.source
        plugin = source.load() if isinstance(source, EntryPoint) else source
        require(hasattr(plugin, "MIEN_API_VERSION"), "it lacks MIEN_API_VERSION")

    @rule(Grade.GOLD)
    def test_parts_say_what_they_are(self, listing: Listing) -> None:
        """Each has a version and a description of one line."""
        for kind, name, info in _parts(listing):
            for field in ("version", "description"):
                value = str(getattr(info, field, "")).strip()
                require(bool(value), f"{kind} {name!r}: info.{field} is empty")
                require("\n" not in value, f"{kind} {name!r}: info.{field} has more than one line")

    @rule(Grade.GOLD)
    def test_the_package_says_who_may_use_it(self, listing: Listing) -> None:
        """The distribution names its licence, its version and what it is, in a line."""
        found = _metadata(listing)
        if found is None:
            raise not_applicable("it is not installed as a distribution")
        licensed = "License-Expression" in found or "License" in found
        classified = any(each.startswith("License ::") for each in found.get_all("Classifier") or [])
        require(licensed or classified, "the distribution's metadata names no licence")
        require("Summary" in found, "the distribution's metadata has no description")

    @rule(Grade.GOLD)
    def test_weights_come_with_a_card(self, listing: Listing) -> None:
        """Whoever brings weights brings their licence and how they were made: a manifest, or a file with ``CARD``."""
        weights = [
            f"{kind} {name!r}"
            for kind, name, info in _parts(listing)
            if getattr(info, "weights_license", "none") != "none"
        ]
        if not weights:
            raise not_applicable("no part of it has weights")
        folder = _folder(listing)
        require(
            folder is not None and any(_cards(folder)),
            f"{weights[0]} has weights, and there is no manifest (mien.Manifest) and no *CARD*.md beside the code",
        )


def _sections_read(listing: Listing) -> tuple[str, ...]:
    context: Any = listing.host.context
    return tuple(sorted(context.sections_read))


def _parts(listing: Listing) -> Iterator[tuple[str, str, Any]]:
    for kind, part_type in PART_TYPES.items():
        for name in getattr(listing.description, part_type.plural):
            yield kind.value, name, getattr(listing.host, part_type.plural)[name].info


def _metadata(listing: Listing) -> PackageMetadata | None:
    try:
        return metadata(listing.description.distribution or "")
    except (PackageNotFoundError, ValueError):
        return None


def _folder(listing: Listing) -> Path | None:
    """Where the plugin's package is."""
    source = listing.candidate.source
    if not isinstance(source, EntryPoint):
        return None
    spec = find_spec(source.module.partition(".")[0])
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _cards(folder: Path) -> Iterator[Path]:
    """Cards in the package or beside it, and manifests in the package."""
    yield from (path for place in (folder, folder.parent) for path in place.glob("*CARD*.md"))
    for count, path in enumerate(folder.rglob("*.json")):
        if count > _MAX_SEARCHED:
            return
        try:
            read_manifest(path)
        except WeightsError:
            continue
        yield path
