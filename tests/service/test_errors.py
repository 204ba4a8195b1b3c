"""Every error has one status, and the documentation tells each reason that a caller can meet."""

from __future__ import annotations

import re
from pathlib import Path

import grpc
import pytest

import mien.errors
from mien.errors import MienError
from mien.wire import status as errors

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core/mien"
INTERNAL_BY_DEFAULT = {MienError}


def classes() -> list[type[MienError]]:
    return [
        kind
        for module in (mien.errors, errors)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, MienError) and kind.__module__ == module.__name__
    ]


@pytest.mark.parametrize("kind", sorted(set(classes()) - {errors.RefusedError}, key=lambda kind: kind.__name__))
def test_every_error_has_a_status_of_its_own(kind: type[MienError]) -> None:
    mapped = [known for known, _ in errors._STATUS_OF]
    assert kind in mapped or kind in INTERNAL_BY_DEFAULT, f"say in mien.wire.status what {kind.__name__} is"


def test_a_child_stands_before_its_parent() -> None:
    mapped = [kind for kind, _ in errors._STATUS_OF]
    for index, kind in enumerate(mapped):
        assert not any(issubclass(later, kind) for later in mapped[index + 1 :])


def test_every_reason_is_documented() -> None:
    source = "".join(path.read_text() for room in ("service", "wire") for path in (CORE / room).glob("*.py"))
    reasons = {mapped.reason for _, mapped in errors._STATUS_OF} | set(re.findall(r'reason="([A-Z_]+)"', source))
    page = (ROOT / "docs/service.md").read_text()
    assert {"QUEUE_FULL", "DRAINING", "LOADING", "IDLE", "INTERNAL"} <= reasons
    for reason in sorted(reasons):
        assert f"`{reason}`" in page, f"docs/service.md does not tell of {reason}"


def test_a_status_says_when_to_try_again_and_which_field_is_wrong() -> None:
    retry = errors.to_status(errors.queue_full("full"))
    assert retry.code == errors.number_of(grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert [detail.TypeName() for detail in retry.details] == ["google.rpc.ErrorInfo", "google.rpc.RetryInfo"]
    wrong = errors.to_status(errors.InvalidFieldError("image.raw.width", "expected at least 1, got 0"))
    assert [detail.TypeName() for detail in wrong.details] == ["google.rpc.ErrorInfo", "google.rpc.BadRequest"]
    assert wrong.message == "image.raw.width: expected at least 1, got 0"
