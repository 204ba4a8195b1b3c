"""Who the customer is and what a kiosk shows: parts that the core registers itself, and plugins may."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Sequence
from typing import Any

import pytest

from mien import (
    AnalyzerNotFoundError,
    Box,
    ConfigError,
    CustomerChoice,
    CustomerPolicyInfo,
    FaceRegion,
    KioskView,
    Notice,
    NoticeKind,
    PluginError,
    PluginHost,
    Prediction,
    RegisterCustomerPolicy,
    RegisterView,
    TimeInterval,
    ViewInfo,
    ViewPlace,
    hookimpl,
    parse_settings,
)
from mien.session import Observation, Session, SessionConfig
from mien.testing import FakeFuser
from mien.types import SampleKind


def face(subject: str, *, x: float, side: float) -> Prediction:
    return Prediction(
        modality="face",
        emotions={"happy": 1.0},
        valence=1.0,
        satisfaction=0.9,
        confidence=0.9,
        interval=TimeInterval(0.0, 0.0),
        subject_id=subject,
        evidence=FaceRegion(box=Box(x, 0.0, side, side), quality=1.0, detection_score=1.0),
    )


LARGE, LEFT = face("large", x=200.0, side=100.0), face("left", x=0.0, side=50.0)


class Leftmost(CustomerChoice):
    """Whoever stands furthest to the left."""

    def __init__(self) -> None:
        self._subject_id = ""

    @property
    def subject_id(self) -> str:
        return self._subject_id

    def choose(self, faces: Sequence[Prediction], *, frame_size: tuple[int, int] | None, at: float) -> Collection[str]:
        places = {each.subject_id: each.evidence.box.x for each in faces if isinstance(each.evidence, FaceRegion)}
        self._subject_id = min(places, key=places.__getitem__, default="")
        return [self._subject_id]


class Numbers(Leftmost):
    """Answers what is no subject id."""

    def choose(self, faces: Sequence[Prediction], **_: Any) -> Any:
        return [3]


class Counting(KioskView):
    """Says how often nobody was there."""

    def __init__(self, place: ViewPlace) -> None:
        self._place = place

    def waiting(self, now: float) -> None:
        self._place.output.write(f"{self._place.title}: waiting\n")

    def show(self, event: Any, now: float) -> None:
        self._place.output.write("something\n")


class Stranger:
    """A plugin with a policy and a view of its own."""

    def __init__(
        self, choice: Callable[[], CustomerChoice] = Leftmost, view: Callable[[ViewPlace], KioskView] = Counting
    ) -> None:
        self._choice = choice
        self._view = view

    @hookimpl
    def mien_register_customer_policies(self, register: RegisterCustomerPolicy) -> None:
        register("leftmost", CustomerPolicyInfo(version="1"), self._choice)

    @hookimpl
    def mien_register_views(self, register: RegisterView) -> None:
        register("count", ViewInfo(version="1"), self._view)


def test_the_core_registers_its_own_and_no_plugin_is_listed_for_them() -> None:
    host = PluginHost.from_plugins({})
    assert list(host.customer_policies) == ["all", "primary"]
    assert list(host.views) == ["json", "lines", "terminal"]
    assert {entry.plugin for entry in (*host.views.values(), *host.customer_policies.values())} == {"mien"}
    assert host.plugins() == ()


def test_a_plugins_policy_says_whose_satisfaction_it_is() -> None:
    settings = parse_settings({"session": {"customer_policy": "leftmost"}})
    host = PluginHost.from_plugins({"stranger": Stranger()}, settings)
    config = SessionConfig.from_settings(settings)
    session = Session(config, FakeFuser(), host.customer_choice(config.customer_policy))
    state = session.push(Observation(kind=SampleKind.IMAGE, at=0.0, predictions=(LARGE, LEFT), frame_size=(300, 200)))
    assert state.subject_id == "left"
    assert state.satisfaction.contributions["face"].samples == 1


def test_a_policy_that_nobody_has_is_an_error_that_lists_those_that_are() -> None:
    settings = parse_settings({"session": {"customer_policy": "tallest"}})
    with pytest.raises(ConfigError, match=r"customer_policy names 'tallest'.*known are: all, leftmost, primary"):
        PluginHost.from_plugins({"stranger": Stranger()}, settings)
    with pytest.raises(AnalyzerNotFoundError, match="no customer policy 'tallest'"):
        PluginHost.from_plugins({}).customer_choice("tallest")


def test_a_policy_that_answers_no_subject_ids_is_named() -> None:
    choice = PluginHost.from_plugins({"stranger": Stranger(Numbers)}).customer_choice("leftmost")
    with pytest.raises(PluginError, match=r"customer policy 'leftmost'.*not a collection of subject ids"):
        choice.choose([LARGE], frame_size=None, at=0.0)


def test_a_plugins_view_shows_what_happens() -> None:
    output = io.StringIO()
    view = PluginHost.from_plugins({"stranger": Stranger()}).view("count", ViewPlace(output=output, title="till"))
    view.waiting(0.0)
    view.close()
    assert output.getvalue() == "till: waiting\n"


class Broken(Counting):
    """Cannot show that nobody is there."""

    def waiting(self, now: float) -> None:
        raise SystemExit(3)


def test_a_view_that_raises_shows_less_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    output = io.StringIO()
    host = PluginHost.from_plugins({"stranger": Stranger(view=Broken)})
    view = host.view("count", ViewPlace(output=output, title="till"))
    view.waiting(0.0)
    view.waiting(1.0)
    view.show(Notice(kind=NoticeKind.STREAM, message="hello", at=1.0), 1.0)
    assert output.getvalue() == "something\n"
    assert len([record for record in caplog.records if "view 'count'" in record.getMessage()]) == 1


def test_the_cores_views_write_to_the_place_they_are_given() -> None:
    for name, expected in (("lines", "waiting for a customer"), ("json", "")):
        output = io.StringIO()
        PluginHost.from_plugins({}).view(name, ViewPlace(output=output, title="till")).waiting(0.0)
        assert expected in output.getvalue()
