"""The pictures of the face toolkit. What they look like is decided in ``mien.plots``, for all plugins."""

from __future__ import annotations

from typing import Final

from mien import plots

__all__ = ["save_curves"]

save_curves: Final = plots.save_curves
"""Curves of a run: ``save_curves(path, {"training loss": [...], "accuracy": [...]}, title=..., measure=...)``."""
