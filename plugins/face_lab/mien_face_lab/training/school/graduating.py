"""What a term leaves behind as weights that ship: each student folded, stored as float16, calibrated and measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mien import InputError, Manifest
from mien_face.config import Arrays
from mien_face_lab.training.export import export
from mien_face_lab.training.faces import FaceData
from mien_face_lab.training.school.curriculum import STUDENTS, student_seed
from mien_face_lab.training.school.storing import LARGE_FILE, REPORT_FILE, STUDENTS_FILE


def graduate(results: Path, out: Path, *, validation: FaceData, about: Mapping[str, Any]) -> dict[str, Manifest]:
    """Export every student of a term.

    Args:
        results: The term's folder.
        out: Gets a folder for each student, with a manifest (``manifest_name``) and its weights.
        validation: Calibration is fitted and figures are taken on it.
        about: What manifests say of the training beside each student's epochs and teachers.

    Returns:
        Student -> manifest.

    Raises:
        InputError: The folder holds no student.
    """
    report = _read_report(results)
    manifests = {}
    for name, arrays in _students(results):
        told = report.get(name, [])
        training = {
            **about,
            "network": name,
            "seed": student_seed(name),
            "epochs": max((line["epoch"] for line in told if "epoch" in line), default=0),
            "teachers": next((line["taught_by"] for line in told if "taught_by" in line), []),
            "device": report.get("device", ""),
        }
        path = out / name / manifest_name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        manifests[name] = export(STUDENTS[name], arrays, validation=validation, manifest_path=path, training=training)
    if not manifests:
        raise InputError(f"{results} holds no student: expected {STUDENTS_FILE} or {LARGE_FILE} of a term")
    return manifests


def manifest_name(student: str) -> str:
    """What a student's manifest is called: the small one's ``expression.json``, others' ``expression-<size>.json``."""
    size = student.removeprefix("resnet-")
    return "expression.json" if size == "small" else f"expression-{size}.json"


def _students(results: Path) -> Iterator[tuple[str, Arrays]]:
    for file in (STUDENTS_FILE, LARGE_FILE):
        path = results / file
        if not path.is_file():
            continue
        with np.load(path) as stored:
            for name in STUDENTS:
                prefix = f"{name}/"
                arrays = {
                    key.removeprefix(prefix): stored[key].astype(np.float32) for key in stored if key.startswith(prefix)
                }
                if arrays:
                    yield name, arrays


def _read_report(results: Path) -> dict[str, Any]:
    path = results / REPORT_FILE
    if not path.is_file():
        raise InputError(f"{results} is not the folder of a term: it has no {REPORT_FILE}")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
