"""A modality that mien has never heard of takes part from the microphone to the report, with no change to the core."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kiosk.support import Bench, FaceAnalyzer, see_face

import mien_fusion.plugin
import mien_prosody.plugin
import mien_records.plugin
from mien import AudioClip, PluginHost, Provenance, Sample, parse_settings
from mien.cli import main
from mien.engine import Engine
from mien.plugins.sinks import Sinks
from mien.session import Consent, SessionConfig
from mien.testing import FakeAnalyzer, FakePlugin, analyzer_info, make_image, make_speech


def visit() -> list[Sample]:
    """Six seconds of a face, and two of a voice in the middle, as a camera and a microphone give them."""
    sound = np.zeros(6 * 16_000, np.float32)
    sound[2 * 16_000 : 4 * 16_000] = make_speech().samples
    pieces = [AudioClip(sound[at : at + 1_600], 16_000, at / 16_000) for at in range(0, len(sound), 1_600)]
    return sorted(
        [*(make_image(200, captured_at=float(at)) for at in range(6)), *pieces], key=lambda each: each.captured_at
    )


@pytest.mark.parametrize("fuser", ["fitted", "weighted_sum"])
def test_a_third_modality_is_fused_counted_recorded_shown_and_reported(
    fuser: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.jsonl"
    settings = parse_settings(
        {
            "fusion": {"fuser": fuser, "weights": {"prosody": 0.5}},
            "plugins": {"records": {"jsonl": {"path": str(kept)}}},
        }
    )
    face = FaceAnalyzer("face", answer=see_face)
    host = PluginHost.from_plugins(
        {
            "faces": FakePlugin(analyzers={"face": (analyzer_info("face"), lambda: face)}),
            "fusion": mien_fusion.plugin,
            "prosody": mien_prosody.plugin,
            "records": mien_records.plugin,
        },
        settings,
    )
    engine = Engine(host, settings)
    config = SessionConfig(session_id="visit", fuser=fuser, consent=Consent.GIVEN, snapshot_interval_seconds=0.0)
    ran = Bench(engine, host, settings, face, FakeAnalyzer("voice"), replace(config, weights={"prosody": 0.5})).run(
        visit()
    )
    (summary,) = ran.seen.summaries
    assert set(summary.overall.contributions) == {"face", "prosody"}
    assert set(summary.modality_percentages["prosody"]) == {"animated", "even", "flat"}
    sinks = Sinks(host)
    for number in range(12):  # a report shows nothing of fewer than ten visits
        name = f"visit {number}"
        sinks.notify(replace(summary, session_id=name), Provenance(session_id=name))
    sinks.close()
    engine.close()
    page = tmp_path / "report.html"
    with pytest.raises(SystemExit) as leaving:
        main(["report", str(kept), "--html", str(page)])
    assert leaving.value.code == 0, capsys.readouterr().err
    assert "prosody" in page.read_text(encoding="utf-8").lower()
