"""What the core itself registers, as a plugin does: customer policies and kiosk views. The host loads it first.

Importing this opens nothing; a view's module is imported when somebody asks for the view.
"""

from __future__ import annotations

from typing import Final

from mien import __version__
from mien.hookspecs import RegisterCustomerPolicy, RegisterView, hookimpl
from mien.interfaces import CustomerPolicyInfo, KioskView, ViewInfo, ViewPlace
from mien.session.customer import Everybody, PrimaryCustomer

MIEN_API_VERSION: Final = 1


@hookimpl
def mien_register_customer_policies(register: RegisterCustomerPolicy) -> None:
    """Register ``primary`` and ``all``."""
    register(
        "primary",
        CustomerPolicyInfo(version=__version__, description="the largest, most central face, held on to"),
        PrimaryCustomer,
    )
    register("all", CustomerPolicyInfo(version=__version__, description="everybody who is seen"), Everybody)


@hookimpl
def mien_register_views(register: RegisterView) -> None:
    """Register ``terminal``, ``lines`` and ``json``."""
    panel = ViewInfo(version=__version__, description="a panel that changes in place", shows_partials=True)
    register("terminal", panel, _terminal)
    register("lines", ViewInfo(version=__version__, description="a line for each thing that happened"), _lines)
    register("json", ViewInfo(version=__version__, description="a JSON object for each thing that happened"), _json)


def _terminal(place: ViewPlace) -> KioskView:
    from rich.console import Console

    from mien.kiosk.terminal import TerminalView

    console = Console(file=place.output, highlight=False)
    return TerminalView(console, title=place.title, seers=place.seers, hears=place.hears)


def _lines(place: ViewPlace) -> KioskView:
    from mien.kiosk.view import LineView

    return LineView(place.output)


def _json(place: ViewPlace) -> KioskView:
    from mien.kiosk.view import JsonView

    return JsonView(place.output)
