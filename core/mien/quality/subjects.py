"""What each suite is run on: the parts that a plugin registers, with samples to try them with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from mien.interfaces import Analyzer
from mien.plugins.host import PluginHost
from mien.quality.listing import Listing
from mien.quality.material import Material
from mien.quality.measured import CheckedAnalyzer
from mien.quality.wholeplugin import PluginConformance
from mien.testing import (
    BackendConformance,
    CommandsConformance,
    Conformance,
    DetectorConformance,
    FuserConformance,
    SinkConformance,
    TranscriberConformance,
)
from mien.types import AudioClip, ImageFrame, SampleKind


@dataclass(frozen=True, slots=True)
class Subject:
    """One suite, and what its rules are run on.

    Attributes:
        part: For the report: ``analyzer smileys``.
        suite: Its suite.
        fixtures: Name -> makes the fixture; called when a rule first needs it.
    """

    part: str
    suite: type[Conformance]
    fixtures: Mapping[str, Callable[[], Any]]


def subjects(listing: Listing, material: Material, *, limits: Mapping[str, Any], odd_inputs: int) -> Iterator[Subject]:
    """The plugin as a whole, then each of its parts.

    Args:
        listing: The plugin as it was listed.
        material: What to try it with.
        limits: Attributes of every suite, such as ``seconds``.
        odd_inputs: How many an analyzer is to survive.
    """
    yield Subject("plugin", _limited(PluginConformance, limits), {"listing": lambda: listing})
    described = listing.description
    host = _enabled(listing)
    for name in described.analyzers:
        info = host.analyzers[name].info
        yield Subject(
            f"analyzer {name}",
            _limited(CheckedAnalyzer, {**limits, "odd_inputs": odd_inputs, "measured": {}}),
            {
                "analyzer": partial(_warm, host, name),
                "info": partial(_same, info),
                "samples": partial(material.of_kinds, info.accepts),
                "labelled": lambda: material.labelled,
            },
        )
    for name in described.fusers:
        ignores = host.fusers[name].info.ignores
        yield Subject(
            f"fuser {name}",
            _limited(FuserConformance, {**limits, "ignores": ignores}),
            {"fuser": partial(host.fuser, name)},
        )
    for name in described.detectors:
        yield Subject(
            f"detector {name}",
            _limited(DetectorConformance, limits),
            {"make_detector": partial(_same, partial(host.detector, name)), "pictures": partial(_pictures, material)},
        )
    for name in described.backends:
        make = partial(host.backend, name)
        yield Subject(f"backend {name}", _limited(BackendConformance, limits), {"make_backend": partial(_same, make)})
    for name in described.sinks:
        sink = partial(_new_sink, listing, name)
        yield Subject(f"sink {name}", _limited(SinkConformance, limits), {"make_sink": partial(_same, sink)})
    for name in described.transcribers:
        yield Subject(
            f"transcriber {name}",
            _limited(TranscriberConformance, limits),
            {"transcriber": partial(host.transcriber, name), "speech": partial(_speech, material)},
        )
    if _has_commands(host):
        yield Subject(
            "commands", _limited(CommandsConformance, limits), {"add_commands": lambda: host.register_commands}
        )


def _limited(suite: type[Any], attributes: Mapping[str, Any]) -> type[Conformance]:
    made: type[Conformance] = type(suite.__name__, (suite,), dict(attributes))
    return made


def _same(value: Any) -> Any:
    return value


def _enabled(listing: Listing) -> PluginHost:
    """A host whose analyzers are all enabled, those among them that have to be asked for."""
    analyzers = listing.description.analyzers
    engine = listing.settings.engine.model_copy(update={"analyzers": analyzers})
    return PluginHost([listing.candidate], listing.settings.model_copy(update={"engine": engine}))


def _warm(host: PluginHost, name: str) -> Analyzer:
    analyzer = host.analyzer(name)
    analyzer.warm_up()
    return analyzer


def _new_sink(listing: Listing, name: str) -> Any:
    return PluginHost([listing.candidate], listing.settings).sink(name)


def _pictures(material: Material) -> list[Any]:
    return [each.pixels for each in material.of_kinds(frozenset({SampleKind.IMAGE})) if isinstance(each, ImageFrame)]


def _speech(material: Material) -> AudioClip:
    clips = [each for each in material.of_kinds(frozenset({SampleKind.AUDIO})) if isinstance(each, AudioClip)]
    return clips[0]


def _has_commands(host: PluginHost) -> bool:
    import typer

    app = typer.Typer()
    host.register_commands(app)
    return bool(app.registered_commands or app.registered_groups)
