"""Trains the published networks on the FER2013 split, and puts their figures beside the shipped network's.

    python benchmarks/reference_systems.py --data FER2013_FOLDER [--network NAME ...] [--minutes N] [--threads N]
        [--runs FOLDER]
    python benchmarks/reference_systems.py --render

Each network is trained by its published recipe for as long as ``--minutes`` of processor time allow, at most for its
published epochs. Several of these commands can run at once, for one network each.
The figures go to ``reference_systems.json`` beside this file, from which ``reference_systems.md`` is made; a later
run with the same ``--runs`` goes on where the last one ended, in the middle of an epoch if need be. With PyTorch
gradients are computed in bfloat16 where that is fast, else by JAX. Everything is measured on the validation part: the
test part is not used, and nothing is tuned.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, Final

import jax
import numpy as np
import numpy.typing as npt

from mien import load_weights
from mien_face.config import NetworkConfig
from mien_face.inference import ExpressionNetwork, softmax
from mien_face.labels import FER2013_LABELS
from mien_face_lab.evaluation import evaluate
from mien_face_lab.training.checkpoint import Checkpoints, Kind
from mien_face_lab.training.data import read_faces
from mien_face_lab.training.faces import FaceData
from mien_face_lab.training.schedule import Plateau
from mien_face_lab.training.zoo_engine import JaxZooEngine, ZooEngine
from mien_face_lab.training.zoo_learner import ZooLearner, ZooState
from mien_face_lab.training.zoo_recipes import PUBLISHED
from mien_face_lab.zoo.catalogue import ZOO, ZooNetwork
from mien_face_lab.zoo.classifier import network_input
from mien_face_lab.zoo.neighbours import KnnClassifier
from mien_face_lab.zoo.network import network_of

HERE: Final = Path(__file__).parent
FIGURES: Final = HERE / "reference_systems.json"
PAGE: Final = HERE / "reference_systems.md"
SHIPPED: Final = HERE.parent / "plugins/face/mien_face/weights/expression.json"
SEED: Final = 0
CALLS: Final = 40
"""Calls whose time is taken."""

Figures = dict[str, Any]


def main() -> None:
    """Train, measure, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with train.parquet and validation.parquet")
    parser.add_argument("--network", action="append", choices=[*ZOO, "knn", "shipped"], help="all if left away")
    parser.add_argument("--minutes", type=float, default=3.0, help="of processor time for training each network")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="that PyTorch computes with")
    parser.add_argument("--runs", type=Path, default=Path("runs/reference"), help="where unfinished runs are kept")
    parser.add_argument("--render", action="store_true", help="only make the page from the figures that are there")
    options = parser.parse_args()
    if not options.render:
        training, validation = (read_faces(options.data, part=part) for part in ("train", "validation"))
        for name in options.network or [*ZOO, "knn", "shipped"]:
            found = measure(
                name, training, validation, runs=options.runs, minutes=options.minutes, threads=options.threads
            )
            print(json.dumps({name: found}), flush=True)
            FIGURES.write_text(json.dumps(known_figures() | {name: found}, indent=2, sort_keys=True) + "\n")
    PAGE.write_text(page(known_figures()))


def known_figures() -> Figures:
    """What was measured so far, by name."""
    return json.loads(FIGURES.read_text()) if FIGURES.exists() else {}


def measure(
    name: str, training: FaceData, validation: FaceData, *, runs: Path, minutes: float, threads: int
) -> Figures:
    """Everything that is told of one network."""
    host = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    if name == "knn":
        return {**nearest_neighbours(training, validation), "host": host}
    if name == "shipped":
        return {**shipped(validation), "host": host}
    engine, computed_by = fastest_engine(ZOO[name], threads)
    found = trained(ZOO[name], engine, training, validation, runs=runs / name, minutes=minutes)
    return {**found, "computed_by": computed_by, "host": host}


def trained(
    network: ZooNetwork, engine: ZooEngine, training: FaceData, validation: FaceData, *, runs: Path, minutes: float
) -> Figures:
    """Train a network for some minutes more, and judge it."""
    labels = network.labels or FER2013_LABELS
    learner = ZooLearner(network, labels, PUBLISHED[network.name], engine)
    own = learner.select(training)
    state, spent = go_on(learner, own, learner.select(validation), Checkpoints(runs), seconds=60 * minutes)
    answers = np.zeros((len(validation), len(FER2013_LABELS)), np.float32)
    images = network_input(validation.crops, network.input_side)
    columns = [FER2013_LABELS.index(label) for label in labels]
    answers[:, columns] = softmax(engine.logits(state.arrays, images), temperature=1)
    parameters, statistics = network.parameters(len(labels))
    return {
        **quoted(answers, validation),
        "epochs": state.step / learner.steps(own),
        "recipe_epochs": PUBLISHED[network.name].epochs,
        "faces_a_second": state.step * learner.batch_size / spent,
        "minutes": spent / 60,
        "classes": len(labels),
        "parameters": parameters,
        "statistics": statistics,
        "mflops": network.operations(len(labels)) / 1e6,
        "ms_a_face": milliseconds(single_face(network, len(labels), state)),
        "published": network.published,
        "source": network.source,
    }


def go_on(
    learner: ZooLearner, training: FaceData, validation: FaceData, checkpoints: Checkpoints, *, seconds: float
) -> tuple[ZooState, float]:
    """Train until the time is up or the recipe's epochs are done; the state, and the processor seconds of all runs."""
    state, spent, plateau = learner.initial(SEED), 0.0, Plateau()
    settings = {**learner.describe(), "data": training.digest()}
    if checkpoints.epoch(Kind.LAST) is not None:
        state, about = checkpoints.load(Kind.LAST, state, settings=settings)
        spent, plateau = about["seconds"], Plateau(**about["plateau"])
    steps = learner.steps(training)
    total, started = steps * learner.epochs, time.process_time()
    while state.step < total and time.process_time() - started < seconds and not _impatient(learner, plateau):
        epoch, done = divmod(state.step, steps)
        for batch in islice(learner.batches(training, seed=SEED, epoch=epoch + 1), done, None):
            rate = learner.rate(step=state.step, steps=total, reductions=plateau.reductions)
            state, _ = learner.step(state, batch, rate=rate)
            if time.process_time() - started >= seconds:
                break
        if state.step % steps == 0:
            plateau = plateau.after(learner.judge(state, validation).loss, patience=learner.schedule.patience)
    spent += time.process_time() - started
    about = {"settings": settings, "seconds": spent, "plateau": _plain(plateau)}
    checkpoints.save(Kind.LAST, state, epoch=state.step, about=about)
    return state, spent


def nearest_neighbours(training: FaceData, validation: FaceData) -> Figures:
    """Fit and judge the baseline."""
    classifier = KnnClassifier.fit(training.crops, training.labels, training.names)
    return {
        **quoted(classifier.classify(validation.crops), validation),
        "ms_a_face": milliseconds(lambda: classifier.classify(validation.crops[:1])),
        "classes": len(FER2013_LABELS),
        "published": "none",
        "source": "scikit-learn, nine nearest faces at 24x24 pixels",
    }


def shipped(validation: FaceData) -> Figures:
    """Judge the weights that ship."""
    manifest, arrays = load_weights(SHIPPED)
    network = ExpressionNetwork.load(SHIPPED)
    answers = network.probabilities(validation.crops).combined
    return {
        **quoted(answers, validation),
        "parameters": sum(array.size for array in arrays.values()),
        "mflops": NetworkConfig.from_json(manifest.config).operations() / 1e6,
        "ms_a_face": milliseconds(lambda: network.classify(validation.crops[:1])),
        "classes": len(FER2013_LABELS),
        "published": "",
        "source": f"mien's own, version {manifest.version}, through its default backend",
    }


def fastest_engine(network: ZooNetwork, threads: int) -> tuple[ZooEngine, str]:
    """PyTorch where it is installed, in bfloat16 where the processor computes that fast; else JAX."""
    classes = len(network.labels or FER2013_LABELS)
    try:
        import torch

        from mien_face_lab.training.zoo_torch import TorchZooEngine
    except ImportError:
        return JaxZooEngine(network, classes), f"jax {jax.__version__}, float32"
    torch.set_num_threads(threads)
    half = "amx_bf16" in Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else False
    kind = "bfloat16" if half else "float32"
    return TorchZooEngine(network, classes, half=half), f"torch {torch.__version__.split('+')[0]}, {kind}"


def single_face(network: ZooNetwork, classes: int, state: ZooState) -> Callable[[], object]:
    """A call that classifies one face by the compiled Flax network."""
    arrays = jax.device_put(state.arrays)

    def logits(arrays: dict[str, jax.Array], image: jax.Array) -> jax.Array:
        stack = network_of(network, classes, arrays)
        stack.eval()  # type: ignore[no-untyped-call]
        return stack(image)

    compiled = jax.jit(logits)
    image = np.zeros((1, *network.input_shape), np.float32)
    return lambda: np.asarray(compiled(arrays, image))


def milliseconds(action: Callable[[], object]) -> float:
    """The fastest of some calls, which other programs disturbed least."""
    action()
    times = []
    for _ in range(CALLS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def quoted(answers: npt.NDArray[np.float32], validation: FaceData) -> Figures:
    """Accuracy and macro-F1 over the seven classes."""
    judged = evaluate(answers, validation.labels, FER2013_LABELS)
    return {"accuracy": judged.accuracy, "macro_f1": judged.macro_f1, "n": judged.n}


def page(figures: Figures) -> str:
    """The table in Markdown."""
    lines = [
        "# The reference systems beside the shipped network",
        "",
        "Made by `benchmarks/reference_systems.py` from `reference_systems.json`; do not edit. Accuracy and",
        "macro-F1 are measured on FER2013's PublicTest (`validation.parquet`), over all seven classes: `ward2018`",
        "knows six, so each face of disgust counts against it. Nothing was trained or tuned on these faces but the",
        "shipped network's calibration. *Epochs* says how much of the published recipe was done; a row with few of",
        "them shows how far its network comes in that time, not what it can reach, of which the published figure",
        "says more. Published figures are by their authors on their own splits. Milliseconds are the fastest of",
        "some calls at batch 1, by JAX on a CPU.",
        "",
        "| network | parameters | MFLOPs | ms a face | epochs | accuracy here | macro-F1 here | published |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    order = sorted(figures, key=lambda name: (name != "shipped", -figures[name]["accuracy"]))
    pending = [name for name in ZOO if name not in figures]
    lines += [row(name, figures[name]) for name in order]
    lines += [pending_row(ZOO[name]) for name in pending]
    notes = [f"- `{name}`: {note(figures[name])}" for name in order]
    return "\n".join([*lines, "", *notes, ""])


def row(name: str, own: Figures) -> str:
    """One network's line."""
    parameters = f"{own['parameters']:,}" if "parameters" in own else "-"
    mflops = f"{own['mflops']:,.0f}" if "mflops" in own else "-"
    epochs = f"{own['epochs']:.1f} of {own['recipe_epochs']}" if "epochs" in own else "-"
    accuracy = f"{100 * own['accuracy']:.1f} %"
    if name == "shipped":
        name, accuracy = "**shipped**", f"**{accuracy}**"
    cells = (name, parameters, mflops, f"{own['ms_a_face']:.2f}", epochs, accuracy, f"{own['macro_f1']:.3f}")
    return f"| {' | '.join(cells)} | {own['published']} |"


def pending_row(network: ZooNetwork) -> str:
    """The line of a network that was not trained here yet."""
    classes = len(network.labels or FER2013_LABELS)
    parameters, mflops = network.parameters(classes)[0], network.operations(classes) / 1e6
    epochs = f"0 of {PUBLISHED[network.name].epochs}"
    return f"| {network.name} | {parameters:,} | {mflops:,.0f} | - | {epochs} | not run yet | - | {network.published} |"


def note(own: Figures) -> str:
    """Where it comes from and how it was trained."""
    if "epochs" not in own:
        return f"{own['source']}. {own['host']}."
    return (
        f"{own['source']}. Trained for {own['minutes']:.0f} minutes of processor time, in each second of which it saw "
        f"{own['faces_a_second']:.0f} faces ({own['host']}; {own['computed_by']})."
    )


def _impatient(learner: ZooLearner, plateau: Plateau) -> bool:
    return learner.patience is not None and plateau.waited >= learner.patience


def _plain(plateau: Plateau) -> dict[str, Any]:
    return {name: getattr(plateau, name) for name in plateau.__slots__}


if __name__ == "__main__":
    main()
