"""Runs analyzers on samples and fuses what they say: batched, with deadlines, and without any transport."""

from mien.engine.engine import Engine
from mien.engine.execution import Outcome
from mien.engine.requests import AnalysisRequest
from mien.engine.standing import Standing

__all__ = ["AnalysisRequest", "Engine", "Outcome", "Standing"]
