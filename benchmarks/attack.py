"""Our attack beside scipy, adv-lib and Foolbox: same networks, same images, one pinned thread, one run.

    python benchmarks/attack.py                      everything, about ten minutes on a quiet core
    python benchmarks/attack.py --networks N100      one network

Time is processor time of the process that computes, median over the repeats, compilation and loading left
out. Distortion is measured here, on the stored float32 images, for everybody. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import networks
import numpy as np
import torch
from contestants import Case, Contestant, contestants
from measuring import Outcome, envelope, judge, pin_to_one_processor
from peer_process import PeerProcess
from verdicts import Verdict, judge_all

from blindspots.science import measures
from blindspots.science.networks import Softmax

NAMES = ("softmax1", "softmax2", "softmax3", "N100", "conv")
WARM_UP = 8  # images: kernels are compiled, memory is touched


def make_case(name: str, count: int, seed: int) -> Case:
    """The first `count` test images that the network classifies correctly, with a random wrong class each."""
    network = networks.load(name)
    images, labels = networks.mnist("test")
    images, labels = images[: 2 * count + 64], labels[: 2 * count + 64]
    right = (measures.predictions(network, images) == labels).nonzero().flatten()[:count]
    images, labels = images[right].contiguous(), labels[right].contiguous()
    generator = torch.Generator().manual_seed(seed)
    classes = network(images[:1]).shape[1]
    step = torch.randint(1, classes, (len(labels),), generator=generator)
    linear = (network.output.weight, network.output.bias) if isinstance(network, Softmax) else None
    return Case(name, network, images, labels, (labels + step) % classes, linear)


def measure(case: Case, people: list[Contestant], *, repeats: int, patience: float) -> list[Outcome]:
    """Runs everybody in turn, `repeats` times over; who took longer than `patience` seconds runs once."""
    outcomes: dict[str, Outcome] = {}
    for turn in range(repeats):
        for person in people:
            known = outcomes.get(person.name)
            if turn and (known is None or known.cpu_seconds[0] > patience):
                continue
            given = case.first(person.limit)
            try:
                if not turn:
                    person.run(given.first(WARM_UP))
                found, seconds = person.run(given)
            except (RuntimeError, ValueError, TypeError, IndexError) as error:
                print(f"  {case.name}: {person.name} did not run: {error}", file=sys.stderr)
                continue
            distortion, outside = judge(
                case.network,
                given.images,
                given.labels,
                found,
                targets=given.targets if person.targeted else None,
            )
            if known is None:
                known = outcomes[person.name] = Outcome(
                    person.name, person.side, case.name, person.targeted, distortion, outside
                )
            known.cpu_seconds.append(seconds)
    return list(outcomes.values())


def table(case: Case, outcomes: list[Outcome]) -> str:
    """One network's results as Markdown, free attacks first, shortest first."""
    lines = [
        f"### {case.name}, {len(case.images)} images\n",
        "| attack | images | success | mean distortion | ratio to best | ms per image | images/s | runs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for aimed in (False, True):
        group = [outcome for outcome in outcomes if outcome.targeted is aimed]
        best = envelope(outcomes if not aimed else group, len(case.images))
        lines += [
            f"| {o.name} | {o.images} | {o.success:.1%} | {o.mean:.6f} | {o.ratio(best):.5f} "
            f"| {o.milliseconds:.3f} | {1000 / o.milliseconds:,.0f} | {len(o.cpu_seconds)} |"
            for o in sorted(group, key=lambda o: o.ratio(best))
        ]
    return "\n".join(lines)


def verdict_table(verdicts: list[Verdict]) -> str:
    """The targets with pass or fail for the required and the hoped-for values."""
    word = {True: "pass", False: "FAIL"}
    lines = ["| target | measured | reach | stretch |", "|---|---|---|---|"]
    lines += [f"| {v.subject} | {v.measured} | {word[v.reach]} | {word[v.stretch]} |" for v in verdicts]
    return "\n".join(lines)


def as_json(outcomes: dict[str, list[Outcome]], verdicts: list[Verdict], run: dict[str, object]) -> str:
    """Everything measured, with the distortion of every image, failures as null."""
    rows = [
        {
            "network": o.network,
            "attack": o.name,
            "side": o.side,
            "targeted": o.targeted,
            "success": o.success,
            "mean_distortion": o.mean,
            "outside_box": o.outside_box,
            "cpu_seconds": o.cpu_seconds,
            "milliseconds_per_image": o.milliseconds,
            "distortion": [float(d) if np.isfinite(d) else None for d in o.distortion],
        }
        for found in outcomes.values()
        for o in found
    ]
    return json.dumps({"run": run, "verdicts": [vars(v) for v in verdicts], "outcomes": rows}, indent=1)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", default=list(NAMES), choices=NAMES)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--conv-images", type=int, default=256)
    parser.add_argument("--scipy-images", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=256, help="images per batch of the peers")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--patience", type=float, default=10.0, help="seconds above which an attack runs once"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processor", type=int, help="to pin to, by default the last one")
    parser.add_argument("--only", nargs="+", help="only attacks whose name contains one of these")
    parser.add_argument("--json", type=Path, default=Path(__file__).parent / ".cache" / "attack.json")
    return parser.parse_args()


def facts(options: argparse.Namespace, processor: int | None, peers: PeerProcess) -> dict[str, object]:
    """Where and how this run was made."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": platform.processor() or platform.machine(),
        "processor": processor,
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "peers": peers.versions,
        "options": {key: str(value) for key, value in vars(options).items()},
    }


def main() -> None:
    options = arguments()
    processor = pin_to_one_processor(options.processor)
    outcomes: dict[str, list[Outcome]] = {}
    verdicts: list[Verdict] = []
    with PeerProcess() as peers:
        for name in options.networks:
            case = make_case(name, options.conv_images if name == "conv" else options.images, options.seed)
            peers.give(name, case.network)
            people = contestants(
                case, peers, scipy_images=options.scipy_images, batch_size=options.batch_size
            )
            if options.only:
                people = [p for p in people if any(word in p.name for word in options.only)]
            outcomes[name] = measure(case, people, repeats=options.repeats, patience=options.patience)
            verdicts = judge_all(outcomes)
            print(table(case, outcomes[name]) + "\n", flush=True)
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(as_json(outcomes, verdicts, facts(options, processor, peers)))
    print(verdict_table(verdicts))


if __name__ == "__main__":
    main()
