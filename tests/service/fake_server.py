"""Run by tests in a process of its own: ``mien serve``'s server with an analyzer that takes its time.

Arguments: the ready file, and seconds that each batch takes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from service.support import fake_host, settings

from mien import Prediction, Sample
from mien.service.server import serve
from mien.testing import FakeAnalyzer, make_prediction


def main() -> None:
    ready_file, seconds = Path(sys.argv[1]), float(sys.argv[2])

    def answer(sample: Sample) -> list[Prediction]:
        ready_file.with_suffix(".busy").touch()
        time.sleep(seconds)
        return [make_prediction()]

    chosen = settings()
    host = fake_host(chosen, face=FakeAnalyzer("face", answer=answer))
    asyncio.run(serve(chosen, host, on_serving=lambda address: ready_file.write_text(address) and None))
    host.close()
    sys.stdout.write("drained\n")


if __name__ == "__main__":
    main()
