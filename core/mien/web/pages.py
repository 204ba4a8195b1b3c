"""What a browser is served: the kiosk page, its settings, the snippet ``mien.js``, and the contract to read."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from mien.errors import ConfigError
from mien.web.openapi import document
from mien.web.statuses import error_json, http_status_of, refusal, status_of
from mien.websettings import FACES, LOGO_TYPES, KioskPageSettings

STATIC: Final = Path(__file__).with_name("static")
LOGO_PATH: Final = "/v1/kiosk/logo"
MAX_LOGO_BYTES: Final = 1 << 20
_REVALIDATE: Final = {"cache-control": "no-cache"}

for suffix, media_type in {".js": "text/javascript", ".mjs": "text/javascript", ".svg": "image/svg+xml"}.items():
    mimetypes.add_type(media_type, suffix)  # some systems' tables lack them, and browsers run no script of another type


class Pages:
    """The endpoints of a browser."""

    def __init__(self, settings: KioskPageSettings) -> None:
        """Read the logo.

        Raises:
            ConfigError: It cannot be read, or is too large for a page.
        """
        self._settings = settings
        self._logo = b"" if settings.logo is None else _read_logo(settings.logo)

    async def kiosk(self, request: Request) -> Response:
        """``GET /v1/kiosk``: the page's settings."""
        return JSONResponse(page_settings(self._settings))

    async def logo(self, request: Request) -> Response:
        """``GET /v1/kiosk/logo``."""
        if self._settings.logo is None:
            return not_found()
        media = LOGO_TYPES[self._settings.logo.suffix.lower()]
        return Response(self._logo, media_type=media, headers=_REVALIDATE)

    async def index(self, request: Request) -> Response:
        """``GET /``: the kiosk page."""
        return _file("index.html")

    async def script(self, request: Request) -> Response:
        """``GET /mien.js``: the web component and the API for an integrator's own page."""
        return _file("mien.js")

    async def docs(self, request: Request) -> Response:
        """``GET /docs``: the contract, to read; works offline."""
        return _file("docs.html")

    async def openapi(self, request: Request) -> Response:
        """``GET /openapi.json``."""
        return JSONResponse(document(), headers=_REVALIDATE)


class Static(StaticFiles):
    """The package's files, which a browser asks about anew each time, so that an update shows at once."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    def file_response(self, full_path: Any, stat_result: Any, scope: Scope, status_code: int = 200) -> Response:
        """The file."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = _REVALIDATE["cache-control"]
        return response


def page_settings(settings: KioskPageSettings) -> dict[str, Any]:
    """What the page is told: all of ``[web.kiosk]``, with the logo's address and each face's rating."""
    told = settings.model_dump(mode="json")
    told["logo"] = "" if settings.logo is None else LOGO_PATH
    told["rating"]["faces"] = list(FACES[settings.rating.faces])
    return told


def not_found() -> Response:
    """Nothing is at that address."""
    status = status_of(
        refusal("there is nothing at this address; /docs tells what there is", code="NOT_FOUND", reason="NOT_FOUND"),
        where="a page",
    )
    return JSONResponse(error_json(status), http_status_of(status))


def _file(name: str) -> Response:
    path = STATIC / name
    return FileResponse(path, headers=_REVALIDATE) if path.is_file() else not_found()


def _read_logo(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read logo under [web.kiosk], {path}: {error.strerror}") from error
    if len(data) > MAX_LOGO_BYTES:
        raise ConfigError(f"logo under [web.kiosk], {path}, has {len(data)} bytes; at most {MAX_LOGO_BYTES} are taken")
    return data
