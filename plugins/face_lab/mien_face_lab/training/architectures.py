"""Sizes of the networks of the shipped kind, by what they are called. Numbers only."""

from __future__ import annotations

from typing import Final

from mien_face.config import NetworkConfig

TINY: Final = NetworkConfig(stem=24, widths=(24, 48, 112), depths=(1, 2, 2), dropout=0.1)
"""62 MFLOPs a face."""

SMALL: Final = NetworkConfig(stem=32, widths=(32, 64, 176), depths=(2, 2, 2), dropout=0.2)
"""149 MFLOPs: what is taken where nothing else is said. Many channels only where maps are small, which processors like,
and multiples of 16, which fill their registers."""

MIDDLE: Final = NetworkConfig(stem=48, widths=(48, 96, 192), depths=(2, 2, 2), dropout=0.2)
"""267 MFLOPs."""

WIDE: Final = NetworkConfig(stem=64, widths=(64, 128, 256), depths=(1, 2, 2), dropout=0.3)
"""389 MFLOPs: a step on the way to the large one."""

LARGE: Final = NetworkConfig(stem=64, widths=(64, 128, 256), depths=(2, 2, 2), dropout=0.3)
"""474 MFLOPs: ships under the name ``large``."""
