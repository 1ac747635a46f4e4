"""Installs the peers into `benchmarks/.peers` and talks to the process that runs them (`peers.py`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".peers"
PEERS = ("adv-lib==0.2.8", "foolbox==3.3.4", "eagerpy==0.30.0")


def install() -> Path:
    """The Python of the peers' environment, made on first use. Never sees this environment's packages."""
    python = ENVIRONMENT / "bin" / "python"
    finished = ENVIRONMENT / "installed.txt"
    wanted = (HERE / "requirements-peers.txt").read_text() + "\n".join(PEERS)
    if finished.exists() and finished.read_text() == wanted:
        return python
    print(f"installing the peers into {ENVIRONMENT} ...", file=sys.stderr)
    venv.create(ENVIRONMENT, with_pip=True, system_site_packages=False, clear=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(HERE / "requirements-peers.txt")], check=True)
    subprocess.run([*pip, "--no-deps", *PEERS], check=True)
    finished.write_text(wanted)
    return python


class PeerProcess:
    """One long-lived process of the peers' Python, pinned to the processor of this one."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="blindspots-peers-")
        environment = os.environ | {
            "PYTHONPATH": str(HERE.parent / "backend"),
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [str(install()), str(HERE / "peers.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.versions = self._answer()

    def __enter__(self) -> PeerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._folder.cleanup()

    def give(self, name: str, network: nn.Module) -> None:
        """Writes a network where the peers can load it. Our own file, read once, by our own process."""
        torch.save(network, Path(self._folder.name) / f"{name}.pt")

    def attack(
        self, attack: str, network: str, images: Tensor, labels: Tensor, *, batch_size: int
    ) -> tuple[Tensor, float, float]:
        """Adversarial images as the peer returned them, its processor seconds and wall seconds."""
        folder = Path(self._folder.name)
        save_file(
            {"images": images.contiguous(), "labels": labels.contiguous()}, folder / "images.safetensors"
        )
        request = {
            "attack": attack,
            "network": str(folder / f"{network}.pt"),
            "images": str(folder / "images.safetensors"),
            "answer": str(folder / "answer.safetensors"),
            "batch_size": batch_size,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        if "error" in answer:
            raise RuntimeError(f"{attack} on {network}: {answer['error']}")
        adversarial = load_file(folder / "answer.safetensors")["adversarial"]
        return adversarial, float(str(answer["cpu_seconds"])), float(str(answer["wall_seconds"]))

    def _answer(self) -> dict[str, object]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peers' process ended with {self._process.wait()}")
        answer: dict[str, object] = json.loads(line)
        return answer
