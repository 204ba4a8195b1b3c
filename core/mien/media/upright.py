"""From a decoded frame of a video to what a person would see: whole fields, square pixels, upright, RGB."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_QUARTER: Final = 90
"""Degrees; a film's own turns are multiples of it, whatever its matrix could say."""

_MOST_STRETCH: Final = 4
"""Pixels wider or higher than so many to one are a mistake of the file's, not its shape."""


class Weaver:
    """Turns interlaced frames, two half pictures of two moments woven together, into whole ones; others pass.

    By FFmpeg's filter ``yadif``. Frames come out in order, the last of them by ``rest``.
    """

    def __init__(self) -> None:
        """Nothing is set up before the first interlaced frame."""
        self._graph: Any = None
        self._shape: tuple[Any, ...] = ()

    def push(self, frame: Any) -> Iterator[Any]:
        """Take a frame of the decoder; give out those that are whole."""
        shape = (frame.width, frame.height, frame.format.name, frame.time_base)
        if self._graph is not None and shape != self._shape:
            yield from self.rest()
        if self._graph is None:
            if not frame.interlaced_frame:
                yield frame
                return
            self._graph, self._shape = _deinterlacer(frame), shape
        self._graph.vpush(frame)
        try:
            while True:
                yield self._graph.vpull()
        except (BlockingIOError, EOFError):
            return

    def rest(self) -> Iterator[Any]:
        """What is still held back; the weaver is as new then."""
        graph, self._graph = self._graph, None
        if graph is None:
            return
        graph.vpush(None)
        try:
            while True:
                yield graph.vpull()
        except (BlockingIOError, EOFError):
            return


def rgb(frame: Any, pixel_shape: Fraction | None) -> npt.NDArray[np.uint8]:
    """A picture ``[height, width, 3]`` with square pixels, turned as its file asks for.

    Args:
        frame: ``av.VideoFrame``.
        pixel_shape: Width of a pixel by its height; None or 0 if unknown.
    """
    width, height = frame.width, frame.height
    stretch = pixel_shape or Fraction(1)
    if 1 / _MOST_STRETCH <= stretch <= _MOST_STRETCH:  # the shorter side grows, so that nothing is lost
        width, height = round(width * max(stretch, 1)), round(height / min(stretch, 1))
    pixels: npt.NDArray[np.uint8] = frame.to_ndarray(format="rgb24", width=width, height=height)
    turns = round(frame.rotation / _QUARTER) % 4  # against the clock, as numpy counts
    return np.ascontiguousarray(np.rot90(pixels, turns))


def _deinterlacer(frame: Any) -> Any:
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format.name, time_base=frame.time_base
    )
    graph.link_nodes(source, graph.add("yadif", "mode=send_frame:deint=interlaced"), graph.add("buffersink"))
    graph.configure()
    return graph
