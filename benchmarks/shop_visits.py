"""How visits to a counter are judged: composed from portraits of people and spoken sentences, run through the product.

    python benchmarks/shop_visits.py --fit plugins/fusion/mien_fusion/weights/visits.json
    python benchmarks/shop_visits.py --visits 20

``--fit`` asks the face analyzer about single composed pictures and the voice analyzer about sentences, draws
thousands of visits from what they say, and fits the model of the fuser ``fitted``. Without it, visits of the persons
and sentences that were kept for judging are rendered, pictures and sound, and run through live sessions with the
configurations of ``examples/kiosk`` as they ship; the table says what became of each kind, by ``weighted_sum`` and by
``fitted``.

``--sampled`` judges by visits that are drawn, as for the fit, instead of rendered ones: minutes become seconds.

It needs mien[voice,train] and, for rendered visits, flite or espeak-ng. What is kept of earlier runs lies in
``--cache``; it is told apart by the weights of the analyzers.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
from visits.evidence import Evidence, as_read, gather
from visits.measuring import Judged, judge_drawn, judge_rendered, show
from visits.model import fit_model, record_figures

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CACHE = Path("/tmp/mien-shop-visits")


def main() -> None:
    """Fit, or judge."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder with faces, goemotions, uss and speech")
    parser.add_argument("--cache", type=Path, default=CACHE, help="what was composed and asked before is kept here")
    parser.add_argument("--fit", type=Path, metavar="FILE", help="fit, write the model here, and judge drawn visits")
    parser.add_argument("--sampled", action="store_true", help="judge by drawn visits instead of rendered ones")
    parser.add_argument(
        "--as-read", action="store_true", help="of drawn visits: as if speech were heard without errors"
    )
    parser.add_argument("--visits", type=int, default=20, help="rendered visits of each kind")
    parser.add_argument("--model", type=Path, help="judge this model instead of the shipped one")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    judged: list[Judged]
    if options.fit or options.sampled:
        evidence: Evidence = gather(options.data, options.cache)
        if options.as_read:
            evidence = as_read(evidence)
        if options.fit:
            fit_model(evidence, options.fit)
        judged = judge_drawn(evidence, options.fit or options.model)
    else:
        judged = judge_rendered(options.data, options.cache, each=options.visits, model=options.model)
    if options.fit:
        record_figures(options.fit, {each.way: each.figures() for each in judged if each.fuser == "fitted"})
    show(judged)
    if options.json:
        options.json.write_text(json.dumps([each.to_json() for each in judged], indent=2) + "\n")


if __name__ == "__main__":
    main()
