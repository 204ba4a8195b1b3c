"""``mien kiosk``: follows customers with a camera and perhaps a microphone. Options only; see ``mien.kiosk``."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.state import CliState, state_of
from mien.errors import ConfigError

if TYPE_CHECKING:
    from mien.interfaces import KioskView
    from mien.kiosk import Brain, Feed
    from mien.live import Event
    from mien.plugins.sinks import Sinks
    from mien.session import Consent, SessionConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """What the command line said."""

    server: str
    camera: int | None
    microphone: str
    video: Path | None
    audio: Path | None
    consent: Consent
    once: bool
    fast: bool
    view: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """Where the kiosk's results come from."""

    source: str
    site: str
    is_recording: bool


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("kiosk")(_kiosk)


def _kiosk(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Configuration, a TOML file.", show_default=False)
    ] = None,
    server: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Analyse on this 'mien serve' instead of here.", show_default=False)
    ] = "",
    camera: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Camera; 'mien devices' lists them.", show_default=False)
    ] = None,
    microphone: Annotated[
        str, typer.Option(metavar="NAME", help="Microphone; 'mien devices' lists them.", show_default=False)
    ] = "",
    video: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A video in the place of the camera.", show_default=False)
    ] = None,
    audio: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --video: a sound file to hear; else the video's own sound track is taken.",
            show_default=False,
        ),
    ] = None,
    consent: Annotated[
        str,
        typer.Option(metavar="notice_shown|given", help="What people here have been told.", show_default=False),
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="End after the first customer.")] = False,
    fast: Annotated[bool, typer.Option("--fast", help="Take files as fast as they are analysed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines; as --view json.")] = False,
    view: Annotated[
        str,
        typer.Option(metavar="NAME", help="How to show it: terminal, lines, json or a plugin's.", show_default=False),
    ] = "",
) -> None:
    """Follow customers with a camera and, where the configuration enables it, a microphone, until Ctrl-C.

    Exit code 0: ended. 1: the camera, a file or the server cannot be used. 2: wrong usage, or no consent.
    """
    state = state_of(context)
    if config is not None:
        state.config = config
    options = _Options(
        server=server,
        camera=camera,
        microphone=microphone,
        video=video,
        audio=audio,
        consent=_consent(consent or state.settings.kiosk.consent),
        once=once,
        fast=fast,
        view=_view_name(view, state.settings.kiosk.view, as_json=as_json),
    )
    _check(options)
    _check_view(options.view, state)
    session = _session_config(state, options)
    asyncio.run(_run(state, options, session))


def _consent(value: str) -> Consent:
    from mien.session import Consent

    try:
        return Consent(value)
    except ValueError:
        raise typer.BadParameter(f"expected notice_shown or given, got {value!r}", param_hint="--consent") from None


def _check(options: _Options) -> None:
    if options.audio is not None and options.video is None:
        raise typer.BadParameter("--audio goes with --video")
    if options.video is not None and (options.camera is not None or options.microphone):
        raise typer.BadParameter("--video stands in for camera and microphone; give one or the other")
    if options.fast and (options.video is None or options.server):
        raise typer.BadParameter("--fast goes with --video, and without --server")


def _session_config(state: CliState, options: _Options) -> SessionConfig:
    """The options of every session; a kiosk asks for a consent unless its configuration says that it need not.

    Raises:
        ConfigError: A consent is needed, and none was given.
    """
    from mien.session import Consent, SessionConfig

    privacy = state.settings.privacy
    required = privacy.require_consent or "require_consent" not in privacy.model_fields_set
    if required and options.consent is Consent.UNSPECIFIED:
        raise ConfigError(
            "people must be told before a kiosk follows them: put up the notice (docs/kiosk.md has its words), then "
            'say so with --consent notice_shown, or with consent = "notice_shown" under [kiosk] in the configuration'
            " ('given' where each one agreed)"
        )
    return SessionConfig.from_settings(
        state.settings,
        consent=options.consent,
        require_consent=required,
        site=state.settings.kiosk.site,
        partials=state.settings.session.partials or _shows_partials(state, options.view),
    )


def _shows_partials(state: CliState, view: str) -> bool:
    return state.settings.kiosk.partials and state.host.views[view].info.shows_partials


async def _run(state: CliState, options: _Options, session: SessionConfig) -> None:
    from mien.kiosk import Kiosk
    from mien.plugins.sinks import Sinks

    stop = asyncio.Event()
    _stop_on_signals(stop)
    brain = _brain(state, options)
    sinks = Sinks(state.host)
    view: KioskView | None = None
    feed: Feed | None = None
    try:
        await brain.start()
        feed = await _feed(state, options, session, hears=brain.hears)
        if state.settings.kiosk.rating_keys:
            feed = _with_taps(feed)
        view = _view(options, state, brain)
        kiosk = Kiosk(
            feed=feed,
            brain=brain,
            view=view,
            record=partial(_record, sinks, _origin(state, options, session)),
            config=session,
            once=options.once,
        )
        if not await kiosk.run(stop) and options.view != "json":
            view.close()
            typer.echo("nobody was seen", err=True)
    finally:
        if view is not None:
            view.close()
        if feed is not None:
            await feed.close()
        await brain.close()
        sinks.close()


def _with_taps(feed: Feed) -> Feed:
    from mien.kiosk.taps import keyboard

    taps = keyboard(feed)
    taps.listen()
    return taps


def _origin(state: CliState, options: _Options, session: SessionConfig) -> _Origin:
    from mien.cli.findings import printable

    if options.video is not None:
        return _Origin(source=printable(options.video), site=session.site, is_recording=True)
    return _Origin(source=f"camera {_camera(state, options)}", site=session.site, is_recording=False)


def _camera(state: CliState, options: _Options) -> int:
    return state.settings.kiosk.camera if options.camera is None else options.camera


def _record(sinks: Sinks, origin: _Origin, session_id: str, event: Event) -> None:
    """Show the sinks what holds a result."""
    from mien.live import provenance_of, result_of

    result = result_of(event)
    if result is not None:
        provenance = provenance_of(
            event,
            session_id=session_id,
            site=origin.site,
            source=origin.source,
            is_recording=origin.is_recording,
        )
        sinks.notify(result, provenance)


def _stop_on_signals(stop: asyncio.Event) -> None:
    """The first Ctrl-C or SIGTERM ends well, with a summary; a second one ends at once."""
    loop = asyncio.get_running_loop()

    def ask() -> None:
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask)


def _brain(state: CliState, options: _Options) -> Brain:
    if options.server:
        from mien.kiosk.remote import RemoteBrain

        analyzers = state.settings.engine.analyzers
        return RemoteBrain(options.server, analyzers=analyzers, consent=options.consent, settings=state.settings)
    from mien.kiosk.brain import LocalBrain

    return LocalBrain(state.engine, state.host, state.settings)


async def _feed(state: CliState, options: _Options, session: SessionConfig, *, hears: bool) -> Feed:
    if options.video is not None:
        from mien.kiosk.files import FileFeed, read_sound

        sound, troubles = read_sound(video=options.video, audio=options.audio) if hears else (None, ())
        return FileFeed(
            video=options.video,
            sound=sound,
            every=session.snapshot_interval_seconds,
            fast=options.fast,
            troubles=troubles,
        )
    from mien.kiosk.devices import DeviceFeed, open_camera
    from mien.media.microphone import Microphone

    settings = state.settings.kiosk
    index = _camera(state, options)
    named = options.microphone or settings.microphone
    device: str | int | None = int(named) if named.isdigit() else named or None
    open_microphone = partial(
        Microphone, device=device, queue_seconds=state.settings.limits.max_session_speech_queued_seconds
    )
    feed = DeviceFeed(
        camera=lambda: open_camera(index),
        camera_name=f"camera {index}",
        microphone=(lambda start_at: open_microphone(start_at=start_at)) if hears else None,
        every=session.snapshot_interval_seconds,
    )
    await feed.open()
    return feed


def _view_name(asked: str, configured: str, *, as_json: bool) -> str:
    """Which view, where ``--json`` and ``--view`` come before the configuration."""
    if as_json and asked not in ("", "json"):
        raise typer.BadParameter("--json is --view json; give one or the other")
    fitting = "terminal" if sys.stdout.isatty() else "lines"
    return "json" if as_json else asked or configured or fitting


def _check_view(name: str, state: CliState) -> None:
    """Before anything is loaded. Raises ConfigError where nobody has registered the view."""
    views = state.host.views
    if name not in views:
        raise ConfigError(
            f"there is no view {name!r} for --view, or for view under [kiosk]; known are: {', '.join(views)}"
        )


def _view(options: _Options, state: CliState, brain: Brain) -> KioskView:
    from mien.interfaces import ViewPlace

    followed = "face and voice" if brain.hears else "face"
    title = f"mien kiosk · {followed} · {brain.place}"
    place = ViewPlace(output=sys.stdout, title=title, seers=brain.seers, hears=brain.hears)
    return state.host.view(options.view, place)
