"""Which frames of a sound are speech: Silero's network (v6, MIT), whose file comes with faster-whisper.

One network for all streams, a state for each. Measured against WebRTC's detector by ``benchmarks/voice_pipeline.py``.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import PluginError
from mien_voice.audio import SAMPLE_RATE

FRAME: Final = 512
"""Samples of a frame, 32 ms: what the network is trained on."""

FRAME_SECONDS: Final = FRAME / SAMPLE_RATE

_CONTEXT: Final = 64  # samples before a frame that it is heard with
_STATE: Final = (1, 1, 128)
_FILE: Final = Path("assets", "silero_vad_v6.onnx")


class SpeechDetector:
    """Listens to one stream of sound, 16 kHz mono, frame by frame. Used by one thread at a time."""

    def __init__(self) -> None:
        self._network = network()
        self._hidden = np.zeros(_STATE, np.float32)
        self._cell = np.zeros(_STATE, np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)

    def probabilities(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """How likely each of the next frames is speech.

        Args:
            samples: ``[frames x FRAME]``, following what was given before.

        Returns:
            ``[frames]``, each in [0, 1].
        """
        frames = samples.reshape(-1, FRAME)
        if not len(frames):
            return np.zeros(0, np.float32)
        joined = np.concatenate([self._context, samples])
        heard = np.lib.stride_tricks.sliding_window_view(joined, _CONTEXT + FRAME)[::FRAME]  # [frames, context + frame]
        found, self._hidden, self._cell = self._network.run(
            None, {"input": np.ascontiguousarray(heard, np.float32), "h": self._hidden, "c": self._cell}
        )
        self._context = samples[-_CONTEXT:].copy()
        return np.asarray(found, np.float32).reshape(-1)


@cache
def network() -> Any:
    """The network, loaded once: an ``onnxruntime.InferenceSession`` on one thread.

    Raises:
        PluginError: Its file is missing or damaged.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    path = _path()
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common type
        raise PluginError(
            f"the voice activity network {path} cannot be loaded; pip install --force-reinstall 'faster-whisper>=1.2.1'"
        ) from error


def _path() -> Path:
    """Where the file is; faster-whisper is not imported for it."""
    found = find_spec("faster_whisper")
    folders = found.submodule_search_locations if found is not None else None
    return Path(next(iter(folders or [""]))) / _FILE
