"""The other side of `attack.py`: other people's attacks, run by the Python of `benchmarks/.peers`.

Reads one JSON request per line on standard input and answers with one JSON line on standard output:

    {"attack": "adv-lib DDN 100", "network": path, "images": path, "answer": path, "batch_size": 256}
    -> {"cpu_seconds": 0.45, "wall_seconds": 0.46}  or  {"error": "..."}

The adversarial images go to the path in `answer` as safetensors; nothing measured here is trusted but
the processor time. The networks are the very modules of `blindspots.science.networks`, so both sides pay
the same for a forward and a backward pass.
"""

from __future__ import annotations

import json
import sys
import time
import types
import warnings
from collections.abc import Callable

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

Attack = Callable[[nn.Module, Tensor, Tensor], Tensor]


def stand_in_for_unused_imports() -> None:
    """adv-lib imports visdom (plots) and torchvision (LPIPS) at import; no attack used here calls them."""
    for name in ("visdom", "torchvision", "torchvision.models"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["torchvision"].models = sys.modules["torchvision.models"]  # type: ignore[attr-defined]


def adv_lib_attacks() -> dict[str, Attack]:
    """The minimum-norm L2 attacks of adv-lib. DDN without its 256-level rounding: distances are compared."""
    from adv_lib import attacks as adv

    return {
        "adv-lib DDN 100": lambda m, x, y: adv.ddn(m, x, y, steps=100, levels=None),
        "adv-lib DDN 1000": lambda m, x, y: adv.ddn(m, x, y, steps=1000, levels=None),
        "adv-lib DeepFool": adv.df,
        "adv-lib SuperDeepFool": adv.sdf,
        "adv-lib ALMA 1000": lambda m, x, y: adv.alma(m, x, y, num_steps=1000, init_lr_distance=0.5),
        "adv-lib CW 9x1000": lambda m, x, y: adv.carlini_wagner_l2(m, x, y, max_iterations=1000),
    }


def foolbox_attack(make: Callable[[], object]) -> Attack:
    """A Foolbox attack without an epsilon returns its smallest perturbation, clipped to the bounds."""
    import foolbox

    def attack(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        wrapped = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
        _, clipped, _ = make()(wrapped, images, labels, epsilons=None)  # type: ignore[operator]
        return clipped

    return attack


def foolbox_attacks() -> dict[str, Attack]:
    from foolbox import attacks as fb

    return {
        "Foolbox DeepFool": foolbox_attack(lambda: fb.L2DeepFoolAttack(steps=100)),
        "Foolbox DDN 100": foolbox_attack(lambda: fb.DDNAttack(steps=100)),
        "Foolbox DDN 1000": foolbox_attack(lambda: fb.DDNAttack(steps=1000)),
        "Foolbox FMN 100": foolbox_attack(lambda: fb.L2FMNAttack(steps=100)),
        "Foolbox CW 9x1000": foolbox_attack(lambda: fb.L2CarliniWagnerAttack(steps=1000)),
    }


def run(request: dict[str, object], attacks: dict[str, Attack]) -> dict[str, object]:
    """One attack on the images of one request, timed without loading and saving."""
    network: nn.Module = torch.load(str(request["network"]), weights_only=False)
    network.eval().requires_grad_(False)
    arrays = load_file(str(request["images"]))
    attack = attacks[str(request["attack"])]
    batches = list(
        zip(
            arrays["images"].split(int(str(request["batch_size"]))),
            arrays["labels"].split(int(str(request["batch_size"]))),
            strict=True,
        )
    )
    torch.manual_seed(0)
    wall, processor = time.perf_counter(), time.process_time()
    found = [attack(network, images, labels).detach() for images, labels in batches]
    answer = {"cpu_seconds": time.process_time() - processor, "wall_seconds": time.perf_counter() - wall}
    save_file({"adversarial": torch.cat(found).contiguous()}, str(request["answer"]))
    return dict(answer)


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    stand_in_for_unused_imports()
    attacks = adv_lib_attacks() | foolbox_attacks()
    answers, sys.stdout = sys.stdout, sys.stderr  # a library that prints must not spoil the answers
    print(json.dumps({"attacks": list(attacks), "torch": torch.__version__}), file=answers, flush=True)
    for line in sys.stdin:
        try:
            answer = run(json.loads(line), attacks)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
