"""THE LIST: every job kind. A kind is one file of this package and its name in this union."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, TypeAdapter

from blindspots.experiments.adversarial_training import AdversarialTraining
from blindspots.experiments.attack import Attack
from blindspots.experiments.base import Spec
from blindspots.experiments.fetch_dataset import FetchDataset
from blindspots.experiments.image_set import ImageSet
from blindspots.experiments.import_model import ImportModel
from blindspots.experiments.plan import Plan
from blindspots.experiments.reproduce import Reproduce
from blindspots.experiments.spectral import Spectral
from blindspots.experiments.train import Train
from blindspots.experiments.transfer import Transfer
from blindspots.experiments.units import Units

Experiment = Annotated[
    Train
    | Attack
    | Transfer
    | Spectral
    | Units
    | AdversarialTraining
    | Reproduce
    | Plan
    | FetchDataset
    | ImageSet
    | ImportModel,
    Field(discriminator="kind"),
]

EXPERIMENT: TypeAdapter[
    Train
    | Attack
    | Transfer
    | Spectral
    | Units
    | AdversarialTraining
    | Reproduce
    | Plan
    | FetchDataset
    | ImageSet
    | ImportModel
] = TypeAdapter(Experiment)
KINDS: Mapping[str, type[Spec]] = {
    "train": Train,
    "attack": Attack,
    "transfer": Transfer,
    "spectral": Spectral,
    "units": Units,
    "adversarial_training": AdversarialTraining,
    "reproduce": Reproduce,
    "plan": Plan,
    "fetch_dataset": FetchDataset,
    "image_set": ImageSet,
    "import_model": ImportModel,
}
