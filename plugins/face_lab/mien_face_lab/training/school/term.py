"""A term on one GPU: teachers learn from labels, and students of several sizes from labels and teachers.

    python -m mien_face_lab.training.school.term POOL OUT SECONDS [--device cuda]

Each network is a process of its own, all on the same device at the same time, and each course lasts as long as its
share of the seconds. ``POOL`` is a folder as ``gathering`` writes it. ``OUT`` gets ``students.npz`` and ``large.npz``
(averaged arrays, ``<network>/<array>``) and ``report.json``, again and again until the end.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mien_face.labels import FER2013_LABELS, Head
from mien_face_lab.training.school.course import Course, Trainee, attend, by_clock, epoch_views
from mien_face_lab.training.school.curriculum import (
    ASKING_END,
    GIVEN,
    LARGE,
    LEARNING,
    LEAST_VIEWS,
    SHARES,
    STUDENTS,
    STUDENTS_END,
    TEACHERS,
    TEACHERS_END,
    TEACHING,
    VIEWS,
    WARM,
    student_seed,
)
from mien_face_lab.training.school.judging import judge, judge_logits
from mien_face_lab.training.school.pool import Lessons, Pool
from mien_face_lab.training.school.storing import (
    LARGE_FILE,
    REPORT_FILE,
    STUDENTS_FILE,
    Exam,
    load_exam,
    load_pool,
    load_start,
)
from mien_face_lab.training.state import initial_arrays


@dataclass(frozen=True, slots=True)
class Place:
    """Where a term takes place.

    Attributes:
        pool: Folder of the data.
        scratch: Folder for what processes tell each other.
        device: Of the networks.
        start: ``time.time`` when it began.
        seconds: How long it may take.
    """

    pool: Path
    scratch: Path
    device: torch.device
    start: float
    seconds: float

    def clock(self, share: float) -> float:
        """``time.monotonic`` when this share of the seconds is over."""
        return time.monotonic() + self.start + share * self.seconds - time.time()


def run_teacher(place: Place, name: str) -> None:
    """Let a teacher learn, unless it is the given one; then write down what it says of every view."""
    pool, exam = load_pool(place.pool), load_exam(place.pool)
    lessons = Lessons(pool, SHARES, place.device)
    if name == GIVEN:
        config, seed = STUDENTS[LARGE], 0
        trainee = Trainee(config, load_start(place.pool), TEACHING, device=place.device, seed=seed)
    else:
        config, seed = TEACHERS[name], 100 + list(TEACHERS).index(name)
        trainee = Trainee(config, initial_arrays(config, seed), TEACHING, device=place.device, seed=seed)
        _train(place, name, trainee, pool, lessons, exam, TEACHING, seed=seed, end=TEACHERS_END, bank=None)
    _note(place, name, {"exam": judge(trainee, exam, place.device)})
    _say(place, name, "exam", trainee, torch.from_numpy(exam.crops).to(place.device)[:, None])
    end = place.clock(ASKING_END)
    for number in range(VIEWS + 1):
        if time.monotonic() > end and number > LEAST_VIEWS:
            break
        _say(place, name, number, trainee, epoch_views(lessons.crops, TEACHING.views, number))
    _note(place, name, {"asked": number})


def _say(place: Place, name: str, number: int | str, trainee: Trainee, faces: torch.Tensor) -> None:
    """Write down the logarithms of a teacher's probabilities, both heads' side by side."""
    answers = trainee.logits(faces)
    said = np.concatenate([torch.log_softmax(answers[head], 1).cpu().numpy() for head in Head], axis=1)
    draft = place.scratch / f"part.{name}.{number}.npy"
    np.save(draft, said.astype(np.float16))
    draft.rename(_said_path(place, name, number))


class Bank:
    """What all teachers together said of each view: the mean of their logarithms, made to sum to 1 again.

    Args:
        place: Where they wrote it down.
    """

    def __init__(self, place: Place) -> None:
        self._device = place.device
        names = (GIVEN, *TEACHERS)
        self._said: dict[int, Mapping[Head, torch.Tensor]] = {}
        heard = {name: [n for n in range(VIEWS + 1) if _said_path(place, name, n).exists()] for name in names}
        self.teachers = [name for name in names if heard[name]]
        self.numbers = sorted(set.intersection(*(set(heard[name]) for name in self.teachers)))
        for number in self.numbers:
            self._said[number] = {head: said.half() for head, said in self.together(place, number).items()}

    def together(self, place: Place, number: int | str) -> dict[Head, torch.Tensor]:
        """Logarithms of what all teachers say of the faces of a view, or of the exam's."""
        mean = np.mean([np.load(_said_path(place, name, number)).astype(np.float32) for name in self.teachers], axis=0)
        both = torch.from_numpy(mean).to(self._device)
        width = len(FER2013_LABELS)
        return {
            Head.FER2013: torch.log_softmax(both[:, :width], 1),
            Head.FERPLUS: torch.log_softmax(both[:, width:], 1),
        }

    def __call__(self, number: int) -> Mapping[Head, torch.Tensor]:
        """Of all faces seen in a view: head -> logarithms of probabilities, ``[n, labels]``."""
        return self._said[number]

    def view(self, epoch: int, seed: int, *, clear: bool) -> int:
        """The view that an epoch is of."""
        chosen = [n for n in self.numbers if n % 2 or n == 0] if clear else self.numbers
        order = np.random.default_rng([seed, epoch // len(chosen)]).permutation(chosen)
        return int(order[epoch % len(chosen)])


def run_student(place: Place, name: str) -> None:
    """Let a student learn from labels and from what teachers said."""
    pool, exam = load_pool(place.pool), load_exam(place.pool)
    lessons, bank = Lessons(pool, SHARES, place.device), Bank(place)
    seed = student_seed(name)
    config, course = STUDENTS[name], WARM if name == LARGE else LEARNING
    arrays = load_start(place.pool) if name == LARGE else initial_arrays(config, seed)
    trainee = Trainee(config, arrays, course, device=place.device, seed=seed)
    taught = judge_logits(bank.together(place, "exam"), exam)
    _note(place, name, {"taught_by": bank.teachers, "views": bank.numbers, "exam": taught})
    _train(place, name, trainee, pool, lessons, exam, course, seed=seed, end=STUDENTS_END, bank=bank)


def _train(
    place: Place,
    name: str,
    trainee: Trainee,
    pool: Pool,
    lessons: Lessons,
    exam: Exam,
    course: Course,
    *,
    seed: int,
    end: float,
    bank: Bank | None,
) -> None:
    judged = [0.0]

    def views(epoch: int, progress: float) -> int:
        clear = progress >= course.clear_from
        if bank is not None:
            return bank.view(epoch, seed, clear=clear)
        return 2 * (10_000 * seed + epoch) + int(clear)

    def after(epoch: int, progress: float, loss: float) -> None:
        line: dict[str, Any] = {"epoch": epoch, "progress": round(progress, 4), "loss": loss}
        if progress >= 1 or progress - judged[0] >= 0.1:
            judged[0] = progress
            line["exam"] = judge(trainee, exam, place.device)
            if bank is not None:
                _save(place.scratch / f"{name}.npz", trainee.arrays())
        _note(place, name, line)

    progress = by_clock(time.monotonic(), place.clock(end))
    said = (lambda number: None) if bank is None else bank
    attend(trainee, pool, lessons, course, progress=progress, views=views, said=said, seed=seed, after=after)


def run(pool: Path, out: Path, seconds: float, device: str) -> None:
    """The whole term."""
    start = time.time()
    with tempfile.TemporaryDirectory() as folder:
        place = Place(pool, Path(folder), torch.device(device), start, seconds)
        _together(place, out, "teacher", (GIVEN, *TEACHERS), until=start + (ASKING_END + 0.03) * seconds)
        _together(place, out, "student", tuple(STUDENTS), until=start + (STUDENTS_END + 0.025) * seconds)
        collect(place, out)


def _together(place: Place, out: Path, role: str, names: tuple[str, ...], *, until: float) -> None:
    """Processes side by side; what has not ended in time is ended."""
    running = []
    for name in names:
        command = [
            sys.executable,
            "-m",
            __spec__.name if __spec__ else __name__,
            str(place.pool),
            str(place.scratch),
            str(place.seconds),
            "--device",
            str(place.device),
            "--role",
            role,
            "--name",
            name,
            "--start",
            repr(place.start),
        ]
        with (place.scratch / f"{name}.err").open("w") as log:
            settings = {**os.environ, "OMP_NUM_THREADS": "2"}
            running.append(subprocess.Popen(command, stdout=log, stderr=log, env=settings))  # noqa: S603 - ourselves
    collected = time.time()
    while any(each.poll() is None for each in running) and time.time() < until:
        time.sleep(0.2)
        if time.time() - collected > 20:
            collect(place, out)
            collected = time.time()
    for each in running:
        if each.poll() is None:
            each.kill()
        each.wait()
    collect(place, out)


def collect(place: Place, out: Path) -> None:
    """Write what there is."""
    out.mkdir(parents=True, exist_ok=True)
    small: dict[str, Any] = {}
    large: dict[str, Any] = {}
    for name in STUDENTS:
        path = place.scratch / f"{name}.npz"
        if path.exists():
            with np.load(path) as arrays:
                half = name == LARGE
                kept = {
                    f"{name}/{key}": arrays[key].astype(np.float16 if half and key.endswith("kernel") else np.float32)
                    for key in arrays
                }
            (large if half else small).update(kept)
    for file, kept in ((STUDENTS_FILE, small), (LARGE_FILE, large)):
        if kept:
            _save(out / file, kept)
    report: dict[str, Any] = {"seconds": time.time() - place.start, "device": _device_name(place.device)}
    for path in sorted(place.scratch.glob("*.jsonl")):
        report[path.stem] = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
    for path in sorted(place.scratch.glob("*.err")):
        report[f"{path.stem}.err"] = path.read_text()[-2000:]
    draft = out / f"{REPORT_FILE}.part"
    draft.write_text(json.dumps(report))
    draft.rename(out / REPORT_FILE)


def _device_name(device: torch.device) -> str:
    return str(torch.cuda.get_device_name(device)) if device.type == "cuda" else device.type


def _note(place: Place, name: str, line: Mapping[str, Any]) -> None:
    with (place.scratch / f"{name}.jsonl").open("a") as file:
        file.write(json.dumps({"at": round(time.time() - place.start, 1), **line}) + "\n")


def _save(path: Path, arrays: Mapping[str, Any]) -> None:
    draft = path.with_suffix(".part.npz")
    np.savez(draft, **arrays)
    draft.rename(path)


def _said_path(place: Place, name: str, number: int | str) -> Path:
    return place.scratch / f"said.{name}.{number}.npy"


def main() -> None:
    """The command of the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pool", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--role", choices=("term", "teacher", "student"), default="term")
    parser.add_argument("--name", default="")
    parser.add_argument("--start", type=float, default=0.0)
    given = parser.parse_args()
    if given.role == "term":
        run(given.pool, given.out, given.seconds, given.device)
        return
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    place = Place(given.pool, given.out, torch.device(given.device), given.start, given.seconds)
    (run_teacher if given.role == "teacher" else run_student)(place, given.name)


if __name__ == "__main__":
    main()
