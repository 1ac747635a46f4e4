"""The jobs that a reproduction is made of: trainings, attacks with their transfer, controls."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from blindspots.experiments.base import Step
from blindspots.experiments.reproduce_presets import (
    HALVES,
    PANELS,
    WHOLE,
    Experiment,
    Sizes,
    adversarial_training,
    half,
    networks,
    training,
    training_seconds,
)

Search = Literal["tight", "paper"]  # for c: bisected, or as coarse as the paper's seems to be
SEARCHES: tuple[Search, ...] = ("tight", "paper")
WHOLE_STEPS: dict[Search, str] = {"tight": "transfer tight", "paper": "transfer coarse"}
HALVES_STEPS: dict[Search, str] = {"tight": "halves tight", "paper": "halves coarse"}
CLEAN_STEPS: dict[str, str] = {"P1": "clean on P1", "P2": "clean on P2"}
PANEL_STEPS = ("figure 7a", "figure 7b", "figure 7c")
ADVERSARIAL_STEP = "adversarial training"
AMPLIFIED = 0.1  # distortion of table 4's lower block
IMAGE_SECONDS: dict[Search, float] = {"tight": 0.005, "paper": 0.03}  # to attack one, on one core
EVALUATION_SECONDS = 1e-4  # of one image and model
ADVERSARIAL_SECONDS = {False: 120.0, True: 7200.0}  # on the digits, on MNIST
NO_NOISE: dict[str, Any] = {"sigmas": [], "clip": False, "whole_split": False}


def steps(experiment: Experiment, sizes: Sizes, seed: int, splits: Mapping[str, int]) -> list[Step]:
    """The steps of an experiment. `splits`: images of the splits `train`, `test`, `P1` and `P2`."""
    plan = Plan(sizes, seed, splits)
    found = [
        Step(f"train {name}", training(name, sizes, seed), seconds=training_seconds(name, sizes))
        for name in networks(experiment)
    ]
    if experiment in ("table1", "table2", "tables"):
        found += plan.whole()
    if experiment in ("table3", "table4", "tables"):
        found += plan.halves()
    if experiment in ("table3", "tables"):
        found += plan.clean()
    if experiment == "adversarial_training":
        seconds = ADVERSARIAL_SECONDS[sizes.comparable]
        found.append(Step(ADVERSARIAL_STEP, adversarial_training(sizes, seed), seconds=seconds))
    if experiment in ("figure7", "tables"):
        # The transfer attacks the same images in the same way: the attacks of the figure are then found done.
        found += plan.figure(needs=(WHOLE_STEPS["tight"],) if experiment == "tables" else ())
    return found


class Plan:
    """The documents of the steps, which share images, seed and method."""

    def __init__(self, sizes: Sizes, seed: int, splits: Mapping[str, int]) -> None:
        self.sizes, self.seed, self.splits = sizes, seed, splits

    def whole(self) -> list[Step]:
        """Tables 1 and 2: six networks, training images, both searches; noise once."""
        return [
            self._transfer(
                WHOLE_STEPS[search],
                f"Tables 1 and 2, {search} search",
                WHOLE,
                images=self._images("train"),
                search=search,
                noise={**NO_NOISE, "sigmas": [0.1, 0.3]} if search == "tight" else NO_NOISE,
            )
            for search in SEARCHES
        ]

    def halves(self) -> list[Step]:
        """Tables 3 and 4: three networks, test images, both searches; noise on the whole test set."""
        noise = {"sigmas": [0.06, 0.1], "clip": False, "whole_split": True}
        return [
            self._transfer(
                HALVES_STEPS[search],
                f"Tables 3 and 4, {search} search",
                HALVES,
                images=self._images("test"),
                search=search,
                noise=noise if search == "tight" else NO_NOISE,
                amplified=[AMPLIFIED],
            )
            for search in SEARCHES
        ]

    def clean(self) -> list[Step]:
        """Table 3: the errors on each half of the training images."""
        return [
            self._transfer(
                CLEAN_STEPS[letter],
                f"Table 3, errors on {letter}",
                HALVES,
                sources=(),
                images={
                    "source": "dataset",
                    "dataset": half(self.sizes, letter, self.seed),
                    "split": "train",
                    "selection": "first",
                    "count": self.splits[letter],
                },
                search="tight",
                noise=NO_NOISE,
            )
            for letter in CLEAN_STEPS
        ]

    def figure(self, needs: tuple[str, ...]) -> list[Step]:
        """Figure 7: two attacks, and strong noise."""
        noise = {"name": "gaussian_noise", "sigma": 1.0, "clip": False}
        amount = min(self.sizes.noise_images, self.splits["train"])
        methods = (method("tight"), method("tight"), noise)
        counts = (self._count("train"), self._count("train"), amount)
        models = (PANELS[0], PANELS[1], PANELS[1])
        return [
            Step(
                name,
                {
                    "kind": "attack",
                    "title": name.capitalize(),
                    "seed": self.seed,
                    "model": f"@train {model}",
                    "images": self._images("train", count),
                    "method": chosen,
                    "keep": "all",
                },
                needs,
                seconds=1.0 if needs else 1.0 + count * IMAGE_SECONDS["tight"],
            )
            for name, model, chosen, count in zip(PANEL_STEPS, models, methods, counts, strict=True)
        ]

    def _count(self, split: str) -> int:
        return min(self.sizes.images or self.splits[split], self.splits[split])

    def _images(self, split: str, count: int | None = None) -> dict[str, Any]:
        return {
            "source": "dataset",
            "dataset": self.sizes.dataset,
            "split": split,
            "selection": "random",
            "count": count or self._count(split),
        }

    def _transfer(
        self,
        name: str,
        title: str,
        evaluated: Sequence[str],
        *,
        images: dict[str, Any],
        search: Search,
        noise: dict[str, Any],
        sources: Sequence[str] | None = None,
        amplified: Sequence[float] = (),
    ) -> Step:
        models: list[Any] = [f"@train {each}" for each in evaluated]
        attacked: list[Any] = models if sources is None else list(sources)
        return Step(
            name,
            {
                "kind": "transfer",
                "title": title,
                "seed": self.seed,
                "sources": attacked,
                "evaluated": models,
                "images": images,
                "method": method(search),
                "noise": noise,
                "directions": search == "tight" and len(attacked) > 0,
                "amplify": {"distortions": list(amplified), "clip": False},
            },
            seconds=1.0 + images["count"] * (len(attacked) * IMAGE_SECONDS[search] + EVALUATION_SECONDS),
        )


def method(search: Search) -> dict[str, Any]:
    """The attack with one of the two searches for c, and a random wrong target for each image."""
    return {"name": "minimum_distortion", "mode": search, "target": "random"}
