"""What the attack promises: box, determinism, order, cancelling, a reason for each failure, misuse."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from attacked_models import correct_images, trained
from blindspots.science.attacks.exact_linear import exact_linear
from blindspots.science.attacks.gaussian import gaussian
from blindspots.science.attacks.minimum_distortion import Search, minimum_distortion
from blindspots.science.attacks.result import AttackResult, Reason
from blindspots.science.measures import distortion, judge


@settings(max_examples=15)
@given(
    st.permutations(range(12)),
    st.sampled_from(
        [{"polish": True}, {"mode": "nearest", "polish": True, "search": Search(restarts=1)}, {}]
    ),
)
def test_an_image_is_attacked_alike_wherever_it_stands(order: list[int], choices: dict[str, Any]) -> None:
    model, images, labels = correct_images("sigmoid", 12)
    seeds = np.arange(12, dtype=np.uint64)
    there = minimum_distortion(model, images, labels, seeds=seeds, **choices)
    moved = minimum_distortion(
        model, images[order], labels[order], seeds=seeds[order], batch_size=5, **choices
    )
    assert torch.equal(moved.target, there.target[order])
    # Another place in the batch rounds otherwise; which of two equally near images is found may turn on it.
    near = distortion(images, there.adversarial)[order]
    torch.testing.assert_close(distortion(images[order], moved.adversarial), near, rtol=5e-3, atol=0)
    again = minimum_distortion(model, images, labels, seeds=seeds, **choices)
    assert torch.equal(again.adversarial, there.adversarial)


@settings(max_examples=20)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["random", "nearest", "second", "least_likely", "untargeted"])
)
def test_any_image_of_the_box_stays_in_the_box_and_ends_where_promised(seed: int, rule: str) -> None:
    rng = np.random.default_rng(seed)
    images = torch.from_numpy(rng.random((4, 1, 8, 8), np.float32)).round(decimals=1)
    model = trained("sigmoid")
    labels = torch.from_numpy(rng.integers(0, 10, 4))
    result = minimum_distortion(
        model,
        images,
        labels,
        target_rule=rule,
        polish=True,
        seeds=rng.integers(0, 2**63, 4),  # type: ignore[arg-type]
    )
    assert ((result.adversarial >= 0) & (result.adversarial <= 1)).all()
    assert (result.target != labels).all()
    assert torch.equal(result.already_wrong, model(images).argmax(1) != labels)
    assert torch.equal(
        judge(model, result.adversarial, labels=labels, targets=result.target).success, result.success
    )


def test_images_that_already_give_the_answer_are_left_alone() -> None:
    model, images, labels = correct_images("linear", 8)
    wrong = (labels + 1) % 10
    untargeted = minimum_distortion(model, images, wrong, mode="nearest", polish=True)
    assert torch.equal(untargeted.adversarial, images)
    assert untargeted.already_wrong.all()
    assert (untargeted.reason == Reason.ALREADY_THERE).all()
    aimed = minimum_distortion(model, images, wrong, target_rule="given", given=(labels + 2) % 10)
    assert aimed.already_wrong.all()
    assert (distortion(images, aimed.adversarial) > 0).all()
    assert (aimed.reason == Reason.FOUND).all()


def test_not_finding_is_a_result_with_a_reason() -> None:
    images, labels = torch.rand(3, 1, 4, 4), torch.zeros(3, dtype=torch.int64)
    stubborn = lambda x: x.flatten(1)[:, :2] * 0.01 + torch.tensor([5.0, 0.0])  # noqa: E731
    broken = lambda x: x.flatten(1)[:, :2] * float("nan")  # noqa: E731
    for choices in ({"mode": "paper"}, {"mode": "tight"}, {"mode": "nearest", "polish": True}):
        result = minimum_distortion(stubborn, images, labels, seeds=np.arange(3), **choices)  # type: ignore[arg-type]
        assert not result.success.any()
        assert all(Reason(int(code)).sentence.endswith(".") for code in result.reason)
        assert ((result.adversarial >= 0) & (result.adversarial <= 1)).all()
        result = minimum_distortion(broken, images, labels, seeds=np.arange(3), **choices)  # type: ignore[arg-type]
        assert (result.reason == Reason.NOT_FINITE).all()
        assert torch.equal(result.adversarial, images)


def test_colour_images_of_any_size() -> None:
    images = torch.rand(3, 3, 20, 24, generator=torch.Generator().manual_seed(0))
    weight = torch.randn(5, 3 * 20 * 24, generator=torch.Generator().manual_seed(1))
    model = lambda x: x.flatten(1) @ weight.T  # noqa: E731
    labels = model(images).argmax(1)
    result = minimum_distortion(model, images, labels, mode="nearest", polish=True)
    _, exact = exact_linear(weight, torch.zeros(5), images, labels)
    assert (distortion(images, result.adversarial) <= 1.002 * exact).all()


def test_progress_counts_to_the_end_and_may_cancel() -> None:
    model, images, labels = correct_images("linear", 20)
    seen: list[tuple[int, int]] = []
    minimum_distortion(
        model,
        images,
        labels,
        mode="nearest",
        polish=True,
        batch_size=8,
        progress=lambda *now: seen.append(now),
    )
    # On a slow machine a count is repeated as a sign of life.
    assert [now for now in dict.fromkeys(seen) if now[0] > 0] == [(8, 20), (16, 20), (20, 20)]
    assert seen == sorted(seen)

    class Stop(Exception):
        """The job was cancelled."""

    def stop(done: int, total: int) -> None:
        raise Stop(f"{done} of {total}")

    with pytest.raises(Stop):
        minimum_distortion(model, images, labels, mode="nearest", polish=True, batch_size=8, progress=stop)


def test_running_out_of_memory_halves_the_batch() -> None:
    model, images, labels = correct_images("linear", 20)
    sizes: list[int] = []

    def small(x: Tensor) -> Tensor:
        sizes.append(len(x))
        if len(x) > 30:
            raise torch.OutOfMemoryError("no memory for that many")
        return model(x)

    tight = minimum_distortion(small, images, labels, mode="nearest", polish=True)
    assert max(sizes) > 30
    assert tight.success.all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "fast"}, "mode is"),
        ({"norm": "l3"}, "norm is"),
        ({"target_rule": "any"}, "target_rule is"),
        ({"seeds": None}, "one seed per image"),
        ({"target_rule": "given"}, "one target per image"),
        ({"norm": "l1", "polish": True}, "Euclidean"),
    ],
)
def test_misuse_is_refused_with_a_sentence(change: dict[str, Any], message: str) -> None:
    model, images, labels = correct_images("linear", 2)
    with pytest.raises(ValueError, match=message):
        minimum_distortion(model, images, labels, **({"seeds": np.arange(2)} | change))
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        minimum_distortion(model, images * 2, labels, seeds=np.arange(2))


def test_restarts_only_shorten_and_follow_the_seeds() -> None:
    model, images, labels = correct_images("conv", 24)
    seeds = np.arange(24, dtype=np.uint64)

    def lengths(restarts: int) -> Tensor:
        search = Search(polish_ticks=20, restarts=restarts)
        found = minimum_distortion(
            model, images, labels, mode="nearest", polish=True, search=search, seeds=seeds
        )
        assert found.success.all()
        return distortion(images, found.adversarial)

    once, thrice = lengths(0), lengths(3)
    assert (thrice <= once + 1e-7).all()
    assert (thrice < once - 1e-5).any()
    assert torch.equal(lengths(3), thrice)


def test_targets_come_from_each_images_seed_and_spread_over_all_wrong_classes() -> None:
    model, images, labels = correct_images("linear", 1)
    many = 400
    result = minimum_distortion(
        model, images.expand(many, -1, -1, -1), labels.expand(many), polish=True,
        search=Search(polish_ticks=2), seeds=np.arange(many, dtype=np.uint64),
    )  # fmt: skip
    counts = torch.bincount(result.target, minlength=10)
    assert counts[labels[0]] == 0
    assert (counts > 20).sum() == 9


def test_gaussian_noise_is_an_attack_with_the_same_result() -> None:
    model, images, labels = correct_images("linear", 50)
    seeds = np.arange(50)
    one: Callable[..., AttackResult] = gaussian
    noisy = one(model, images, labels, sigma=0.3, clip=False, seeds=seeds)
    assert abs(distortion(images, noisy.adversarial).mean() - 0.3) < 0.02
    clipped = one(model, images, labels, sigma=0.3, clip=True, seeds=seeds)
    assert torch.equal(clipped.adversarial, noisy.adversarial.clamp(0, 1))
    part = one(model, images[7:9], labels[7:9], sigma=0.3, clip=False, seeds=seeds[7:9])
    assert torch.equal(part.adversarial, noisy.adversarial[7:9])
