"""What listing a plugin does to its process, recorded where nothing else has been loaded yet."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mien.config import Settings
from mien.plugins.discovery import Candidate
from mien.plugins.host import PluginHost
from mien.plugins.registry import PluginDescription
from mien.testing.commands import HEAVY_MODULES
from mien.testing.surroundings import left_alone

_NETWORK = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind"})
_PROCESSES = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "os.exec"})


@dataclass(slots=True)
class Listing:
    """A host with the plugin alone, and what happened while it was made.

    Attributes:
        candidate: The plugin.
        settings: Of the host.
        host: Holds the plugin.
        heavy: Modules of numerical libraries that were imported.
        printed: What came out on standard output and standard error.
        changed: What of the surroundings was changed, a sentence; empty where nothing was.
        network: What was asked of the network.
        processes: What was started.
        threads: Names of threads that were left running.
        cpu_seconds: Processor time of it.
    """

    candidate: Candidate
    settings: Settings
    host: PluginHost
    heavy: tuple[str, ...] = ()
    printed: str = ""
    changed: str = ""
    network: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    cpu_seconds: float = 0.0

    @property
    def description(self) -> PluginDescription:
        """What the host says of the plugin."""
        return self.host.plugins()[0]


@dataclass(slots=True)
class _Ear:
    """What the interpreter's audit events told while somebody listened."""

    listening: bool = False
    heard: list[tuple[str, str]] = field(default_factory=list)

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.listening and event in _NETWORK | _PROCESSES:
            self.heard.append((event, f"{event}({', '.join(map(repr, arguments[1:2] or arguments[:1]))})"))

    def told(self, events: frozenset[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(text for event, text in self.heard if event in events))


def record_listing(candidate: Candidate, settings: Settings) -> Listing:
    """List the plugin, as every start of mien does. Can be done once in a process: hooks for audits stay for ever."""
    PluginHost([], settings)  # whatever of mien's own is imported for a host does not count
    ear = _Ear()
    sys.addaudithook(ear.hear)
    modules, threads = set(sys.modules), set(threading.enumerate())
    changed = ""
    host: PluginHost | None = None
    with _captured() as output:
        began = time.process_time()
        ear.listening = True
        try:
            with left_alone("listing it"):
                host = PluginHost([candidate], settings)
        except AssertionError as error:
            changed = str(error)
        finally:
            ear.listening = False
        took = time.process_time() - began
    if host is None:
        raise RuntimeError("no host could be made")
    return Listing(
        candidate=candidate,
        settings=settings,
        host=host,
        heavy=tuple(sorted(HEAVY_MODULES & (set(sys.modules) - modules))),
        printed=output.text,
        changed=changed,
        network=ear.told(_NETWORK),
        processes=ear.told(_PROCESSES),
        threads=tuple(
            each.name for each in set(threading.enumerate()) - threads if not each.name.startswith("mien-plugin-")
        ),
        cpu_seconds=took,
    )


@dataclass(slots=True)
class _Output:
    text: str = ""


@contextmanager
def _captured() -> Iterator[_Output]:
    """Take what is written to the process's standard output and standard error, by native code as well."""
    output = _Output()
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as file:
        kept = [os.dup(1), os.dup(2)]
        try:
            for descriptor in (1, 2):
                os.dup2(file.fileno(), descriptor)
            yield output
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for descriptor, original in zip((1, 2), kept, strict=True):
                os.dup2(original, descriptor)
                os.close(original)
            file.seek(0)
            output.text = file.read(4000).decode(errors="replace")
