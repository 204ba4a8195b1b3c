"""How the networks of the shipped kind are trained, stage by stage; ``TRAINING.md`` says what came of each."""

from __future__ import annotations

from typing import Final

from mien_face_lab.training.augment import ROBUST
from mien_face_lab.training.recipe import Phase, Recipe, Refit, for_heads

WIDE_RECIPE: Final = Recipe(
    epochs=21,
    augmentation=ROBUST,
    phases=(
        Phase(9, 40, (0.06, 0.045), mixup=0.3, spoiling=0.875),
        Phase(3, 48, (0.045, 0.025), mixup=0.3, spoiling=0.625),
        Phase(3, 48, (0.025, 0.0143), mixup=0.15, spoiling=0.4375),
        Phase(6, 48, (0.0143, 0.0), spoiling=0.25),
    ),
    repeats=(1, 2, 1, 1, 1, 1, 1),
)
"""For a ``resnet-wide`` that starts from a trained ``resnet``: small and much spoilt pictures first, which cost less,
clear ones last, which bring most. Disgust, 436 faces, is shown twice. From random weights it takes more epochs."""

DEEP_RECIPE: Final = Recipe(
    epochs=17,
    teacher_shares=for_heads(0.5, 0.2),
    head_weights=for_heads(0.7, 1.4),
    augmentation=ROBUST,
    phases=(
        Phase(8, 48, (0.035, 0.0205), spoiling=0.375),
        Phase(5, 48, (0.0205, 0.0074), spoiling=0.375),
        Phase(4, 48, (0.0074, 0.0), spoiling=0.1875),
    ),
    repeats=(1, 2, 1, 1, 1, 1, 1),
)
"""For a ``resnet-deep`` that starts from a trained ``resnet-wide``, with teachers. FER+'s votes, which ten people gave,
count for most: a network that had learnt FER2013's labels almost too well (82 % of the faces it was trained on, 71 % of
others) had not come as far with the votes (90 and 87 %)."""

REFINING: Final = Recipe(
    epochs=31,
    augmentation=ROBUST,
    phases=(
        Phase(23, 48, (0.04, 0.0095), spoiling=0.375),
        Phase(8, 48, (0.0095, 0.0), spoiling=0.1875),
    ),
    repeats=(1, 2, 1, 1, 1, 1, 1),
)
"""For a network that is trained already: clear, little spoilt faces, none of them mixed, at a rate that falls to 0."""

DEEP_REFINING: Final = Recipe(
    epochs=26,
    teacher_shares=for_heads(0.6, 0.35),
    votes_share=0.3,
    head_weights=for_heads(1.0, 1.0),
    augmentation=ROBUST,
    phases=(
        Phase(9, 48, (0.025, 0.011), spoiling=0.375),
        Phase(17, 48, (0.011, 0.0), spoiling=0.1875),
    ),
    repeats=(1, 2, 1, 1, 1, 1, 1),
)
"""The same for a ``resnet-deep``: both heads count alike, and votes correct what teachers have learnt by heart."""

FINISHING: Final = Recipe(
    epochs=12,
    teacher_shares=for_heads(0.5, 0.5),
    votes_share=0.3,
    majority_share=1.0,
    undecided_weight=0.35,
    head_weights=for_heads(1.0, 1.0),
    augmentation=ROBUST,
    phases=(
        Phase(6, 48, (0.02, 0.0117), spoiling=0.3125),
        Phase(6, 48, (0.0117, 0.0), spoiling=0.1875),
    ),
    sharpness_radius=0.1,
    start_share=0.6,
    refit=Refit(penalty=0.01, teacher_shares=for_heads(0.25, 0.5)),
)
"""For a network that gains no more by being refined: to where the loss is low all around, at what most people saw; then
the mean of where it began and ended, with heads that fit its features. A step takes up to twice the time, since it asks
for gradients twice."""
