"""Whether a data set is fit for a model or for a training. Each raises InvalidInput naming the field."""

from collections.abc import Sequence

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Catalog
from blindspots.experiments.facts import DatasetFacts, ModelFacts


def dataset_like(catalog: Catalog, name: str, model: ModelFacts, *, labelled: bool) -> DatasetFacts:
    """The data set of that name, whose images and classes are those of the model; where `labelled` is False,
    it may have no classes.
    """
    dataset = catalog.dataset(name, field="images.dataset")
    if tuple(dataset.shape) != tuple(model.input_shape):
        raise InvalidInput(
            f"The images of {dataset.title} are {_shape_words(dataset.shape)}, but the model {model.name} "
            f"reads "
            f"{_shape_words(model.input_shape)}. Choose a data set of that shape, or a model trained on this "
            f"one.",
            field="images.dataset",
        )
    if not dataset.class_names:
        if not labelled:
            return dataset
        raise InvalidInput(
            f"The images of {dataset.title} have no labels, and this job needs the true class of each. "
            "Choose a data set with labels; units jobs take this one.",
            field="images.dataset",
        )
    if len(dataset.class_names) != len(model.class_names):
        raise InvalidInput(
            f"{dataset.title} has {len(dataset.class_names)} classes, but the model {model.name} tells "
            f"{len(model.class_names)} apart. Choose a data set with the same classes.",
            field="images.dataset",
        )
    if same_in_another_order(dataset.class_names, model.class_names):
        raise InvalidInput(
            f"{dataset.title} and the model {model.name} have the same classes in another order, so every "
            f"label would be wrong. Make the set again with its classes in this order: "
            f"{', '.join(model.class_names)[:1000]}.",
            field="images.dataset",
        )
    return dataset


def same_in_another_order(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether the same words stand in another order; other words for as many classes may mean the same."""
    first, second = ([name.strip().casefold() for name in names] for names in (one, other))
    return first != second and sorted(first) == sorted(second)


def check_trainable(dataset: DatasetFacts) -> None:
    """Raise InvalidInput for a set without labels, or without images to train on and others to test on."""
    if not dataset.class_names:
        raise InvalidInput(
            f"The images of {dataset.title} have no labels; training needs them.", field="dataset"
        )
    if not {"train", "test"} <= set(dataset.sizes):
        raise InvalidInput(
            f"{dataset.title} has {' and '.join(dataset.sizes)} images only; training needs some to train on "
            "and others to test on. Make the set again with a share for training.",
            field="dataset",
        )


def _shape_words(shape: tuple[int, int, int]) -> str:
    channels, height, width = shape
    return f"{channels} × {height} × {width} (channels × height × width)"


def split_size(dataset: DatasetFacts, split: str) -> int:
    """How many images the split has. Raises InvalidInput where there are none."""
    size = dataset.sizes.get(split, 0)
    if size == 0:
        raise InvalidInput(
            f"{dataset.title} has no {split} images; it has {', '.join(dataset.sizes)}.", field="images.split"
        )
    return size
