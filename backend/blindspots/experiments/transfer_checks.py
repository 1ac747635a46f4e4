"""What a transfer needs of its models, images and controls, before anything runs."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from blindspots.errors import InvalidInput
from blindspots.experiments.attack import Attack
from blindspots.experiments.base import Catalog
from blindspots.experiments.dataset_checks import same_in_another_order
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.selection import UploadedImage
from blindspots.experiments.transfer_rows import rows_of

if TYPE_CHECKING:
    from blindspots.experiments.transfer import Transfer

MOST_FORWARDS = 1_000_000_000  # passes of one image through one model


def check_plan(spec: "Transfer", catalog: Catalog) -> tuple[list[ModelFacts], list[ModelFacts]]:
    """The source models and the evaluated ones. Raises InvalidInput naming the field."""
    evaluated = _different_models(catalog, spec.evaluated, "evaluated")
    sources = _different_models(catalog, spec.sources, "sources")
    for field, models in (("evaluated", evaluated), ("sources", sources)):
        for place, model in enumerate(models):
            _check_alike(model, evaluated[0], field=f"{field}[{place}]")
    spec.images.check(catalog, evaluated[0])
    _check_controls(spec, evaluated[0])
    for place, model in enumerate(sources):
        _check_attack(spec, catalog, model, field=f"sources[{place}]")
    _check_size(spec, catalog, len(evaluated))
    return sources, evaluated


def _different_models(catalog: Catalog, references: Sequence[str], name: str) -> list[ModelFacts]:
    found: list[ModelFacts] = []
    for place, reference in enumerate(references):
        model = catalog.model(reference, field=f"{name}[{place}]")
        if any(model.id == other.id for other in found):
            raise InvalidInput(
                f"The model {model.name} is named twice; each model can be chosen once.",
                field=f"{name}[{place}]",
            )
        found.append(model)
    return found


def _check_alike(model: ModelFacts, first: ModelFacts, *, field: str) -> None:
    """One image can be shown to both, and their answers mean the same."""
    if tuple(model.input_shape) != tuple(first.input_shape):
        raise InvalidInput(
            f"The model {model.name} reads images of {_shape(model)}, but {first.name} reads "
            f"{_shape(first)}. Choose models of one input shape.",
            field=field,
        )
    if len(model.class_names) != len(first.class_names):
        raise InvalidInput(
            f"The model {model.name} tells {len(model.class_names)} classes apart, but {first.name} "
            f"{len(first.class_names)}. Choose models with the same classes.",
            field=field,
        )
    if same_in_another_order(model.class_names, first.class_names):
        raise InvalidInput(
            f"The models {model.name} and {first.name} have the same classes in another order, so an answer "
            "of one would count as another class of the other. Choose models that agree on the order.",
            field=field,
        )


def _shape(model: ModelFacts) -> str:
    return " × ".join(map(str, model.input_shape))


def _check_controls(spec: "Transfer", model: ModelFacts) -> None:
    if isinstance(spec.images, UploadedImage):
        if spec.images.label is None:
            raise InvalidInput(
                "An error is measured against the true class: name the class of the uploaded image.",
                field="images.label",
            )
        if spec.noise.whole_split:
            raise InvalidInput(
                "An uploaded image belongs to no split; measure the noise on the image itself.",
                field="noise.whole_split",
            )
    for field, levels in (
        ("noise.sigmas", spec.noise.sigmas),
        ("amplify.distortions", spec.amplify.distortions),
    ):
        if len(set(levels)) != len(levels):
            raise InvalidInput("Each value gives one row; some of them repeat.", field=field)
    largest = math.sqrt(math.prod(model.input_shape))
    if spec.equal_l2 is not None and spec.equal_l2 > largest:
        raise InvalidInput(
            f"No change of an image within 0 to 1 is longer than {largest:.4g}, the root of its number of "
            "pixel values.",
            field="equal_l2",
        )


def _check_attack(spec: "Transfer", catalog: Catalog, model: ModelFacts, *, field: str) -> None:
    """The attack on this source can be run. Where it is the model that does not suit, the field is the
    source's."""
    try:
        Attack.model_validate(spec.attack_document(model.id)).resolve(catalog)
    except InvalidInput as error:
        about_model = error.field in ("model", "method.name")
        raise InvalidInput(error.message, field=field if about_model else error.field) from error


def _check_size(spec: "Transfer", catalog: Catalog, evaluated: int) -> None:
    images, controls = spec.images.count_rows(), spec.control_images(catalog)
    changes = len(rows_of(spec, 0)) + 1
    passes = evaluated * controls * len(rows_of(spec, None))
    passes += len(spec.sources) * images * changes * (evaluated + 1)
    if passes > MOST_FORWARDS:
        raise InvalidInput(
            f"This transfer takes {passes:,} passes of an image through a model; at most {MOST_FORWARDS:,} "
            "are allowed. Choose fewer images, models or controls.",
            field="images",
        )
