"""An option of a session has one name everywhere: on the wire, in the client, in the session and in the settings."""

from __future__ import annotations

from dataclasses import fields
from enum import StrEnum
from typing import Any, get_type_hints

import pytest

from mien import FusionContext
from mien.client import SessionOptions
from mien.config import Settings
from mien.session import ENUM_OPTIONS, CustomerPolicy, SessionConfig
from mien.session.config import SETTINGS
from mien.v1 import sentiment_pb2 as pb
from mien.wire.sessions import config_overrides, config_to_wire

NOT_THE_CALLERS = {
    "good_share",
    "good_threshold",
    "keep_ledger",
    "late_tolerance_seconds",
    "max_wrong_share",
    "min_confidence",
    "mismatch_pairs",
    "poor_share",
    "poor_threshold",
    "require_consent",
    "verdict_hysteresis",
}
"""Options that the operator sets, and nobody else."""

OF_ONE_SESSION = {"consent", "expected_modalities", "session_id", "site"}
"""Options that are about one interaction, so that the configuration has no key for them."""

NOT_OF_SESSIONS = {"deadline_seconds", "strict"}
"""Keys of the tables in ``SETTINGS`` that are no options of a session."""


def names_of(kind: type[Any]) -> set[str]:
    return {field.name for field in fields(kind)}


WIRE = {field.name for field in pb.SessionConfig.DESCRIPTOR.fields} - {"resume_token"}
"""All but what names a session that has its options already."""

KEYS = [name for table in SETTINGS for name in type(getattr(Settings(), table)).model_fields]


def test_a_caller_can_say_on_the_wire_what_the_client_offers() -> None:
    assert names_of(SessionOptions) == WIRE


def test_every_option_is_the_callers_or_the_operators() -> None:
    assert names_of(SessionConfig) == WIRE | NOT_THE_CALLERS
    assert not WIRE & NOT_THE_CALLERS


def test_every_option_has_a_key_of_the_settings_or_is_of_one_session() -> None:
    assert len(KEYS) == len(set(KEYS)), "two tables have a key in common"
    assert set(KEYS) - NOT_OF_SESSIONS == names_of(SessionConfig) - OF_ONE_SESSION


def test_a_fuser_is_told_by_the_same_names() -> None:
    assert names_of(FusionContext) - names_of(SessionConfig) == {"expected", "now"}


def test_every_enum_is_read_by_its_words() -> None:
    hints = get_type_hints(SessionConfig) | {"customer_policy": CustomerPolicy}  # a plugin may add to these words
    assert {name for name, kind in hints.items() if isinstance(kind, type) and issubclass(kind, StrEnum)} == set(
        ENUM_OPTIONS
    )


OTHER: dict[str, Any] = {
    "session_id": "visit",
    "analyzers": ("face", "voice"),
    "fuser": "happy_share",
    "weights": {"face": 2.0},
    "consent": ENUM_OPTIONS["consent"]("given"),
    "snapshot_interval_seconds": 0.0,
    "max_snapshots": 7,
    "half_life_seconds": 3.0,
    "idle_timeout_seconds": 9.0,
    "customer_policy": ENUM_OPTIONS["customer_policy"]("all"),
    "new_customer": ENUM_OPTIONS["new_customer"]("restart"),
    "exclude_regions": ((0.0, 0.0, 0.5, 1.0),),
    "redact_transcript": True,
    "partials": True,
    "mismatch_policy": ENUM_OPTIONS["mismatch_policy"]("abstain"),
    "expected_modalities": frozenset({"face", "voice"}),
    "site": "till",
}


@pytest.mark.parametrize("name", sorted(WIRE))
def test_each_option_arrives_alone_and_as_it_was_sent(name: str) -> None:
    sent = config_to_wire({name: OTHER[name]}).SerializeToString()
    assert config_overrides(pb.SessionConfig.FromString(sent)) == {name: OTHER[name]}
    assert getattr(SessionConfig(**{name: OTHER[name]}), name) != getattr(SessionConfig(), name)


def test_a_word_that_a_newer_caller_knows_is_left_out() -> None:
    assert config_overrides(pb.SessionConfig(customer_policy=77, site="till")) == {"site": "till"}  # type: ignore[arg-type]
