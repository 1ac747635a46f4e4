"""The attack alone, without the service: same weights, same images, same threads, one call."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import networks
import numpy as np
import torch
from safetensors.numpy import load_file

from blindspots.client import Client
from blindspots.experiments.attack_run import image_seeds
from blindspots.science import measures
from blindspots.science.attacks.minimum_distortion import Search, minimum_distortion
from blindspots.zoo import architectures


class BareAttack:
    """What a script without Blindspots would do with a model that the service trained."""

    def __init__(self, client: Client, model: str, data: Path, spec: dict[str, Any], *, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        facts = client.request("GET", f"/models/{model}").json()
        sha = facts["weights_sha256"]
        weights = load_file(next((data / "artifacts").rglob(f"*{sha[-32:]}*")))
        self._network = architectures.load(SimpleNamespace(**facts), weights)
        images, labels = networks.mnist("test")
        count = spec["images"]["count"]
        self._images, self._labels = images[:count].contiguous(), labels[:count].contiguous()
        self._method = spec["method"]
        self.found = np.empty(0)
        self.run()  # compiles the kernels, as the service's first job does

    def run(self) -> tuple[float, float]:
        """Wall seconds and processor seconds of one attack on all images."""
        wall, processor = time.perf_counter(), time.process_time()
        result = minimum_distortion(
            self._network,
            self._images,
            self._labels,
            mode=self._method["mode"],
            target_rule="random",
            polish=self._method["polish"],
            seeds=image_seeds(0, np.arange(len(self._images))),
            search=Search(max_ticks=self._method["max_ticks"]),
        )
        seconds = time.perf_counter() - wall, time.process_time() - processor
        self.found = result.adversarial.numpy()
        return seconds

    def distortion(self) -> np.ndarray:
        """(n,) of what the last run found."""
        return np.asarray(measures.distortion(self._images, torch.from_numpy(self.found)))
