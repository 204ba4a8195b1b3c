"""Who teaches and who learns in a term, how, and how its time is shared out. Numbers only."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from mien_face.config import NetworkConfig
from mien_face.labels import Head
from mien_face_lab.training import architectures
from mien_face_lab.training.school.course import Course
from mien_face_lab.training.school.pool import Shares

TEACHERS: Final = MappingProxyType(
    {
        "broad": NetworkConfig(stem=64, widths=(80, 160, 320), depths=(2, 2, 2), dropout=0.4),
        "deep": NetworkConfig(stem=64, widths=(64, 128, 256), depths=(2, 3, 3), dropout=0.4),
        "tall": NetworkConfig(stem=48, widths=(64, 128, 256, 384), depths=(2, 2, 2, 1), dropout=0.4),
    }
)
"""Networks that learn from labels alone, each with a seed of its own: they differ, and are better together."""

GIVEN: Final = "given"
"""The teacher that is there already: the weights that the pool's folder brings along."""

STUDENTS: Final = MappingProxyType(
    {
        "resnet-tiny": architectures.TINY,
        "resnet-small": architectures.SMALL,
        "resnet-middle": architectures.MIDDLE,
        "resnet-large": architectures.LARGE,
    }
)
"""What comes out; the last begins with the given weights."""

LARGE: Final = "resnet-large"

TEACHING: Final = Course(peak_rate=0.3)
LEARNING: Final = Course(peak_rate=0.3)
WARM: Final = Course(peak_rate=0.1)
"""For a student that begins with trained weights."""

SHARES: Final = Shares(teacher={Head.FER2013: 0.7, Head.FERPLUS: 0.5}, votes=0.3)

VIEWS: Final = 32
"""Views at most that teachers are asked about, beside the faces as they are."""

LEAST_VIEWS: Final = 4
"""Views that they are asked about even if that takes longer than it should."""

TEACHERS_END: Final = 0.40
ASKING_END: Final = 0.50
STUDENTS_END: Final = 0.955
"""Shares of all seconds at which the parts end."""


def student_seed(name: str) -> int:
    """Of a student's weights, order and changes; teachers have theirs from 100 on."""
    return 200 + list(STUDENTS).index(name)
