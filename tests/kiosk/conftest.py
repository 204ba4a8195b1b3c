"""Fixtures of the kiosk's tests; the fakes are in ``support``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from kiosk.support import Bench, FaceAnalyzer, hear_words, see_face

from mien import Analyzer, SampleKind
from mien.config import Settings
from mien.engine import Engine
from mien.plugins.host import PluginHost
from mien.session import Consent, SessionConfig
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    opened: list[Engine] = []

    def make(
        *,
        with_voice: bool = True,
        voice_modality: str = "voice",
        voice_kind: type[FakeAnalyzer] = FakeAnalyzer,
        seers: Mapping[str, Analyzer] | None = None,
        **options: object,
    ) -> Bench:
        face, voice = FaceAnalyzer("face", answer=see_face), voice_kind(voice_modality, answer=hear_words)
        analyzers = {"face": (analyzer_info("face"), lambda: face)}
        if seers is not None:  # others see in the face's place, each with a modality of its own name
            analyzers = {name: (analyzer_info(name), lambda seer=seer: seer) for name, seer in seers.items()}
        if with_voice:
            analyzers["voice"] = (analyzer_info(voice_modality, SampleKind.AUDIO), lambda: voice)
        plugins = {
            "fake": FakePlugin(analyzers=analyzers),
            "fusion": FakePlugin(fusers={"fitted": FakeFuser}),
        }
        settings = Settings()
        host = PluginHost.from_plugins(plugins, settings)
        engine = Engine(host, settings)
        opened.append(engine)
        given = {"consent": Consent.NOTICE_SHOWN, "require_consent": True, "idle_timeout_seconds": 5.0, **options}
        return Bench(engine, host, settings, face, voice, SessionConfig.from_settings(settings, **given))

    yield make
    for engine in opened:
        engine.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture(scope="session")
def portrait_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a real face that sways a little, 320 x 240, without sound."""
    cv2 = pytest.importorskip("cv2")
    data = pytest.importorskip("skimage.data", reason="the portrait comes with scikit-image")
    path = tmp_path_factory.mktemp("video") / "portrait.avi"
    face = cv2.resize(cv2.cvtColor(data.astronaut()[:256, 100:356], cv2.COLOR_RGB2BGR), (200, 200))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5.0, (320, 240))
    for index in range(20):
        canvas = np.full((240, 320, 3), 128, np.uint8)
        left = 50 + index
        canvas[20:220, left : left + 200] = face
        writer.write(canvas)
    writer.release()
    return path
