"""THE LIST: every job kind. A kind is one file of this package and its name in this union."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, TypeAdapter

from blindspots.experiments.attack import Attack
from blindspots.experiments.base import Spec
from blindspots.experiments.fetch_dataset import FetchDataset
from blindspots.experiments.train import Train

Experiment = Annotated[Train | Attack | FetchDataset, Field(discriminator="kind")]

EXPERIMENT: TypeAdapter[Train | Attack | FetchDataset] = TypeAdapter(Experiment)
KINDS: Mapping[str, type[Spec]] = {"train": Train, "attack": Attack, "fetch_dataset": FetchDataset}
