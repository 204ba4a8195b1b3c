"""The detector's model card, made from its manifest alone, so that no figure in it is typed by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mien import Manifest
from mien_face.detection.config import DetectorConfig
from mien_face_lab.markdown import table

CARD_NAME: Final = "DETECTOR_CARD.md"

_KINDS: Final = {
    "portraits": "tight portraits, one face each",
    "people": "everyday photographs of people (Flickr8k)",
    "people2": "everyday photographs of people (ten sources)",
    "scenes": "photographs of anything",
}

_SOURCES: Final = {
    "flickr8k-224": "RlNZLER/Image-Text-Matching, MIT; Flickr8k: for research, not for commerce",
    "idenprof": "ninja3697/Profession-Detection-System, MIT; IdenProf's pictures from an image search, rights unstated",
    "face-mask-detection": "iAmEthanMai/mask-detection-dataset, none stated; the Kaggle set that it copies is CC0",
    "clothing-co-parsing": "bearpaw/clothing-co-parsing, Apache-2.0",
    "pedestrians": "LS-chen/Pedestrian-behavior-detection-and-prediction, none stated; research sets",
    "human-segmentation": "VikramShenoy97/Human-Segmentation-Dataset, none stated; GRAZ-01 and an image search",
    "video": "udacity/P1_Facial_Keypoints, MIT; YouTube Faces, for research",
    "masks-close": "chandrikadeb7/Face-Mask-Detection, MIT; collected from Kaggle, RMFD and search engines",
    "happy-sad": "SHOCKWAVE07/CustomImageClassifier, MIT; pictures of the web, rights unstated",
    "coco128": "developer0hye/COCO128, none stated; COCO: pictures under their Flickr licences",
}


def render(manifest: Manifest) -> str:
    """The card as Markdown.

    Args:
        manifest: Of exported weights: ``training.validation`` holds the figures of each kind of picture.
    """
    sections = (_about, _figures, _by_size, _by_pose, _by_source, _data)
    return "\n".join([*(line for section in sections for line in section(manifest)), *_limits()]) + "\n"


def _about(manifest: Manifest) -> Iterator[str]:
    config = DetectorConfig.from_json(manifest.config)
    numbers = sum(
        layer.side**2 * layer.inputs * layer.outputs + layer.outputs for layer in config.layers()
    )  # kernels and biases, folded
    yield "# Model card: mien's face detector"
    yield ""
    yield (
        "Made from `mien_face/weights/detector.json` by `mien_face_lab.training.detector.card`; do not edit it by hand."
    )
    yield ""
    yield f"- Version {manifest.version}, network `{manifest.network}`, sha256 `{manifest.sha256}`."
    yield (
        f"- Anchor-free, single shot, ordinary convolutions, three levels (strides 8, 16, 32): {numbers:,} numbers, "
        f"{config.flops(240, 320) / 1e6:.0f} MFLOPs (multiplication and addition counted apart) for 320x240."
    )
    yield (
        "- Answers: boxes, scores, and five landmarks (right eye, left eye, nose, right and left mouth corner). "
        f"Threshold {manifest.calibration['threshold']:.2f}, boxes suppressed from an overlap of "
        f"{manifest.calibration['overlap']:.2f}."
    )
    yield (
        f"- Made for pictures brought to {config.long_side} pixels on their longer side, or to more where small faces "
        "count, and for faces of 12 to 300 pixels there."
    )
    yield ""
    yield "## Intended use"
    yield ""
    yield (
        "Finding the faces of customers before a camera, so that their expression can be read with their knowledge. It "
        "tells no person from another, and must not be used to identify anybody, nor to watch staff or pupils."
    )
    yield ""


def _figures(manifest: Manifest) -> Iterator[str]:
    yield "## Figures"
    yield ""
    yield (
        "On pictures held back from training (a tenth: of the persons for portraits, of the photographs for the rest), "
        "on which the threshold was chosen too. A face counts from 24 pixels on its shorter side; it is found where "
        "the intersection over union is at least 0.5; boxes of which the labellers were not sure count neither way. "
        "Animals' faces are none, whatever the labellers said."
    )
    yield ""
    head = ("pictures", "number", "faces", "recall", "precision", "false faces a picture", "AP50")
    rows = [(*head, "landmark error (eye distances)", "face-free pictures with a false face")]
    for kind, each in _validation(manifest).items():
        alarmed = each["face_free_with_false"]
        free = "-" if alarmed is None else f"{_percent(alarmed)} of {each['face_free_pictures']}"
        shares = (_percent(each["recall"]), _percent(each["precision"]), f"{each['false_positives_per_image']:.3f}")
        errors = (_number(each["ap50"]), _number(each["landmark_error"]))
        rows.append((_KINDS.get(kind, kind), str(each["pictures"]), str(each["faces"]), *shares, *errors, free))
    yield table(rows)
    yield ""


def _by_size(manifest: Manifest) -> Iterator[str]:
    yield "## By size of face"
    yield ""
    rows = [("pictures", "shorter side, pixels", "faces", "recall", "landmark error")]
    for kind, each in _validation(manifest).items():
        for size in each["by_size"]:
            upper = "more" if size["to_size"] is None else f"{size['to_size']:g}"
            rows.append((_KINDS.get(kind, kind), f"{size['from_size']:g} to {upper}", *_found(size)))
    yield table(rows)
    yield ""


def _by_pose(manifest: Manifest) -> Iterator[str]:
    yield "## By pose"
    yield ""
    yield (
        "How far a face is turned aside, from its labelled landmarks: the nose's tip lies less than 0.3 eye distances "
        "from the middle of the eyes (frontal), less than 0.8 (half), or more (profile)."
    )
    yield ""
    rows = [("pictures", "turned", "faces", "recall", "landmark error")]
    for kind, each in _validation(manifest).items():
        rows += [(_KINDS.get(kind, kind), pose["pose"], *_found(pose)) for pose in each["by_pose"]]
    yield table(rows)
    yield ""


def _by_source(manifest: Manifest) -> Iterator[str]:
    yield "## By source"
    yield ""
    rows = [("source", "faces", "recall", "landmark error", "pictures", "false faces a picture")]
    for each in _validation(manifest).values():
        for group in each["by_group"]:
            false = f"{group['false_positives_per_image']:.3f}"
            rows.append((group["group"], *_found(group), str(group["pictures"]), false))
    yield table(rows)
    yield ""


def _found(figures: Mapping[str, Any]) -> tuple[str, str, str]:
    """Faces, recall and landmark error."""
    return str(figures["faces"]), _percent(figures["recall"]), _number(figures["landmark_error"])


def _data(manifest: Manifest) -> Iterator[str]:
    yield "## Data and licences"
    yield ""
    yield f"{manifest.training['data']}."
    yield ""
    yield "- Portraits: muxspace/facial_expressions, Apache-2.0; many are pictures of Labeled Faces in the Wild."
    yield "- People: Flickr8k; for research, not for commerce."
    yield "- More people, from public repositories, with the licence that each states:"
    yield from (f"  - `{source}`: {about}." for source, about in _SOURCES.items())
    yield "- Scenes: samples of ImageNet; for research."
    yield (
        "- Boxes and landmarks: made by two versions of YuNet (MIT), kept where they agree; so the detector learns "
        "what YuNet sees, with its errors. In scenes, faces with low scores are not believed: the larger ones in "
        "pictures of animals are animals', and so background, the others count for nothing."
    )
    yield ""
    yield manifest.license_note
    yield ""
    yield f"Made with: `{manifest.training['command']}`. More in `plugins/face_lab/DETECTOR_TRAINING.md`."
    yield ""


def _limits() -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield (
        "- The portraits are of public figures, mostly adult men in news pictures of the early 2000s, looking at the "
        "camera. The other photographs are what people put on the web: children, dark skin and profiles are in them, "
        "in shares that nobody has counted."
    )
    yield "- No figure is given by age, sex or skin colour, as the data does not say them; it has not been shown fair."
    yield (
        "- Labels and figures rest on what YuNet sees: faces that it misses are in neither, and a face found that it "
        "missed counts as false."
    )
    yield "- Glasses, hands and some of the masks before a face were drawn, not photographed."
    yield "- Drawn and carved faces are taken for people's, and animals' now and then."


def _validation(manifest: Manifest) -> Mapping[str, Any]:
    figures: Mapping[str, Any] = manifest.training["validation"]
    return figures


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
