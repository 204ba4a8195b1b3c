"""The one function that reads labelled faces, from wherever a path leads.

What lies at a path is found by looking; each of the four layouts has a reader of its own in ``readers``. Augmenting and
batching happen elsewhere.
"""

from __future__ import annotations

from pathlib import Path

from mien_face_lab.training.faces import COLUMNS, VOTE_COLUMNS, FaceData, Skipped
from mien_face_lab.training.prepare import AS_IT_COMES, Preparation
from mien_face_lab.training.splitting import ALL

__all__ = ["COLUMNS", "VOTE_COLUMNS", "FaceData", "Skipped", "part_to_judge", "read_faces"]


def read_faces(
    path: Path,
    *,
    part: str = "train",
    seed: int = 0,
    preparation: Preparation = AS_IT_COMES,
    group: str | None = None,
) -> FaceData:
    """Read labelled faces: parquet, Kaggle's CSV, a folder for each class, or Cohn-Kanade's sequences.

    Args:
        path: File or folder.
        part: ``train``, ``validation``, ``test`` or ``all``. What is not split on the disk is split here.
        seed: Of that split.
        preparation: How pictures become crops.
        group: Column of a table that says which group a face belongs to; None asks for none.

    Raises:
        InputError: Nothing there is in a known layout, or what is there is wrong (file and row are named).
        MissingDependencyError: A package that reads it is not installed.
    """
    from mien_face_lab.training.readers import read

    return read(path, part=part, seed=seed, preparation=preparation, group=group)


def part_to_judge(path: Path) -> str:
    """The part by which a network is judged that was not trained on this data.

    Returns:
        ``all`` where the data comes in no parts; else its ``validation``, or ``test``, or what there is.

    Raises:
        InputError: Nothing there is in a known layout.
    """
    from mien_face_lab.training.readers import parts

    found = parts(path)
    return next((part for part in ("validation", "test") if part in found), ALL)
