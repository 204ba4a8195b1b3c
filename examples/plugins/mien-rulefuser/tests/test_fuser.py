"""The fuser keeps mien's contract, and does what it is for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mien import FusionContext, PluginHost, PluginState, Satisfaction, Verdict, parse_settings
from mien.testing import FuserConformance, make_prediction, read_settings
from mien_rulefuser import plugin
from mien_rulefuser.fuser import RuleFuser
from mien_rulefuser.settings import PluginSettings


class TestConformance(FuserConformance):
    ignores = plugin.INFO.ignores

    @pytest.fixture
    def fuser(self) -> RuleFuser:
        return RuleFuser(PluginSettings())


RUDE = {"label": "sad", "share": 0.3, "at_most": 0.3}


class TestConformanceWithRules(FuserConformance):
    """Rules bound the score; the contract holds all the same."""

    @pytest.fixture
    def fuser(self) -> RuleFuser:
        return RuleFuser(read_settings(PluginSettings, {"rules": [{**RUDE, "label": "surprised"}]}))


def fused(rules: list[dict[str, object]], *satisfactions: float) -> Satisfaction:
    fuser = RuleFuser(read_settings(PluginSettings, {"rules": rules}))
    return fuser.fuse([make_prediction(satisfaction=each) for each in satisfactions], FusionContext())


def test_without_rules_it_is_the_mean() -> None:
    assert fused([], 0.9, 0.7).score == pytest.approx(0.8)
    assert fused([], 0.9).verdict is Verdict.GOOD


def test_a_rule_caps_the_score_from_its_share_on() -> None:
    assert fused([RUDE], 0.9, 0.9, 0.1).score == pytest.approx(1.9 / 3)  # sad is 0.8 of one in three
    assert fused([RUDE], 0.9, 0.1).score == 0.3
    assert fused([RUDE], 0.9, 0.1).verdict is Verdict.POOR


def test_the_last_rule_has_the_last_word() -> None:
    kind = {"label": "happy", "share": 0.3, "at_least": 0.8}
    assert fused([RUDE, kind], 0.9, 0.1).score == 0.8
    assert fused([kind, RUDE], 0.9, 0.1).score == 0.3


def test_a_rule_may_be_for_one_modality() -> None:
    fuser = RuleFuser(read_settings(PluginSettings, {"rules": [{**RUDE, "modality": "text"}]}))
    seen, said = make_prediction(satisfaction=0.1), make_prediction("text", satisfaction=0.9)
    assert fuser.fuse([seen, said], FusionContext()).score == pytest.approx(0.5)
    assert fuser.fuse([replace(seen, modality="text"), said], FusionContext()).score == 0.3


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"label": "sad"}, "needs at_least or at_most"),
        ({"label": "sad", "at_least": 0.8, "at_most": 0.2}, "is above at_most"),
        ({"label": "sad", "at_most": 0.2, "shares": 0.1}, "shares"),
        ({"at_most": 0.2}, "label"),
    ],
)
def test_wrong_rules_are_told(rule: dict[str, object], message: str) -> None:
    settings = parse_settings({"plugins": {plugin.NAME: {"rules": [rule]}}})
    (described,) = PluginHost.from_plugins({plugin.NAME: plugin}, settings).plugins()
    assert described.state is PluginState.FAILED
    assert message in described.reason
