"""The detector's model card, made from its manifest alone, so that no figure in it is typed by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mien import Manifest
from mien_face.detection.config import DetectorConfig

CARD_NAME: Final = "DETECTOR_CARD.md"

_KINDS: Final = {
    "portraits": "tight portraits, one face each",
    "people": "everyday photographs of people",
    "scenes": "photographs of anything",
}


def render(manifest: Manifest) -> str:
    """The card as Markdown.

    Args:
        manifest: Of exported weights: ``training.validation`` holds the figures of each kind of picture.
    """
    return "\n".join([*_about(manifest), *_figures(manifest), *_by_size(manifest), *_data(manifest), *_limits()]) + "\n"


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
        f"- Made for pictures brought to {config.long_side} pixels on their longer side, and for faces of 16 to 300 "
        "pixels there."
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
        "the intersection over union is at least 0.5; boxes of which the labellers were not sure count neither way."
    )
    yield ""
    yield (
        "| pictures | number | faces | recall | precision | false faces a picture | AP50 | landmark error (eye "
        "distances) | face-free pictures with a false face |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for kind, each in _validation(manifest).items():
        alarmed = each["face_free_with_false"]
        free = "-" if alarmed is None else f"{_percent(alarmed)} of {each['face_free_pictures']}"
        yield (
            f"| {_KINDS.get(kind, kind)} | {each['pictures']} | {each['faces']} | {_percent(each['recall'])} | "
            f"{_percent(each['precision'])} | {each['false_positives_per_image']:.3f} | {_number(each['ap50'])} | "
            f"{_number(each['landmark_error'])} | {free} |"
        )
    yield ""


def _by_size(manifest: Manifest) -> Iterator[str]:
    yield "## By size of face"
    yield ""
    yield "| pictures | shorter side, pixels | faces | recall | landmark error |"
    yield "|---|---|---|---|---|"
    for kind, each in _validation(manifest).items():
        for size in each["by_size"]:
            upper = "more" if size["to_size"] is None else f"{size['to_size']:g}"
            yield (
                f"| {_KINDS.get(kind, kind)} | {size['from_size']:g} to {upper} | {size['faces']} | "
                f"{_percent(size['recall'])} | {_number(size['landmark_error'])} |"
            )
    yield ""


def _data(manifest: Manifest) -> Iterator[str]:
    yield "## Data and licences"
    yield ""
    yield f"{manifest.training['data']}."
    yield ""
    yield "- Portraits: muxspace/facial_expressions, Apache-2.0; many are pictures of Labeled Faces in the Wild."
    yield "- People: Flickr8k; for research, not for commerce."
    yield "- Scenes: samples of ImageNet; for research."
    yield (
        "- Boxes and landmarks: made by two versions of YuNet (MIT), kept where they agree; so the detector learns "
        "what YuNet sees, with its errors. In scenes, faces with low scores, nearly all animals, count for nothing."
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
        "camera: children, dark skin, profiles and heads turned far are rarer in training than in shops."
    )
    yield "- No figure is given by age, sex or skin colour, as the data does not say them; it has not been shown fair."
    yield "- Masks, glasses and hands before a face were drawn, not photographed."
    yield "- Animals' faces and drawn faces are sometimes taken for people's."
    yield "- The figures on people and scenes rest on few faces: differences of some points there mean little."


def _validation(manifest: Manifest) -> Mapping[str, Any]:
    figures: Mapping[str, Any] = manifest.training["validation"]
    return figures


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
