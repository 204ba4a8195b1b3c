"""``mien analyze`` waits for an analysis however long it takes, and Ctrl-C ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from PIL import Image

STUCK = """
import signal, sys, threading
from mien.cli import main
from mien.plugins.host import PluginHost
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info

class Stuck(FakeAnalyzer):
    def analyze(self, samples):
        print("analysing", flush=True)
        threading.Event().wait()

face = {"face": (analyzer_info("face"), lambda: Stuck("face"))}
plugins = {"face": FakePlugin(analyzers=face), "fusion": FakePlugin(fusers={"fitted": FakeFuser})}

def discover(cls, settings, *, strict=False):
    return cls.from_plugins(plugins, settings, strict=strict)

PluginHost.discover = classmethod(discover)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores it
main()
"""


def test_ctrl_c_ends_an_analysis_that_never_comes_back(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    config = tmp_path / "mien.toml"
    config.write_text("[engine]\ndeadline_seconds = 0.001\n")
    command = [sys.executable, "-c", STUCK, "--config", str(config), "analyze", str(tmp_path / "a.png")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "analysing\n"
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
