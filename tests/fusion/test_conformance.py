"""The suite that a third party's fuser passes, passed by ours."""

from __future__ import annotations

import pytest

from mien import Fuser
from mien.testing import FuserConformance
from mien_fusion import plugin
from mien_fusion.fitted import Fitted
from mien_fusion.happy_share import HappyShare
from mien_fusion.visitmodel import shipped_model
from mien_fusion.weighted_sum import WeightedSum


class TestWeightedSum(FuserConformance):
    @pytest.fixture
    def fuser(self) -> Fuser:
        return WeightedSum()


class TestFitted(FuserConformance):
    ignores = plugin.FITTED.ignores

    @pytest.fixture
    def fuser(self) -> Fuser:
        return Fitted(shipped_model())


class TestHappyShare(FuserConformance):
    ignores = plugin.HAPPY_SHARE.ignores

    @pytest.fixture
    def fuser(self) -> Fuser:
        return HappyShare()
