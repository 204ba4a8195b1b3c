"""What the server logs looks like: one line each, for a person or for a machine, with the call that it belongs to."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from mien.config import ServerSettings
from mien.service.current import current_call

_LOGGER: Final = "mien"
"""Of everything that mien logs; libraries keep to warnings."""


def configure_logs(settings: ServerSettings) -> None:
    """Log to standard error as the settings say; may be called again, as on SIGHUP."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_with_call)
    handler.setFormatter(JsonLines() if settings.log_format == "json" else HumanLines())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(_LOGGER).setLevel(settings.log_level.upper())


class HumanLines(logging.Formatter):
    """``2026-01-31T12:00:00.000Z warning mien.service [id peer key] what happened``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback's where there is one."""
        fields = _call_fields(record)
        call = f" [{' '.join(fields.values())}]" if fields else ""
        return f"{_time(record)} {record.levelname.lower()} {record.name}{call} {record.getMessage()}"


class JsonLines(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``logger``, ``message``; of a call also its id, peer and key."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, always."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_call_fields(record),
        }
        return json.dumps(line, ensure_ascii=False)


def _with_call(record: logging.LogRecord) -> bool:
    """Note the call that the line belongs to; on the thread that logs, where it is known."""
    record.mien_call = current_call.get()
    return True


def _call_fields(record: logging.LogRecord) -> dict[str, str]:
    call = getattr(record, "mien_call", None)
    if call is None:
        return {}
    fields = {"request_id": call.request_id, "peer": call.peer}
    return {**fields, "key": call.caller} if call.caller else fields


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return f"{moment.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"
