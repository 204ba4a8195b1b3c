"""Run by the soak in a process of its own: ``mien serve``'s server with fakes that take no time, or a little.

Arguments: settings as JSON, seconds that a picture takes. Prints the address; drains and ends on SIGTERM.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from service.support import fake_host, settings, voice_plugin

from mien import ImageFrame, Prediction, Sample
from mien.service.server import serve
from mien.testing import FakeAnalyzer, make_prediction


def main() -> None:
    chosen, seconds = settings(**json.loads(sys.argv[1])), float(sys.argv[2])

    def seen(sample: Sample) -> list[Prediction]:
        """What is seen follows from the picture's first pixel, so that an answer can be told from any other."""
        if seconds:
            time.sleep(seconds)
        assert isinstance(sample, ImageFrame)
        red, green, _ = (int(part) for part in sample.pixels[0, 0])
        return [make_prediction(satisfaction=(256 * red + green) / 65_535, at=sample.captured_at)]

    host = fake_host(chosen, face=FakeAnalyzer("face", answer=seen), voice=voice_plugin(FakeAnalyzer("voice")))
    asyncio.run(serve(chosen, host, on_serving=lambda address: print(address, flush=True)))
    host.close()


if __name__ == "__main__":
    main()
